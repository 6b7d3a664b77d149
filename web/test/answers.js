/**
 * Answers for the tests: `node web/test/answers.js WEIGHTS` reads one JSON object a line and writes
 * one a line.
 *
 *   {"file": "<hex>", "layers": "scn"}  ->  {"w_plus_hat": "<sha256>", "fine_s": "<sha256>",
 *                                            "y_hat": "<sha256>"|null, "fine": "<sha256>"|null}
 *   {"again": "<hex>"}                  ->  {"bytes": "<hex>"}, decoded and encoded again
 *   {"symbols": [...], "indexes": [...]} ->  {"bytes": "<hex>"}, one stream
 *   {"departures": [...], "limit": 2.1} ->  {"share": 0.5}, of an edit that goes too far
 *   {"card": 0.001}                     ->  {"same": true}, of a graphics card that is so far off
 *   {"text": "..."}                     ->  {"bytes": "<hex>"}
 *   {"bytes": "<hex>"}                  ->  {"text": "..."}
 *
 * or {"refusal": "<sentence>"}. Digests are of little-endian float64, as in tests/golden.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pack as toFile, unpack } from "../src/container.js";
import { BitstreamError } from "../src/errors.js";
import { compare } from "../src/hardware.js";
import { LatentDecoder } from "../src/latents.js";
import { shareWithin } from "../src/plausibility.js";
import { encodeSymbols } from "../src/rans.js";
import { fromText, toText } from "../src/text.js";
import { openPack, Tensors } from "../src/weights.js";

const unhex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const digest = (values) =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");

const pack = async (name) => new Tensors(await openPack(readFileSync(`${process.argv[2]}/${name}.pack`)));
const semantics = await pack("semantics");
const decoder = new LatentDecoder(semantics);
decoder.addFeatures(await pack("features"));

function again(file) {
  const { level, modelId, wPlus, yHat, fine } = decoder.decode(file);
  const { y, fineS } = decoder.decodeComponents(unpack(file).scn, level);
  const scn = decoder.encodeStyles(y, fineS, level);
  return toFile({ level, modelId, scn, fcn: yHat && decoder.encodeFeatures(yHat, fine, wPlus, level) });
}

async function compareCard(off) {
  const draws = (value) => ({ has: () => true, run: async () => new Float32Array(300).fill(value) });
  const library = { pack: async () => semantics };
  const { same } = await compare(draws(0.5 + off), draws(0.5), library);
  return { same };
}

async function answer({ file, layers, text, bytes, again: whole, symbols, indexes, departures, limit, card }) {
  if (card !== undefined) return compareCard(card);
  if (departures !== undefined) return { share: shareWithin(limit, departures) };
  if (symbols !== undefined) {
    return { bytes: Buffer.from(encodeSymbols(symbols, indexes, decoder.tables)).toString("hex") };
  }
  if (whole !== undefined) return { bytes: Buffer.from(again(unhex(whole))).toString("hex") };
  if (text !== undefined) return { bytes: Buffer.from(fromText(text)).toString("hex") };
  if (bytes !== undefined) return { text: toText(unhex(bytes)) };
  const found = decoder.decode(unhex(file), { layers, allowCut: layers === "scn" });
  const { wPlus, fineS, yHat, fine } = found;
  const ofFeatures = { y_hat: yHat && digest(yHat), fine: fine && digest(fine) };
  return { w_plus_hat: digest(wPlus), fine_s: digest(fineS), ...ofFeatures };
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await answer(JSON.parse(line));
  } catch (error) {
    if (!(error instanceof BitstreamError)) throw error;
    said = { refusal: error.message };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
