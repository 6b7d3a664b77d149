/** Packs of weights as hsc/export/packs.py writes them: gzip of the even and the odd bytes of a
 * safetensors file, whose tensors become typed arrays of their exact values. */

/** Unpacked; as it is where the host has unpacked it already. */
export async function gunzip(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The safetensors file in a pack. */
export async function openPack(bytes) {
  const planes = await gunzip(bytes);
  const half = planes.length / 2;
  const joined = new Uint8Array(planes.length);
  for (let i = 0; i < half; i++) {
    joined[2 * i] = planes[i];
    joined[2 * i + 1] = planes[half + i];
  }
  return joined;
}

/** The tensors of a safetensors file, read when they are asked for. */
export class Tensors {
  constructor(file) {
    this.file = file;
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const length = Number(view.getBigUint64(0, true));
    this.start = 8 + length;
    this.entries = JSON.parse(new TextDecoder().decode(file.subarray(8, this.start)));
  }

  has(name) {
    return name in this.entries;
  }

  bytes(name) {
    const [first, last] = this.entries[name].data_offsets;
    return this.file.slice(this.start + first, this.start + last);
  }

  /** @returns {{shape: number[], data: ArrayLike<number>}} */
  get(name) {
    const { shape, dtype } = this.entries[name];
    return { shape, data: DTYPES[dtype](this.bytes(name).buffer) };
  }
}

const DTYPES = {
  F32: (bytes) => new Float32Array(bytes),
  F64: (bytes) => new Float64Array(bytes),
  I32: (bytes) => new Int32Array(bytes),
  F16: fromHalves,
};

let halves = null;

function fromHalves(bytes) {
  halves ??= Float64Array.from({ length: 65536 }, (_, bits) => halfToNumber(bits));
  const bits = new Uint16Array(bytes);
  const values = new Float64Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]];
  return values;
}

function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
