/**
 * The .hsc container: the same checks, in the same order and words, as hsc/bitstream/container.py.
 */
import { BitstreamError } from "./errors.js";

const MAGIC = [0x48, 0x53, 0x43]; // "HSC"
export const VERSION = 1;
const STEPS_PER_LEVEL = 50;
const MAX_LEVEL_CODE = 250;
const MAX_SCN_BYTES = 2 ** 14 - 1;
const MAX_FCN_BYTES = 2 ** 16 - 1;
const CRC_SEED = 0xffff;

const FOREIGN = [
  [[0x89, 0x50, 0x4e, 0x47], "a PNG picture"],
  [[0xff, 0xd8, 0xff], "a JPEG picture"],
  [[0x47, 0x49, 0x46, 0x38], "a GIF picture"],
  [[0x52, 0x49, 0x46, 0x46], "a WebP picture"],
];

/** CRC-16/CCITT, polynomial 0x1021, as Python's binascii.crc_hqx. */
export function crc16(bytes, crc) {
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
  }
  return crc;
}

const startsWith = (data, prefix) =>
  data.length >= prefix.length && prefix.every((byte, i) => data[i] === byte);

function checkKind(data) {
  if (!data.length) throw new BitstreamError("The file is empty; expected a .hsc file.");
  const cutMagic = data.length < MAGIC.length && MAGIC.slice(0, data.length).every((b, i) => data[i] === b);
  if (!startsWith(data, MAGIC) && !cutMagic) {
    for (const [magic, kind] of FOREIGN) {
      const webp = String.fromCharCode(...data.slice(8, 12)) === "WEBP";
      if (startsWith(data, magic) && (magic[0] !== 0x52 || webp)) {
        throw new BitstreamError(`This is ${kind}, not a .hsc file; encode it first.`);
      }
    }
    throw new BitstreamError(
      "This is not a .hsc file: it does not begin with the letters HSC.",
    );
  }
  if (data[3] === 0x50) {
    throw new BitstreamError(
      "This is a .hscp file of a whole photograph, not a .hsc file: open it with `hsc photo`.",
    );
  }
  if (data[3] === 0x56) {
    throw new BitstreamError(
      "This is a .hsv sequence, not a .hsc file: give `hsc decode` a name that ends in .hsv.",
    );
  }
  if (data.length > MAGIC.length && data[3] !== VERSION) {
    throw new BitstreamError(
      `This is a .hsc file of version ${data[3]}, and only version ${VERSION} can be read; ` +
        "use the program that wrote it.",
    );
  }
}

const truncated = (data) =>
  new BitstreamError(
    `The file ends inside its header, after ${data.length} bytes; get the whole file again.`,
  );

/** An LEB128 number and the offset after it; only its shortest form is accepted. */
function readVarint(data, at, most, layer) {
  let value = 0;
  for (const shift of [0, 7, 14]) {
    if (at === data.length) throw truncated(data);
    const byte = data[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (value > most || (byte === 0 && shift > 0)) break;
      return [value, at];
    }
  }
  throw new BitstreamError(
    `The file is damaged: its header gives no possible ${layer} length (0 to ${most} bytes); ` +
      "get the file again.",
  );
}

/** The level that a level code says, 1 to 6 in steps of 1/50. */
export const levelOf = (code) => Number((1 + code / STEPS_PER_LEVEL).toFixed(2));

/**
 * Read a .hsc file.
 *
 * @param {Uint8Array} data the whole file.
 * @param {{allowCut?: boolean}} options allowCut: a cut or damaged FCN layer comes back as null.
 * @returns {{modelId: number, level: number, scn: Uint8Array, fcn: Uint8Array|null, headerBytes: number}}
 * @throws {BitstreamError} the bytes are no readable file.
 */
export function unpack(data, { allowCut = false } = {}) {
  checkKind(data);
  let at = 7;
  if (data.length < at) throw truncated(data);
  let scnBytes, fcnBytes;
  [scnBytes, at] = readVarint(data, at, MAX_SCN_BYTES, "SCN");
  [fcnBytes, at] = readVarint(data, at, MAX_FCN_BYTES, "FCN");
  const fields = at;
  const size = at + (fcnBytes ? 4 : 2);
  if (data.length < size) throw truncated(data);
  const crcScn = data[at] | (data[at + 1] << 8);
  const crcFcn = fcnBytes ? data[at + 2] | (data[at + 3] << 8) : null;
  const scnEnd = size + scnBytes;
  const scn = data.slice(size, scnEnd);
  if (scn.length < scnBytes) {
    throw new BitstreamError(
      `The file ends inside its SCN layer, after ${scn.length} of ${scnBytes} bytes; ` +
        "get the whole file again.",
    );
  }
  if (crc16(scn, crc16(data.slice(0, fields), CRC_SEED)) !== crcScn) {
    throw new BitstreamError(
      "The file is damaged: the checksum of its header and SCN layer does not match; " +
        "get the file again.",
    );
  }
  if (data[6] > MAX_LEVEL_CODE) {
    throw new BitstreamError(
      `The file's level code must be at most ${MAX_LEVEL_CODE}, not ${data[6]}; ` +
        "encode the picture again.",
    );
  }
  const extra = data.length - scnEnd - fcnBytes;
  if (extra > 0) {
    throw new BitstreamError(
      `The file goes on for ${extra} bytes after its last layer; get the file again.`,
    );
  }
  const fcn = readFcn(data.slice(scnEnd), fcnBytes, crcScn, crcFcn, allowCut);
  const modelId = data[4] | (data[5] << 8);
  return { modelId, level: levelOf(data[6]), scn, fcn, headerBytes: data.length - scn.length - (fcn?.length ?? 0) };
}

function readFcn(fcn, promised, crcScn, crcFcn, allowCut) {
  if (!fcn.length) return null;
  if (fcn.length < promised) {
    if (allowCut) return null;
    throw new BitstreamError(
      `Only ${fcn.length} of the ${promised} bytes of the FCN layer arrived; ` +
        'get the whole file again, or decode it with layers "scn".',
    );
  }
  if (crc16(fcn, crcScn) !== crcFcn) {
    if (allowCut) return null;
    throw new BitstreamError(
      "The FCN layer is damaged: its checksum does not match; " +
        'get the file again, or decode it with layers "scn".',
    );
  }
  return fcn;
}

/** The bytes of a file; `fcn` is null, or empty, where there is no such layer. */
export function pack({ modelId, level, scn, fcn }) {
  const feature = fcn ?? new Uint8Array();
  const code = Math.round((level - 1) * STEPS_PER_LEVEL);
  const head = [...MAGIC, VERSION, modelId & 0xff, modelId >> 8, code];
  for (let n of [scn.length, feature.length]) {
    for (; n > 0x7f; n >>= 7) head.push((n & 0x7f) | 0x80);
    head.push(n);
  }
  const crcScn = crc16(scn, crc16(head, CRC_SEED));
  const crcs = feature.length ? [crcScn, crc16(feature, crcScn)] : [crcScn];
  for (const crc of crcs) head.push(crc & 0xff, crc >> 8);
  return Uint8Array.from([...head, ...scn, ...feature]);
}
