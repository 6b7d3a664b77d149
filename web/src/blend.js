/** Two faces into one: `Blender.morph` of hsc/editing/blend.py in the browser. */
const FALLOFF = 1; // MORPH_FALLOFF
const PX = 32;
const AREA = PX * PX;

/**
 * A part of the way from one face to another: exactly `a` at 0 and `b` at 1.
 *
 * @param {Face} a
 * @param {Face} b
 * @param {number} t 0 to 1.
 * @param {ArrayLike<number>} std of each channel of the feature map over faces.
 * @param {(name: string, inputs: Object) => Promise<Float32Array>} run a graph.
 * @returns {Promise<Object>} what a Face has, but for its level.
 */
export async function morph(a, b, t, std, run) {
  if (t <= 0) return a;
  if (t >= 1) return b;
  const between = (name) => {
    if (!a[name] && !b[name]) return null;
    const [one, other] = [a, b].map((face) => face[name] ?? new Float64Array((a[name] ?? b[name]).length));
    return one.map((value, i) => value + t * (other[i] - value));
  };
  const [wPlus, change, fineS, fine] = ["wPlus", "change", "fineS", "fine"].map(between);
  const featureS = await run("features", { w_plus: wPlus });
  const lent = [];
  for (const [face, weight] of [[a, 1 - t], [b, t]]) {
    if (face.feature === face.featureS) continue;
    const own = face.feature.map((value, i) => value - face.featureS[i]);
    const inputs = { detail: own, before: face.featureS, after: featureS, change: Float32Array.of(FALLOFF) };
    lent.push({ weight, detail: await run("carry", inputs) });
  }
  const styles = { wPlus, change, fineS, fine };
  if (!lent.length) return { ...styles, featureS, feature: featureS };
  const detail = sharedDetail(lent, Math.max(t, 1 - t), std);
  return { ...styles, featureS, feature: featureS.map((value, i) => value + detail[i]) };
}

/** The face of most weight gives its own by its lead; of the mean that in which both agree. */
function sharedDetail(lent, most, std) {
  const lead = most - (1 - most);
  const leader = lent.find(({ weight }) => weight === most)?.detail; // without FCN it has none
  const mean = new Float32Array(lent[0].detail.length);
  for (const { weight, detail } of lent) detail.forEach((value, i) => (mean[i] += weight * value));
  const common = localRms(mean, std).map((rms) => rms ** 2);
  const power = new Float64Array(AREA);
  for (const { weight, detail } of lent) {
    localRms(detail, std).forEach((rms, at) => (power[at] += weight * rms ** 2));
  }
  const agreement = common.map(
    (c, at) => Math.min(1, Math.max(0, (2 * c - power[at]) / (c + 1e-9))) ** 2,
  );
  return mean.map((value, i) => {
    const shared = (1 - lead) * value * agreement[i % AREA];
    return leader ? lead * leader[i] + shared : shared;
  });
}

/** Root mean square over channels, in standard deviations, averaged over 3 x 3 pixels. */
function localRms(map, std) {
  const size = new Float64Array(AREA);
  map.forEach((value, i) => (size[i % AREA] += (value / std[Math.floor(i / AREA)]) ** 2));
  const rms = size.map((sum) => Math.sqrt(sum / std.length));
  const inside = (at) => Math.min(PX - 1, Math.max(0, at)); // the edge is repeated
  return rms.map((_, at) => {
    const [row, col] = [Math.floor(at / PX), at % PX];
    let sum = 0;
    for (let y = row - 1; y <= row + 1; y++) {
      for (let x = col - 1; x <= col + 1; x++) sum += rms[inside(y) * PX + inside(x)];
    }
    return sum / 9;
  });
}
