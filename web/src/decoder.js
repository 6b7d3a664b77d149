/** The whole decoder: bytes to latents, edits, pictures, and edited bytes. Knows no page. */
import { BitstreamError } from "./errors.js";
import { morph } from "./blend.js";
import { applyEdits, EditTable } from "./edits.js";
import { pack } from "./container.js";
import { LatentDecoder, STYLES, STYLE_DIM } from "./latents.js";
import { readSafetensors } from "./weights.js";

const SHAPES = {
  w_plus: [1, STYLES, STYLE_DIM],
  edited_w_plus: [1, STYLES, STYLE_DIM],
  y_hat: [1, 128, 16, 16],
  level: [1],
  change: [1],
};
const FEATURE = [1, 512, 32, 32];

/** A face whose bits have been read. */
class Face {
  constructor(parts) {
    Object.assign(this, parts);
  }
}

export class Decoder {
  /**
   * @param {object} ort the ONNX runtime.
   * @param {(file: string) => Promise<ArrayBuffer>} fetchFile a file of the exported weights.
   */
  constructor(ort, fetchFile) {
    this.ort = ort;
    this.fetchFile = fetchFile;
    this.sessions = new Map();
  }

  /** Load the tables; graphs are loaded when they are first run. */
  async load() {
    const manifest = JSON.parse(new TextDecoder().decode(await this.fetchFile("manifest.json")));
    this.model = manifest.model;
    this.graphs = new Set(manifest.graphs);
    this.latents = new LatentDecoder(readSafetensors(await this.fetchFile("latents.safetensors")).tensors);
    this.table = new EditTable(readSafetensors(await this.fetchFile("edits.safetensors")));
    return this;
  }

  /** The graph for a face: semantics alone may have one of their own. */
  graphFor(name, face) {
    const own = `${name}_semantics`;
    return face.feature === face.featureS && this.graphs.has(own) ? own : name;
  }

  session(name) {
    if (!this.sessions.has(name)) {
      const loaded = this.fetchFile(`${name}.onnx`).then((bytes) =>
        this.ort.InferenceSession.create(new Uint8Array(bytes)),
      );
      this.sessions.set(name, loaded);
    }
    return this.sessions.get(name);
  }

  /** One graph; inputs and output are Float32Array. */
  run = async (name, inputs) => {
    const session = await this.session(name);
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([key, values]) => [
        key,
        new this.ort.Tensor("float32", values, SHAPES[key] ?? FEATURE),
      ]),
    );
    const outputs = await session.run(feeds);
    return outputs[session.outputNames[0]].data;
  };

  /**
   * Read the bits of a file.
   *
   * @returns {Promise<Face>} whose `featureS` and `feature` are maps (512 x 32 x 32); they are the
   *   same object where the file, or what is left of it, has no FCN layer.
   * @throws {BitstreamError} the bytes are no readable file of this model.
   */
  async open(file, { layers = "scn+fcn" } = {}) {
    const decoded = this.latents.decode(file, { allowCut: layers === "scn", layers });
    if (decoded.modelId !== this.model.code) {
      const hex = (code) => code.toString(16).padStart(4, "0");
      throw new BitstreamError(
        `this file was made with model ${hex(decoded.modelId)}, but model ` +
          `${hex(this.model.code)} is loaded: decode it with the version that wrote it.`,
      );
    }
    const wPlus = Float32Array.from(decoded.wPlus);
    const featureS = await this.run("features", { w_plus: wPlus });
    let feature = featureS;
    if (decoded.yHat && layers !== "scn") {
      feature = await this.run("restore", {
        y_hat: Float32Array.from(decoded.yHat),
        feature_s: featureS,
        level: Float32Array.of(decoded.level),
      });
    }
    return new Face({ level: decoded.level, wPlus, featureS, feature });
  }

  /** The face a part of the way, 0 to 1, from one to another. */
  morph = async (a, b, t) => 
    new Face({ level: a.level, ...(await morph(a, b, t, this.latents.featureStd, this.run)) });

  /** Float32Array (3, px, px) in [-1, 1]: 1024 px, or 256 for a preview. */
  async render(face, amounts = {}, { preview = false } = {}) {
    const run = (name, inputs) => this.run(this.graphFor(name, face), inputs);
    const { wPlus, feature } = await applyEdits(this.table, amounts, face, run);
    return run(preview ? "preview" : "render", { feature, w_plus: wPlus });
  }

  /** The bytes of a file of the edited face, of the level and with the layers that the face has. */
  async encode(face, amounts = {}) {
    const { level } = face;
    const edited = await applyEdits(this.table, amounts, face, this.run);
    const scn = this.latents.encodeStyles(await this.run("encode_styles", { w_plus: edited.wPlus }), level);
    let fcn = null;
    if (face.feature !== face.featureS) {
      const wPlus = this.latents.styles(scn, level);
      const featureS = await this.run("features", { w_plus: Float32Array.from(wPlus) });
      const inputs = { feature: edited.feature, feature_s: featureS, level: Float32Array.of(level) };
      fcn = this.latents.encodeFeatures(await this.run("encode_features", inputs), wPlus, level);
    }
    return pack({ modelId: this.model.code, level, scn, fcn });
  }
}

/** (3, px, px) in [-1, 1] to RGBA bytes, rounded as the Python decoder does. */
export function toRgba(picture) {
  const area = picture.length / 3;
  const rgba = new Uint8ClampedArray(4 * area);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = (picture[c * area + i] + 1) * 127.5;
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}
