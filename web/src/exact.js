/**
 * Arithmetic that gives the same bits as hsc/numerics/exact.py: weights and activations lie on
 * binary grids, and no sum needs more than the 53 bits of a JavaScript number, so the order of
 * additions does not matter. Maps are Float64Array in the order channel, row, column.
 */
export const ACTIVATION_BITS = 10;
export const WEIGHT_BITS = 14;
const ACTIVATION_LIMIT = 2 ** 11;
const WEIGHT_LIMIT = 2 ** 4;

/** Round half up to multiples of 2**-bits, clamped to +-limit; in place. */
export function snap(x, bits = ACTIVATION_BITS, limit = ACTIVATION_LIMIT) {
  const scale = 2 ** bits;
  for (let i = 0; i < x.length; i++) {
    const v = x[i] < -limit ? -limit : x[i] > limit ? limit : x[i];
    x[i] = Math.floor(v * scale + 0.5) / scale;
  }
  return x;
}

export const snapWeights = (x) => snap(Float64Array.from(x), WEIGHT_BITS, WEIGHT_LIMIT);

/** Leaky ReLU, in place. */
export function leaky(x, slope) {
  for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] *= slope;
  return x;
}

/**
 * A 1x1 or 3x3 convolution with zero padding: (C_in, px, px) -> (C_out, px, px), not snapped.
 *
 * Maps are padded, so that a shifted map is the same run of numbers from another start, and four
 * products are added at a time: long plain loops are what engines compile well.
 */
export function conv(x, { weight, bias, size }, px) {
  const reach = (size - 1) / 2;
  const wide = px + 2 * reach;
  const inputs = x.length / (px * px);
  const plane = wide * (wide + 1); // a row more, which runs from the last start reach into
  const padded = reach ? pad(x, px, wide, plane) : x;
  const stride = reach ? plane : px * px;
  const run = px * wide;
  const taps = size * size;
  const outputs = bias.length;
  const y = new Float64Array(outputs * px * px);
  const sums = new Float64Array(run);
  const starts = new Int32Array(inputs * taps);
  for (let i = 0, n = 0; i < inputs; i++) {
    for (let ky = 0; ky < size; ky++) {
      for (let kx = 0; kx < size; kx++) starts[n++] = i * stride + ky * wide + kx;
    }
  }
  const terms = starts.length;
  for (let o = 0; o < outputs; o++) {
    sums.fill(bias[o]);
    const first = o * terms;
    let n = 0;
    for (; n + 3 < terms; n += 4) {
      const w0 = weight[first + n], w1 = weight[first + n + 1];
      const w2 = weight[first + n + 2], w3 = weight[first + n + 3];
      const s0 = starts[n], s1 = starts[n + 1], s2 = starts[n + 2], s3 = starts[n + 3];
      for (let p = 0; p < run; p++) {
        sums[p] += w0 * padded[s0 + p] + w1 * padded[s1 + p] + w2 * padded[s2 + p] + w3 * padded[s3 + p];
      }
    }
    for (; n < terms; n++) {
      const w = weight[first + n], s = starts[n];
      for (let p = 0; p < run; p++) sums[p] += w * padded[s + p];
    }
    for (let row = 0; row < px; row++) {
      y.set(sums.subarray(row * wide, row * wide + px), (o * px + row) * px);
    }
  }
  return y;
}

/** Every (px, px) map with a border of zeros, `wide` a row and `plane` a map. */
function pad(x, px, wide, plane) {
  const maps = x.length / (px * px);
  const edge = (wide - px) / 2;
  const padded = new Float64Array(maps * plane);
  for (let c = 0; c < maps; c++) {
    for (let row = 0; row < px; row++) {
      const from = (c * px + row) * px;
      padded.set(x.subarray(from, from + px), c * plane + (row + edge) * wide + edge);
    }
  }
  return padded;
}

/** A 3x3 depthwise convolution with zero padding, not snapped. */
export function depthwise(x, weight, px) {
  const area = px * px;
  const y = new Float64Array(x.length);
  for (let c = 0; c < x.length / area; c++) {
    for (let ky = -1; ky <= 1; ky++) {
      for (let kx = -1; kx <= 1; kx++) {
        const w = weight[c * 9 + (ky + 1) * 3 + kx + 1];
        for (let row = Math.max(0, -ky); row < Math.min(px, px - ky); row++) {
          const a = c * area + row * px;
          const b = a + ky * px + kx;
          for (let col = Math.max(0, -kx); col < Math.min(px, px - kx); col++) y[a + col] += w * x[b + col];
        }
      }
    }
  }
  return y;
}

/** (4C, px, px) -> (C, 2 px, 2 px): the first C channels are the low band, the rest C groups of
 * (lh, hl, hh), as hsc/generators/mobilestylegan/haar.py has them. Not snapped. */
export function inverseHaar(x, px) {
  const area = px * px;
  const channels = x.length / area / 4;
  const y = new Float64Array(x.length);
  const wide = 2 * px;
  for (let c = 0; c < channels; c++) {
    const details = (channels + 3 * c) * area;
    for (let row = 0; row < px; row++) {
      for (let col = 0; col < px; col++) {
        const at = row * px + col;
        const ll = x[c * area + at];
        const lh = x[details + at];
        const hl = x[details + area + at];
        const hh = x[details + 2 * area + at];
        const to = c * 4 * area + 2 * row * wide + 2 * col;
        y[to] = (ll + lh + (hl + hh)) * 0.5;
        y[to + 1] = (ll + lh - (hl + hh)) * 0.5;
        y[to + wide] = (ll - lh + (hl - hh)) * 0.5;
        y[to + wide + 1] = (ll - lh - (hl - hh)) * 0.5;
      }
    }
  }
  return y;
}

/** Affine map of one vector: (n,) -> (m,), not snapped. */
export function linear(x, { weight, bias }) {
  const y = Float64Array.from(bias);
  for (let o = 0; o < y.length; o++) {
    let sum = y[o];
    for (let i = 0; i < x.length; i++) sum += weight[o * x.length + i] * x[i];
    y[o] = sum;
  }
  return y;
}
