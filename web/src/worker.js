/** The decoder in a worker: the page stays quick while it computes. */
import * as ort from "onnxruntime-web/wasm";
import { Decoder, toRgba } from "./decoder.js";
import { BitstreamError } from "./errors.js";

// One thread: several need headers that plain hosts do not send, and have hung on iPhones. An
// address with `?threads=4` is for measurements; the runtime starts this file once a thread then.
const isThreadOfRuntime = self.name?.startsWith("em-pthread");
ort.env.wasm.numThreads = Number(new URL(self.location.href).searchParams.get("threads")) || 1;
ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", self.location.href).href };

let decoder = null;
let face = null;
let other = null; // the face to morph with
let between = { t: 0 }; // the last morph, which edits go on from

async function fetchFile(name) {
  const response = await fetch(new URL(`weights/${name}`, self.location.href));
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
    postMessage({ kind: "loading", name, done, total });
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
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

const handlers = {
  async load() {
    decoder = await new Decoder(ort, fetchFile).load();
    postMessage({ kind: "ready", model: decoder.model, edits: decoder.table.edits });
  },

  /** Without `render`, for a page that wants edits alone, no picture comes before "opened". */
  async open({ id, file, layers, render = true }) {
    const started = performance.now();
    const send = async (layers, opened) =>
      sendPicture({ kind: "picture", id, layers }, await decoder.render(opened), started);
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
