/**
 * What may draw in this browser: one or several threads of WASM, or a graphics card by WebGPU.
 * A graphics card is used only after it has drawn the same small picture as WASM.
 */
import { STYLES, STYLE_DIM } from "./latents.js";

const MOST_THREADS = 4;
const ENOUGH = 60; // dB between a graphics card's picture and WASM's

/** iPhones and iPads: threads of WASM have hung there, and WebGPU has crashed. */
const isMobileApple = () =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) ||
  (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);

/** Threads of WASM: several need the headers COOP and COEP. */
export function threadsHere() {
  if (!self.crossOriginIsolated || isMobileApple()) return 1;
  return Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1);
}

/**
 * Whether a graphics card could draw; the runtime for it needs WebAssembly's `Suspending`.
 *
 * @param {boolean} software an adapter without a graphics card counts too, for tests.
 */
export async function mayUseGpu(software = false) {
  if (!navigator.gpu || !("Suspending" in WebAssembly) || isMobileApple()) return false;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return Boolean(adapter) && (software || !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter));
}

/** The preview of the mean face. */
async function drawMean(graphs, library) {
  const mean = (await library.pack("semantics")).get("scn.mean").data;
  const wPlus = Float32Array.from(mean);
  if (wPlus.length !== STYLES * STYLE_DIM) throw new Error("The mean face has another size.");
  const feature = await graphs.run("features", { w_plus: wPlus });
  const name = graphs.has("preview_semantics") ? "preview_semantics" : "preview";
  return graphs.run(name, { feature, w_plus: wPlus });
}

async function timed(graphs, library) {
  let picture = await drawMean(graphs, library); // the first one compiles
  const started = performance.now();
  picture = await drawMean(graphs, library);
  return { picture, milliseconds: performance.now() - started };
}

/** Peak signal-to-noise ratio of two pictures in [-1, 1]. */
function decibels(a, b) {
  if (a.length !== b.length) return 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return 10 * Math.log10(4 / (sum / a.length + 1e-12));
}

/**
 * Draw one small picture on both.
 *
 * @returns {Promise<{same: boolean, decibels: number, gpu: number, wasm: number}>} milliseconds.
 */
export async function compare(gpu, wasm, library) {
  const [there, here] = [await timed(gpu, library), await timed(wasm, library)];
  const found = decibels(there.picture, here.picture); // not a number where the card gave none
  return { same: found >= ENOUGH, decibels: found, gpu: there.milliseconds, wasm: here.milliseconds };
}
