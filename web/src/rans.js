/**
 * The rANS streams that the layers are coded with, read and written: 16-bit probabilities, a 64-bit
 * state, 32-bit words; see docs/format.md.
 */
import { BitstreamError } from "./errors.js";

export const MAX_SYMBOL = 2 ** 15;
const LOWER = 1n << 31n;
const BYPASS_BITS = 4n;
const BYPASS_MAX = 15;
const STATE_BYTES = 8;

/** A stream begins with the state, of which up to three zero top bytes were dropped. */
function words(stream) {
  const dropped = (4 - (stream.length % 4)) % 4;
  const used = 8 - dropped;
  if (stream.length < used) {
    throw new BitstreamError(
      `A layer of ${stream.length} bytes is too short to hold any symbol; ` +
        "encode the picture again.",
    );
  }
  const whole = new Uint8Array(stream.length + dropped);
  whole.set(stream.slice(0, used));
  whole.set(stream.slice(used), used + dropped);
  const view = new DataView(whole.buffer);
  return Array.from({ length: whole.length / 4 }, (_, i) => BigInt(view.getUint32(4 * i, true)));
}

/** Reads a stream in as many steps as the caller likes. Past its end there are zeros. */
export class SymbolReader {
  /**
   * @param {Uint8Array} stream
   * @param {{cdfs: Int32Array[], offsets: Int32Array}} tables
   * @param {number} count symbols that the stream holds.
   */
  constructor(stream, tables, count) {
    this.tables = tables;
    this.remaining = count;
    this.words = stream.length && count ? words(stream) : null;
    if (this.words) {
      this.state = this.words[0] | (this.words[1] << 32n);
      this.at = 2;
    }
  }

  renormalise() {
    if (this.state < LOWER) this.state = (this.state << 32n) | (this.words[this.at++] ?? 0n);
  }

  bits() {
    const value = Number(this.state & 15n);
    this.state >>= BYPASS_BITS;
    this.renormalise();
    return value;
  }

  /** The next symbols, one for each index of a table. */
  read(indexes) {
    if (indexes.length && !this.words) {
      throw new BitstreamError(
        `A layer is empty where ${this.remaining} symbols were expected; encode the picture again.`,
      );
    }
    this.remaining -= indexes.length;
    const symbols = new Int32Array(indexes.length);
    for (let i = 0; i < indexes.length; i++) symbols[i] = this.one(indexes[i]);
    return symbols;
  }

  one(index) {
    const cdf = this.tables.cdfs[index];
    const cumulative = Number(this.state & 0xffffn);
    let low = 0;
    let high = cdf.length - 1; // cdf[low] <= cumulative < cdf[high]
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (cdf[middle] <= cumulative) low = middle;
      else high = middle;
    }
    const frequency = cdf[low + 1] - cdf[low];
    this.state = BigInt(frequency) * (this.state >> 16n) + BigInt(cumulative - cdf[low]);
    this.renormalise();
    let value = low;
    const last = cdf.length - 2;
    if (value === last) value = this.outOfRange(last);
    const symbol = value + this.tables.offsets[index];
    if (Math.abs(symbol) > MAX_SYMBOL) {
      throw new BitstreamError(
        "A layer decodes to impossible values: the file is damaged or was made by another model; " +
          "get the file again.",
      );
    }
    return symbol;
  }

  /** A value beyond the table: how many nibbles, then the nibbles, the lowest first. */
  outOfRange(last) {
    let value = this.bits();
    let nibbles = value;
    while (value === BYPASS_MAX) {
      value = this.bits();
      nibbles += value;
    }
    let raw = 0n;
    for (let j = 0; j < nibbles; j++) raw |= BigInt(this.bits()) << BigInt(4 * (j % 8));
    const signed = Number(BigInt.asIntN(32, raw));
    const half = signed >> 1;
    return signed & 1 ? -half - 1 : half + last;
  }
}

/**
 * All symbols in one stream: the bytes that `SymbolReader` reads.
 *
 * @param {Int32Array} symbols magnitudes up to 2**15; three at least.
 * @param {ArrayLike<number>} indexes which table codes each symbol.
 * @param {{cdfs: Int32Array[], offsets: Int32Array}} tables
 * @returns {Uint8Array}
 */
export function encodeSymbols(symbols, indexes, tables) {
  const writer = new Writer();
  for (let i = symbols.length - 1; i >= 0; i--) { // the last in is the first out
    const cdf = tables.cdfs[indexes[i]];
    const last = cdf.length - 2;
    let value = symbols[i] - tables.offsets[indexes[i]];
    if (value < 0 || value >= last) {
      writer.outOfRange(value < 0 ? -2 * value - 1 : 2 * (value - last));
      value = last;
    }
    writer.put(cdf[value], cdf[value + 1] - cdf[value]);
  }
  return writer.finish();
}

class Writer {
  state = LOWER;
  words = []; // the last comes first in the stream

  put(start, frequency) {
    const size = BigInt(frequency);
    this.renormalise((LOWER >> 16n << 32n) * size);
    this.state = ((this.state / size) << 16n) + (this.state % size) + BigInt(start);
  }

  renormalise(limit) {
    if (this.state < limit) return;
    this.words.push(Number(this.state & 0xffffffffn));
    this.state >>= 32n;
  }

  bits(value) {
    this.renormalise((LOWER >> 16n << 32n) << (16n - BYPASS_BITS));
    this.state = (this.state << BYPASS_BITS) | BigInt(value);
  }

  /** As the reader reads it, backwards: the nibbles from the highest, then how many. */
  outOfRange(raw) {
    const nibbles = [];
    for (let rest = raw; rest; rest = Math.floor(rest / 16)) nibbles.push(rest % 16);
    for (const nibble of nibbles.reverse()) this.bits(nibble);
    this.bits(nibbles.length); // five at most
  }

  finish() {
    const words = [this.state & 0xffffffffn, this.state >> 32n].map(Number).concat(this.words.reverse());
    const bytes = new Uint8Array(4 * words.length);
    const view = new DataView(bytes.buffer);
    words.forEach((word, i) => view.setUint32(4 * i, word, true));
    let used = STATE_BYTES;
    while (used > STATE_BYTES - 3 && !bytes[used - 1]) used--;
    return Uint8Array.from([...bytes.subarray(0, used), ...bytes.subarray(STATE_BYTES)]);
  }
}
