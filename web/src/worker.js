/** The decoder in a worker: the page stays quick while it computes. */
import * as ort from "onnxruntime-web/wasm";
import { Decoder, toRgba } from "./decoder.js";
import { BitstreamError } from "./errors.js";
import { Graphs } from "./graphs.js";
import { compare, mayUseGpu, threadsHere } from "./hardware.js";
import { Library } from "./library.js";
import { gunzip } from "./weights.js";

const WASM = "ort-wasm-simd-threaded.wasm.gz";
const GPU_WASM = "ort-wasm-simd-threaded.jspi.wasm.gz";
const isThreadOfRuntime = self.name?.startsWith("em-pthread"); // which starts this file once a thread
const asked = new URL(self.location.href).searchParams; // `?threads=1&gpu=software`, to measure and test
const threads = Number(asked.get("threads")) || threadsHere();

let decoder = null;
let wasm = null; // the graphs on WASM
let face = null;
let other = null; // the face to morph with
let between = { t: 0 }; // the last morph, which edits go on from

async function fetchFile(name) {
  const response = await fetch(new URL(name, self.location.href));
  if (!response.ok) throw new Error(`The receiver's file ${name} could not be loaded.`);
  const total = Number(response.headers.get("Content-Length")) || 0;
  const reader = response.body.getReader();
  const parts = [];
  let done = 0;
  for (;;) {
    const { value, done: finished } = await reader.read();
    if (finished) break;
    parts.push(value);
    done += value.length;
    postMessage({ kind: "loading", name: name.split("/").pop(), done, total });
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function sendPicture(message, picture, started) {
  const rgba = toRgba(picture);
  const px = Math.sqrt(rgba.length / 4);
  postMessage({ ...message, rgba, px, milliseconds: performance.now() - started }, [rgba.buffer]);
}

/** The face to edit: the one that is open, or one on the way to the other. */
async function morphed(t) {
  if (!other || !t) return face;
  if (between.t !== t) between = { t, face: await decoder.morph(face, other, t) };
  return between.face;
}

async function startGpu() {
  if (!(await mayUseGpu(asked.get("gpu") === "software"))) return { on: "wasm", reason: "none" };
  const runtime = await import(new URL("gpu.js", self.location.href).href);
  runtime.env.wasm.numThreads = 1;
  runtime.env.wasm.wasmBinary = await gunzip(await fetchFile(GPU_WASM));
  const gpu = new Graphs(runtime, decoder.library, ["webgpu"]);
  const found = await compare(gpu, wasm, decoder.library);
  if (found.same) decoder.graphs = gpu;
  else await gpu.release();
  return { on: found.same ? "gpu" : "wasm", reason: found.same ? "" : "different", ...found };
}

const handlers = {
  async load() {
    ort.env.wasm.numThreads = threads;
    const library = new Library((name) => fetchFile(`weights/${name}`));
    const runtime = fetchFile(WASM).then(gunzip);
    await library.load();
    wasm = new Graphs(ort, library);
    decoder = await new Decoder(library, wasm).load();
    decoder.onFallback = () => postMessage({ kind: "fallback" });
    ort.env.wasm.wasmBinary = await runtime;
    const gpu = await mayUseGpu(asked.get("gpu") === "software");
    postMessage({ kind: "ready", model: decoder.model, edits: library.manifest.edits, threads, gpu });
  },

  /** Where to draw from now on: "wasm", or "gpu" if it proves itself. */
  async draw({ on }) {
    let answer = { on: "wasm", reason: "" };
    if (on === "gpu") {
      answer = await startGpu().catch((error) => {
        console.warn(error);
        return { on: "wasm", reason: "failed" };
      });
    }
    if (answer.on === "wasm") decoder.graphs = wasm;
    postMessage({ kind: "drawing", ...answer });
  },

  /** Without `render`, for a page that wants edits alone, no picture comes before "opened". */
  async open({ id, file, layers, render = true }) {
    const started = performance.now();
    const send = async (layers, opened) =>
      sendPicture({ kind: "picture", id, layers }, await decoder.render(opened), started);
    if (layers !== "scn") decoder.prefetch(file);
    const semantics = render || layers === "scn" ? await decoder.open(file, { layers: "scn" }) : null;
    if (render) await send("scn", semantics);
    between = { t: 0 };
    face = layers === "scn" ? semantics : await decoder.open(file, { layers });
    if (render && face.feature !== face.featureS) await send("scn+fcn", face);
    postMessage({ kind: "opened", id, level: face.level, hasFcn: face.feature !== face.featureS });
  },

  async encode({ id, amounts, morph }) {
    if (!face) return;
    const started = performance.now();
    const file = await decoder.encode(await morphed(morph), amounts);
    postMessage({ kind: "encoded", id, file, milliseconds: performance.now() - started });
  },

  async other({ id, file, layers }) {
    other = file && (await decoder.open(file, { layers }));
    between = { t: 0 };
    postMessage({ kind: "other", id, there: Boolean(file) });
  },

  async edit({ id, amounts, morph, preview }) {
    if (!face) return;
    const started = performance.now();
    const picture = await decoder.render(await morphed(morph), amounts, { preview });
    sendPicture({ kind: "edited", id, preview }, picture, started);
  },
};

let turn = Promise.resolve();
const receive = ({ data }) => {
  turn = turn.then(async () => {
    try {
      await handlers[data.kind](data);
    } catch (error) {
      const plain = error instanceof BitstreamError;
      if (!plain) console.error(error);
      const sentence = plain ? error.message : "The face could not be drawn in this browser.";
      postMessage({ kind: "failed", id: data.id, sentence, of: data.kind });
    }
  });
};
if (!isThreadOfRuntime) self.onmessage = receive;
