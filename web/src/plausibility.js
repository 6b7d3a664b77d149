/**
 * How far edits may go together: hsc/editing/plausibility.py in the browser. In the feature map of a
 * face that melts, channels vary more over the picture than in faces the generator makes by itself.
 */
const AREA = 32 * 32;
const SHARES = [0, 0.25, 0.5, 0.75, 1];
const FREE = 2;
const ROOM = 0.6;
const GIVE = 0.4;

/** Of one channel; the deviation is the unbiased one. */
export function meanAndDeviation(values) {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return [mean, Math.sqrt(squares / (values.length - 1))];
}

export class Plausibility {
  /** @param {ArrayLike<number>} mean and spread of each channel's deviation over faces. */
  constructor(mean, spread) {
    Object.assign(this, { mean, spread });
  }

  /** How unlike the generator's own faces a feature map is: about 1 for those. */
  departure(feature) {
    let squares = 0;
    for (let c = 0; c < this.mean.length; c++) {
      const [, deviation] = meanAndDeviation(feature.subarray(c * AREA, (c + 1) * AREA));
      squares += ((deviation - this.mean[c]) / this.spread[c]) ** 2;
    }
    return Math.sqrt(squares / this.mean.length);
  }

  /**
   * The share of an edit to carry out on a face.
   *
   * @param {Float32Array} featureS of the face as it is.
   * @param {(share: number) => Promise<Float32Array>} features of a share of the edit.
   */
  async share(featureS, features) {
    const before = this.departure(featureS);
    const asked = this.departure(await features(1));
    const limit = Math.max(FREE, before + ROOM);
    if (asked <= limit) return 1;
    const between = [];
    for (const share of SHARES.slice(1, -1)) between.push(this.departure(await features(share)));
    return shareWithin(limit, [before, ...between, asked]);
  }
}

/** The share whose departure is not far beyond a limit; `departures` are those at each of SHARES. */
export function shareWithin(limit, departures) {
  const asked = departures.at(-1);
  if (asked <= limit) return 1;
  const target = limit + GIVE * (1 - Math.exp(-(asked - limit) / GIVE));
  for (let i = SHARES.length - 1; i > 0; i--) {
    const [low, high] = [departures[i - 1], departures[i]];
    if (low <= target) return SHARES[i - 1] + ((target - low) / (high - low)) * (SHARES[i] - SHARES[i - 1]);
  }
  return 0;
}
