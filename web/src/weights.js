/** Reads safetensors: float16, float32 and integers, to typed arrays of their exact values. */
export function readSafetensors(buffer) {
  const view = new DataView(buffer);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [start, end] = entry.data_offsets;
    const bytes = buffer.slice(8 + length + start, 8 + length + end);
    tensors.set(name, { shape: entry.shape, data: DTYPES[entry.dtype](bytes) });
  }
  return { tensors, metadata: header.__metadata__ ?? {} };
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
