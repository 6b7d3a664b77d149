/** Builds the receiver's runtime into dist/: `npm ci && npm run build`. Weights are not in it. */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "dist");
rmSync(out, { recursive: true, force: true });
mkdirSync(out);

await build({
  entryPoints: [join(here, "src/app.js"), join(here, "src/worker.js"), join(here, "src/gpu.js")],
  outdir: out,
  bundle: true,
  format: "esm",
  minify: true,
  legalComments: "linked",
  target: ["es2022"],
  logLevel: "warning",
});
for (const name of ["index.html", "style.css", "icon.svg", "app.webmanifest", "sw.js"]) {
  copyFileSync(join(here, "src", name), join(out, name));
}
const modules = join(here, "node_modules");
for (const name of [
  "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.jspi.wasm",
  "zxing-wasm/dist/reader/zxing_reader.wasm",
]) {
  copyFileSync(join(modules, name), join(out, name.split("/").pop()));
}

const files = {};
for (const name of readdirSync(out).sort()) {
  const bytes = readFileSync(join(out, name));
  files[name] = { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
writeFileSync(join(out, "runtime.json"), JSON.stringify({ files }, null, 1) + "\n");
