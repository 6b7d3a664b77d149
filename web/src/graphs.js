/** The ONNX graphs on one runtime. Their weights lie in packs, which several graphs share. */
import { STYLES, STYLE_DIM } from "./latents.js";

const SHAPES = {
  w_plus: [1, STYLES, STYLE_DIM],
  edited_w_plus: [1, STYLES, STYLE_DIM],
  y_hat: [1, 256, 16, 16],
  level: [1],
  enhanced: [1],
  change: [1],
};
const FEATURE = [1, 512, 32, 32];

export class Graphs {
  /**
   * @param {object} ort the ONNX runtime.
   * @param {Library} library where graphs and packs are from.
   * @param {string[]} providers what computes: "wasm", "webgpu".
   */
  constructor(ort, library, providers = ["wasm"]) {
    Object.assign(this, { ort, library, providers });
    this.sessions = new Map();
    this.turn = Promise.resolve();
  }

  has(name) {
    return name in this.library.manifest.graphs;
  }

  session(name) {
    if (!this.sessions.has(name)) this.sessions.set(name, this.create(name));
    return this.sessions.get(name);
  }

  /** One after the other: a runtime has one place for files of weights. */
  create(name) {
    const created = this.turn.then(async () => {
      const packs = this.library.manifest.graphs[name];
      const externalData = await Promise.all(
        packs.map(async (path) => ({ path, data: (await this.library.pack(path)).file })),
      );
      const graphs = await this.library.pack("graphs");
      const options = { executionProviders: this.providers, externalData };
      return this.ort.InferenceSession.create(graphs.bytes(name), options);
    });
    this.turn = created.catch(() => {});
    return created;
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

  async release() {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) await (await session).release();
  }
}
