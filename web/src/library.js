/** The exported weights: the manifest and the packs, each loaded once and when it is first needed. */
import { openPack, Tensors } from "./weights.js";

export class Library {
  /** @param {(file: string) => Promise<Uint8Array>} fetchFile a file of the exported weights. */
  constructor(fetchFile) {
    this.fetchFile = fetchFile;
    this.packs = new Map();
  }

  async load() {
    this.manifest = JSON.parse(new TextDecoder().decode(await this.fetchFile("manifest.json")));
    return this;
  }

  /** @returns {Promise<Tensors>} */
  pack(name) {
    if (!this.packs.has(name)) {
      const opened = this.fetchFile(`${name}.pack`).then(async (bytes) => new Tensors(await openPack(bytes)));
      opened.catch(() => this.packs.delete(name)); // the next one to ask tries again
      this.packs.set(name, opened);
    }
    return this.packs.get(name);
  }
}
