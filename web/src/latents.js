/**
 * The two layers' symbols to S^ and y_hat, and back, bit for bit as the Python decoder's:
 * hsc/latent_codecs and hsc/generators/mobilestylegan/exact_features.py.
 */
import { unpack } from "./container.js";
import { conv, depthwise, inverseHaar, leaky, linear, snap, snapWeights } from "./exact.js";
import { encodeSymbols, MAX_SYMBOL, SymbolReader } from "./rans.js";

export const STYLES = 23;
export const STYLE_DIM = 512;
const SLICES = [8, 12, 20, 32, 56];
const CHECKERED = 2;
const LATENT_PX = 16;
const AREA = LATENT_PX * LATENT_PX;
const LATENT_CHANNELS = 128;
const ENHANCED_ABOVE = 5; // the level above which files have the enhancement slice
export const BASE_SIZE = LATENT_CHANNELS * AREA;
export const WHOLE_SIZE = 2 * BASE_SIZE; // with the enhancement slice
const PRIOR_SLOPE = 0.25;
const MIN_LOG2_SCALE = -4;
const STEPS_PER_OCTAVE = 4;
const NUM_SCALES = 40;

/** Passes in coding order: a slice's channels, and which squares of the checkerboard. */
const PASSES = (() => {
  const passes = [];
  let start = 0;
  SLICES.forEach((channels, slice) => {
    for (const parity of slice < CHECKERED ? [0, 1] : [null]) passes.push({ start, channels, parity });
    start += channels;
  });
  return passes;
})();

export const isEnhanced = (level) => level > ENHANCED_ABOVE;

/** The level at which the base slices of a file of a level are coded. */
export const baseLevel = (level) => Math.min(level, ENHANCED_ABOVE);

const sizeOf = (level) => (isEnhanced(level) ? WHOLE_SIZE : BASE_SIZE);

const cellsOf = ({ parity }) =>
  [...Array(AREA).keys()].filter(
    (at) => parity === null || ((at >> 4) + (at & 15)) % 2 === parity,
  );

/** log2 of the gains at a level: linear between the rows of the six named levels. */
function log2GainAt(table, channels, level) {
  const low = Math.min(Math.trunc(level) - 1, 4);
  const t = level - 1 - low;
  const gains = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const a = table[low * channels + c];
    gains[c] = a + t * (table[(low + 1) * channels + c] - a);
  }
  return snap(gains, 6);
}

function scaleIndex(log2Scale) {
  const index = Math.floor((log2Scale - MIN_LOG2_SCALE) * STEPS_PER_OCTAVE + 0.5);
  return Math.min(NUM_SCALES - 1, Math.max(0, index));
}

const rounded = (x) => Math.min(MAX_SYMBOL, Math.max(-MAX_SYMBOL, Math.round(x)));

/** A change of the last styles, or of all, which ends a layer: hsc/latent_codecs/fine_styles.py. */
class FineStyles {
  /** @param {Tensors} tensors @param {string} layer "scn" or "fcn" */
  constructor(tensors, layer) {
    const { shape, data } = tensors.get(`${layer}.fine.basis`);
    [this.components] = shape;
    this.basis = data;
    this.log2Gain = Float64Array.from(tensors.get(`${layer}.fine.log2_gain`).data);
  }

  gains(level) {
    return log2GainAt(this.log2Gain, this.components, level);
  }

  /** The table of each symbol. */
  indexes(level) {
    return Array.from(this.gains(level), scaleIndex);
  }

  quantise(y, level) {
    return quantised(y, this.gains(level));
  }

  dequantise(symbols, level) {
    return dequantised(symbols, this.gains(level));
  }

  /** What y adds to w+ (23 x 512). */
  change(y) {
    const size = this.basis.length / this.components;
    const change = new Float32Array(STYLES * STYLE_DIM);
    const last = change.subarray(change.length - size);
    y.forEach((value, k) => {
      if (value) for (let i = 0; i < size; i++) last[i] += value * this.basis[k * size + i];
    });
    return change;
  }
}

/** S^ and y_hat out of the bytes of a file, and into them. */
export class LatentDecoder {
  /** @param {Tensors} tensors of the pack `semantics`, which is enough for SCN. */
  constructor(tensors) {
    const get = (name) => tensors.get(name).data;
    const sizes = get("tables.sizes");
    const longest = tensors.get("tables.cdfs").shape[1];
    this.tables = {
      cdfs: [...sizes].map((size, i) => get("tables.cdfs").slice(i * longest, i * longest + size)),
      offsets: get("tables.offsets"),
    };
    this.scnGain = Float64Array.from(get("scn.log2_gain"));
    this.components = tensors.get("scn.log2_gain").shape[1];
    this.scnMean = snapWeights(get("scn.mean"));
    this.scnG = snapWeights(get("scn.g_s"));
    this.fineS = new FineStyles(tensors, "scn");
    this.semantics = tensors;
    this.hasFeatures = false;
  }

  /** @param {Tensors} features the pack of that name, without which FCN cannot be decoded. */
  addFeatures(features) {
    if (this.hasFeatures) return;
    const tensors = { // FCN's prior, and the generator's first blocks
      get: (name) => (features.has(name) ? features : this.semantics).get(name),
      has: (name) => features.has(name) || this.semantics.has(name),
    };
    const get = (name) => tensors.get(name).data;
    const layer = (name) => {
      const { shape, data } = tensors.get(`${name}.weight`);
      return { weight: snapWeights(data), bias: snapWeights(get(`${name}.bias`)), size: shape.at(-1) };
    };
    const dense = (name) => ({ weight: snapWeights(get(`${name}.weight`)), bias: snapWeights(get(`${name}.bias`)) });
    this.featureStd = get("fcn.feature_std");
    this.fcnGain = Float64Array.from(get("fcn.log2_gain"));
    this.context = [layer("fcn.prior.context.conv1"), layer("fcn.prior.context.conv2")];
    this.networks = PASSES.map((_, i) =>
      ["conv1", "conv2", "conv3"].map((name) => layer(`fcn.prior.networks.${i}.${name}`)),
    );
    this.enhancementGain = Float64Array.from(get("fcn.enhancement.log2_gain"));
    this.fine = new FineStyles(tensors, "fcn");
    this.scales = ["conv1", "conv2", "conv3"].map((name) => layer(`fcn.enhancement.scales.${name}`));
    const styled = (name) => ({
      style: dense(`synthesis.${name}.modulation.affine`),
      depthwise: tensors.has(`synthesis.${name}.depthwise.weight`)
        ? snapWeights(get(`synthesis.${name}.depthwise.weight`))
        : null,
      conv: layer(`synthesis.${name}.conv`),
      noise: snapWeights(get(`synthesis.${name}.noise`)),
    });
    this.constant = snap(Float64Array.from(get("synthesis.const")));
    this.conv1 = styled("conv1");
    this.blocks = [8, 16].map((px) => ({
      px,
      up: dense(`synthesis.blocks.${px}.up.affine`),
      conv1: styled(`blocks.${px}.conv1`),
      conv2: styled(`blocks.${px}.conv2`),
    }));
    this.hasFeatures = true;
  }

  /**
   * @param {Uint8Array} file
   * @returns {{wPlus: Float64Array, fineS: Float64Array, yHat: Float64Array|null,
   *   fine: Float64Array|null, level: number, modelId: number}} S^ (23 x 512) and y_hat (128 x 16 x
   *   16, or 256 x 16 x 16 above level 5), each with its layer's fine styles; null where there is no
   *   FCN layer.
   * @throws {BitstreamError} the bytes are no readable file.
   */
  decode(file, { allowCut = false, layers = "scn+fcn" } = {}) {
    const { scn, fcn, level, modelId } = unpack(file, { allowCut });
    const { y, fineS } = this.decodeComponents(scn, level);
    const wPlus = this.styles(y);
    const whole = fcn && layers !== "scn" ? this.features(fcn, wPlus, level) : { yHat: null, fine: null };
    return { wPlus, fineS, ...whole, level, modelId };
  }

  /** The SCN layer of y (256), the components of w+, and of the fine styles of S alone (64). */
  encodeStyles(y, fineS, level) {
    const gains = log2GainAt(this.scnGain, this.components, level);
    const symbols = [...quantised(y, gains), ...this.fineS.quantise(fineS, level)];
    return encodeSymbols(symbols, [...gains.map(scaleIndex), ...this.fineS.indexes(level)], this.tables);
  }

  /** The components of S^, (256), and the fine styles of S alone, (64). */
  decodeComponents(scn, level) {
    const gains = log2GainAt(this.scnGain, this.components, level);
    const indexes = [...gains.map(scaleIndex), ...this.fineS.indexes(level)];
    const symbols = new SymbolReader(scn, this.tables, indexes.length).read(indexes);
    const y = dequantised(symbols, gains);
    return { y, fineS: this.fineS.dequantise(symbols.subarray(gains.length), level) };
  }

  /** S^ of its components, (23 x 512). */
  styles(yHat) {
    const used = [...yHat.keys()].filter((k) => yHat[k] !== 0);
    const wPlus = Float64Array.from(this.scnMean);
    for (let row = 0; row < wPlus.length; row++) {
      let sum = wPlus[row];
      for (const k of used) sum += this.scnG[row * this.components + k] * yHat[k];
      wPlus[row] = sum;
    }
    return snap(wPlus);
  }

  /** y_hat and the fine styles of S and F. */
  features(fcn, wPlus, level) {
    const reader = new SymbolReader(fcn, this.tables, sizeOf(level) + this.fine.components);
    const yHat = this.walk(wPlus, level, (indexes) => reader.read(indexes));
    return { yHat, fine: this.fine.dequantise(reader.read(this.fine.indexes(level)), level) };
  }

  /** The FCN layer of y (as many channels as y_hat has) and of the fine styles (64), given S^. */
  encodeFeatures(y, fine, wPlus, level) {
    const symbols = new Int32Array(sizeOf(level) + this.fine.components);
    const tables = new Uint8Array(symbols.length);
    let n = 0;
    this.walk(wPlus, level, (indexes, meanAndGain) => {
      tables.set(indexes, n);
      return Int32Array.from(indexes, (_, i) => {
        const { at, mean, gain } = meanAndGain(i);
        return (symbols[n++] = rounded((y[at] - mean) * gain));
      });
    });
    symbols.set(this.fine.quantise(fine, level), n);
    tables.set(this.fine.indexes(level), n);
    return encodeSymbols(symbols, tables, this.tables);
  }

  /**
   * Visit the passes in coding order, as both directions do.
   *
   * @param {(indexes: number[], meanAndGain: (i: number) => Object) => Int32Array} symbolsOf a
   *   pass's symbols, given the table of each, and for the i-th its place, mean and gain.
   */
  walk(wPlus, level, symbolsOf) {
    const base = baseLevel(level);
    const gains = log2GainAt(this.fcnGain, LATENT_CHANNELS, base);
    const [gain, step] = stepsOf(gains);
    let context = this.semanticContext(wPlus);
    for (const layer of this.context) {
      context = snap(leaky(snap(conv(context, layer, LATENT_PX)), PRIOR_SLOPE));
    }
    const yHat = new Float64Array(sizeOf(level));
    PASSES.forEach((pass, number) => {
      const { start, channels, parity } = pass;
      const known = parity === 1 ? start + channels : start;
      // means, then log2 scales
      const parameters = predicted(this.networks[number], context, yHat.subarray(0, known * AREA), base);
      const cells = cellsOf(pass);
      const indexes = [];
      for (let c = 0; c < channels; c++) {
        for (const cell of cells) {
          indexes.push(scaleIndex(parameters[(channels + c) * AREA + cell] + gains[start + c]));
        }
      }
      const symbols = symbolsOf(indexes, (i) => {
        const c = Math.floor(i / cells.length);
        const cell = cells[i % cells.length];
        return { at: (start + c) * AREA + cell, mean: parameters[c * AREA + cell], gain: gain[start + c] };
      });
      for (let c = 0, i = 0; c < channels; c++) {
        for (const cell of cells) {
          const value = parameters[c * AREA + cell] + symbols[i++] * step[start + c];
          yHat[(start + c) * AREA + cell] = value;
        }
      }
      snap(yHat.subarray(start * AREA, (start + channels) * AREA));
    });
    if (isEnhanced(level)) this.enhance(yHat, context, level, symbolsOf);
    return yHat;
  }

  /** The pass of the enhancement slice, given y_hat of the others: means are zero. */
  enhance(yHat, context, level, symbolsOf) {
    const gains = log2GainAt(this.enhancementGain, LATENT_CHANNELS, level);
    const [gain, step] = stepsOf(gains);
    const scales = predicted(this.scales, context, yHat.subarray(0, BASE_SIZE), level);
    const indexes = Array.from(scales, (scale, i) => scaleIndex(scale + gains[Math.floor(i / AREA)]));
    const symbols = symbolsOf(indexes, (i) => (
      { at: BASE_SIZE + i, mean: 0, gain: gain[Math.floor(i / AREA)] }
    ));
    symbols.forEach((symbol, i) => {
      yHat[BASE_SIZE + i] = symbol * step[Math.floor(i / AREA)];
    });
    snap(yHat.subarray(BASE_SIZE));
  }

  /** G_16(S^): (512, 16, 16). */
  semanticContext(wPlus) {
    const style = (index) => wPlus.subarray(index * STYLE_DIM, (index + 1) * STYLE_DIM);
    let x = styledConv(this.constant, this.conv1, style(0), 4);
    this.blocks.forEach(({ px, up, conv1, conv2 }, index) => {
      const first = 1 + 3 * index;
      x = snap(inverseHaar(snap(modulated(x, up, style(first))), px / 2));
      x = styledConv(x, conv1, style(first + 1), px);
      x = styledConv(x, conv2, style(first + 2), px);
    });
    return x;
  }
}

/** Symbols of components of S or of fine styles. */
function quantised(y, gains) {
  return Int32Array.from(gains, (gain, k) => rounded(y[k] * 2 ** gain));
}

/** Components of S^ or of fine styles. */
function dequantised(symbols, gains) {
  const [, step] = stepsOf(gains);
  return snap(step.map((s, k) => symbols[k] * s), 12);
}

/** Gains and quantiser steps of log2 of gains. */
function stepsOf(gains) {
  return [1, -1].map((sign) => snap(gains.map((g) => 2 ** (sign * g)), 20));
}

/** What a network of the prior says of a pass, given the context and the channels known. */
function predicted([first, second, third], context, known, level) {
  const inputs = new Float64Array(context.length + known.length + AREA);
  inputs.set(context);
  inputs.set(known, context.length);
  inputs.fill((level - 1) / 5, context.length + known.length);
  let h = snap(leaky(snap(conv(snap(inputs), first, LATENT_PX)), PRIOR_SLOPE));
  h = snap(leaky(snap(conv(h, second, LATENT_PX)), PRIOR_SLOPE));
  return snap(conv(h, third, LATENT_PX));
}

function modulated(x, affine, style) {
  const factors = snap(linear(style, affine));
  const area = x.length / factors.length;
  const y = new Float64Array(x.length);
  for (let c = 0; c < factors.length; c++) {
    for (let i = c * area; i < (c + 1) * area; i++) y[i] = x[i] * factors[c];
  }
  return y;
}

function styledConv(x, layer, style, px) {
  let h = snap(modulated(x, layer.style, style));
  if (layer.depthwise) h = snap(depthwise(h, layer.depthwise, px), 14);
  const y = conv(h, layer.conv, px);
  const area = px * px;
  for (let i = 0; i < y.length; i++) y[i] += layer.noise[i % area];
  snap(y, 16);
  for (let i = 0; i < y.length; i++) if (y[i] < 0) y[i] *= 0.2;
  return snap(y);
}
