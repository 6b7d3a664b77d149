/**
 * Semantic edits: hsc/editing/table.py and hsc/editing/apply.py in the browser. Directions and the
 * table come from edits.safetensors; what needs the generator runs as graphs.
 */
import { STYLES, STYLE_DIM } from "./latents.js";
import { meanAndDeviation, Plausibility } from "./plausibility.js";

/** In the order in which they are carried out; see DETAIL_FALLOFF in hsc/editing/apply.py. */
const DETAIL_FALLOFF = { turn: 0.7, look: 0.06, move: 0.12 };
const MOST_SPREAD = 1.5;
const HALF = 0.5;

export class EditTable {
  /**
   * @param {Object[]} edits names, ranges, kinds and gains.
   * @param {Tensors} tensors of the pack `edits`.
   */
  constructor(edits, tensors) {
    this.edits = edits;
    this.directions = new Map(
      this.edits.map((edit) => [edit.name, onStyles(tensors.get(edit.name), edit.styles)]),
    );
    this.keepsSkin = tensors.has("skin.where");
    const usual = (name) => tensors.get(`plausibility.${name}`).data;
    this.plausibility = tensors.has("plausibility.mean") ? new Plausibility(usual("mean"), usual("spread")) : null;
  }

  /** What a set of edits adds to w+: Float32Array (23 x 512). */
  offset(amounts, detailWeight) {
    const total = new Float32Array(STYLES * STYLE_DIM);
    for (const edit of this.edits) {
      const amount = amounts[edit.name];
      if (!amount) continue;
      const scale = gain(edit, amount, detailWeight) * amount;
      this.directions.get(edit.name).forEach((value, i) => (total[i] += scale * value));
    }
    return total;
  }

  ofKind(amounts, kind) {
    return Object.fromEntries(
      this.edits
        .filter((edit) => (edit.kind ?? "move") === kind && amounts[edit.name])
        .map((edit) => [edit.name, amounts[edit.name]]),
    );
  }
}

function onStyles({ shape, data }, [first, last]) {
  if (shape.length === 2) return Float32Array.from(data);
  const direction = new Float32Array(STYLES * STYLE_DIM);
  for (let style = first; style <= last; style++) direction.set(data, style * STYLE_DIM);
  return direction;
}

/** What an amount is multiplied by where a file's own detail holds on to the face as it was. */
function gain(edit, amount, detailWeight) {
  const gains = edit.gains ?? [1, 1, 1, 1];
  const [end, atHalf] = amount < 0 ? gains.slice(0, 2) : [gains[3], gains[2]];
  const part = Math.abs(amount) / Math.abs(amount < 0 ? edit.low : edit.high);
  let half = atHalf;
  if (part > HALF) {
    const onTheWay = (part - HALF) / (1 - HALF);
    half = ((1 - onTheWay) * HALF * half + onTheWay * end) / part;
  }
  return 1 + detailWeight * (half - 1);
}

/**
 * The feature map and styles to render from.
 *
 * @param {EditTable} table
 * @param {Object<string, number>} amounts by name; zeros may be among them.
 * @param {{wPlus: Float32Array, featureS: Float32Array, feature: Float32Array}} face `feature` is
 *   `featureS` itself where the file has no FCN layer.
 * @param {(name: string, inputs: Object) => Promise<Float32Array>} run a graph.
 * @returns {Promise<{wPlus: Float32Array, feature: Float32Array}>}
 */
export async function applyEdits(table, amounts, face, run) {
  const asked = Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount));
  if (!Object.keys(asked).length) return { wPlus: face.wPlus, feature: face.feature };
  const detailWeight = face.feature === face.featureS ? 0 : 1;
  const moved = (offset) => face.wPlus.map((value, i) => value + offset[i]);
  const part = (share) => Object.fromEntries(Object.entries(asked).map(([name, amount]) => [name, share * amount]));
  const featuresOf = (share) => run("features", { w_plus: moved(table.offset(part(share), detailWeight)) });
  let edited = await featuresOf(1);
  const share = table.plausibility
    ? await table.plausibility.share(face.featureS, (share) => (share === 1 ? edited : featuresOf(share)))
    : 1;
  if (share === 0) return { wPlus: face.wPlus, feature: face.feature };
  if (share < 1) edited = await featuresOf(share);
  const wanted = part(share);
  const wPlus = moved(table.offset(wanted, detailWeight));
  let feature = edited;
  if (detailWeight) {
    let detail = face.feature.map((value, i) => value - face.featureS[i]);
    let before = face.featureS;
    let done = {};
    for (const [kind, change] of Object.entries(DETAIL_FALLOFF)) {
      const more = table.ofKind(wanted, kind);
      if (!Object.keys(more).length) continue;
      done = { ...done, ...more };
      const all = Object.keys(done).length === Object.keys(wanted).length;
      const after = all
        ? edited
        : await run("features", { w_plus: moved(table.offset(done, detailWeight)) });
      detail = await run("carry", { detail, before, after, change: Float32Array.of(change) });
      before = after;
    }
    feature = edited.map((value, i) => value + detail[i]);
    if (Object.keys(done).length) restoreSpread(face.feature, feature);
  }
  if (table.keepsSkin) {
    feature = await run("skin", {
      feature: face.feature, w_plus: face.wPlus, edited: feature, edited_w_plus: wPlus,
    });
  }
  return { wPlus, feature };
}

/** Give channels that vary less over the map than they did their spread back, in place. */
function restoreSpread(before, after, area = 32 * 32) {
  for (let at = 0; at < after.length; at += area) {
    const [, was] = meanAndDeviation(before.subarray(at, at + area));
    const channel = after.subarray(at, at + area);
    const [mean, is] = meanAndDeviation(channel);
    const lost = Math.min(MOST_SPREAD, Math.max(1, was / Math.max(is, 1e-6)));
    if (lost > 1) channel.forEach((value, i) => (channel[i] = value + (value - mean) * (lost - 1)));
  }
}
