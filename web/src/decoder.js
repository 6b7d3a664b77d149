/** The whole decoder: bytes to latents, edits, pictures, and edited bytes. Knows no page. */
import { BitstreamError } from "./errors.js";
import { morph } from "./blend.js";
import { applyEdits, EditTable } from "./edits.js";
import { pack, unpack } from "./container.js";
import { baseLevel, BASE_SIZE, isEnhanced, LatentDecoder, WHOLE_SIZE } from "./latents.js";

/** A face whose bits have been read. */
class Face {
  constructor(parts) {
    Object.assign(this, parts);
  }
}

export class Decoder {
  /**
   * @param {Library} library the exported weights, with its manifest.
   * @param {Graphs} graphs on the runtime that draws. Others may take their place as `graphs`; where
   *   they fail, these take over again.
   */
  constructor(library, graphs) {
    this.library = library;
    this.graphs = graphs;
    this.safe = graphs;
    this.onFallback = () => {};
    this.model = library.manifest.model;
  }

  /** Load what a face of SCN alone needs; the rest is loaded when it is first needed. */
  async load() {
    const [semantics] = await Promise.all(["semantics", "graphs"].map((name) => this.library.pack(name)));
    this.latents = new LatentDecoder(semantics);
    return this;
  }

  /** Begin to load what a file needs beyond that. */
  prefetch(file) {
    if (unpack(file, { allowCut: true }).fcn) this.library.pack("features").catch(() => {});
  }

  run = async (name, inputs) => {
    const { graphs } = this;
    try {
      return await graphs.run(name, inputs);
    } catch (error) {
      if (graphs === this.safe) throw error;
      console.warn(error);
      this.graphs = this.safe;
      this.onFallback();
      return this.safe.run(name, inputs);
    }
  };

  async features() {
    this.latents.addFeatures(await this.library.pack("features"));
  }

  /** The feature map and styles of the edited face. */
  async edited(face, amounts, run) {
    if (!Object.values(amounts).some(Boolean)) return face;
    this.table ??= new EditTable(this.library.manifest.edits, await this.library.pack("edits"));
    return applyEdits(this.table, amounts, face, run);
  }

  /** The graph for a face: semantics alone may have one of their own. */
  graphFor(name, face) {
    const own = `${name}_semantics`;
    return face.feature === face.featureS && this.graphs.has(own) ? own : name;
  }

  /**
   * Read the bits of a file.
   *
   * @returns {Promise<Face>} whose `featureS` and `feature` are maps (512 x 32 x 32); they are the
   *   same object where the file, or what is left of it, has no FCN layer. `wPlus` is S^ and the
   *   `change` that the fine styles of what is drawn make.
   * @throws {BitstreamError} the bytes are no readable file of this model.
   */
  async open(file, { layers = "scn+fcn" } = {}) {
    if (layers !== "scn" && unpack(file).fcn) await this.features();
    const decoded = this.latents.decode(file, { allowCut: layers === "scn", layers });
    if (decoded.modelId !== this.model.code) {
      const hex = (code) => code.toString(16).padStart(4, "0");
      throw new BitstreamError(
        `this file was made with model ${hex(decoded.modelId)}, but model ` +
          `${hex(this.model.code)} is loaded: decode it with the version that wrote it.`,
      );
    }
    const { level, fineS, fine } = decoded;
    const semantics = Float32Array.from(decoded.wPlus);
    const change = fine ? this.latents.fine.change(fine) : this.latents.fineS.change(fineS);
    const wPlus = semantics.map((value, i) => value + change[i]);
    // those of S and F change no style below the feature map
    const featureS = await this.run("features", { w_plus: wPlus });
    const feature = decoded.yHat ? await this.restore(decoded.yHat, featureS, level) : featureS;
    return new Face({ level, wPlus, change, featureS, feature, fineS, fine });
  }

  /** The face a part of the way, 0 to 1, from one to another. */
  morph = async (a, b, t) => {
    await this.features();
    return new Face({ level: a.level, ...(await morph(a, b, t, this.latents.featureStd, this.run)) });
  };

  /** Float32Array (3, px, px) in [-1, 1]: 1024 px, or 256 for a preview. */
  async render(face, amounts = {}, { preview = false } = {}) {
    const run = (name, inputs) => this.run(this.graphFor(name, face), inputs);
    const { wPlus, feature } = await this.edited(face, amounts, run);
    return run(preview ? "preview" : "render", { feature, w_plus: wPlus });
  }

  /** The bytes of a file of the edited face, of the level and with the layers that the face has. */
  async encode(face, amounts = {}) {
    const { level } = face;
    const edited = await this.edited(face, amounts, this.run);
    const semantics = edited.wPlus.map((value, i) => value - face.change[i]);
    const components = await this.run("encode_styles", { w_plus: semantics });
    const scn = this.latents.encodeStyles(components, face.fineS, level);
    let fcn = null;
    if (face.feature !== face.featureS) {
      const wPlus = this.latents.styles(this.latents.decodeComponents(scn, level).y);
      const featureS = await this.run("features", { w_plus: Float32Array.from(wPlus) });
      const analysed = (feature) => this.run("encode_features", {
        feature,
        feature_s: featureS,
        level: Float32Array.of(baseLevel(level)),
        enhanced: Float32Array.of(isEnhanced(level) ? 1 : 0),
      });
      const y = await analysed(edited.feature);
      if (isEnhanced(level)) {
        // the enhancement slice holds what the base slices do not draw
        const base = y.slice().fill(0, BASE_SIZE);
        const coded = this.latents.encodeFeatures(base, face.fine, wPlus, level);
        const { yHat } = this.latents.features(coded, wPlus, level);
        const drawn = await this.restore(yHat, featureS, level);
        const there = await analysed(drawn);
        for (let i = BASE_SIZE; i < WHOLE_SIZE; i++) y[i] -= there[i];
      }
      fcn = this.latents.encodeFeatures(y, face.fine, wPlus, level);
    }
    return pack({ modelId: this.model.code, level, scn, fcn });
  }

  /** F^ of a file's latent. */
  restore(yHat, featureS, level) {
    const whole = new Float32Array(WHOLE_SIZE); // without an enhancement slice it is zero
    whole.set(yHat);
    const at = Float32Array.of(baseLevel(level));
    return this.run("restore", { y_hat: whole, feature_s: featureS, level: at });
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
