/** QR codes from pictures and from the camera. The reader is loaded when it is first needed. */
import { gunzip } from "./weights.js";

let reader = null;

async function zxing() {
  if (!reader) {
    const { prepareZXingModule, readBarcodes } = await import("zxing-wasm/reader");
    const response = await fetch(new URL("zxing_reader.wasm.gz", import.meta.url));
    const wasmBinary = (await gunzip(new Uint8Array(await response.arrayBuffer()))).buffer;
    prepareZXingModule({ overrides: { wasmBinary } });
    reader = readBarcodes;
  }
  return reader;
}

/** The text of the first QR code in a picture, or null. */
export async function readQr(picture) {
  const read = await zxing();
  const found = await read(picture, { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 });
  return found[0]?.text ?? null;
}

/** The text of the first QR code that the camera sees; shows its picture in `video`. */
export async function scanCamera(video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    video.srcObject = stream;
    await video.play();
    const still = document.createElement("canvas");
    for (;;) {
      still.width = video.videoWidth;
      still.height = video.videoHeight;
      const context = still.getContext("2d", { willReadFrequently: true });
      context.drawImage(video, 0, 0);
      const text = await readQr(context.getImageData(0, 0, still.width, still.height));
      if (text !== null) return text;
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (!video.isConnected || video.hidden) throw new DOMException("closed", "AbortError");
    }
  } finally {
    stream.getTracks().forEach((track) => track.stop());
  }
}
