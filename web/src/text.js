/** A .hsc file as capitals and digits: hsc/bitstream/text.py in the browser. */
import { unpack } from "./container.js";
import { BitstreamError } from "./errors.js";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BASE = DIGITS.length;
const PREFIX = "HSC1";
const LEAD = [0x48, 0x53, 0x43, 1];
const BLOCK_BYTES = 42;
const LARGEST = 1 << 20;

/** How many characters hold 0, 1, ... 42 bytes: the least n with 36**n >= 256**bytes. */
const CHARACTERS = Array.from({ length: BLOCK_BYTES + 1 }, (_, size) => {
  let n = 0;
  while (36n ** BigInt(n) < 256n ** BigInt(size)) n++;
  return n;
});

/** ISO/IEC 7064 MOD 37,36. */
function checkCharacter(text) {
  let product = BASE;
  for (const character of text) {
    const total = (product + DIGITS.indexOf(character)) % BASE || BASE;
    product = (2 * total) % (BASE + 1);
  }
  return DIGITS[(BASE + 1 - product) % BASE];
}

function fromBlock(block) {
  let number = block.reduce((n, byte) => n * 256n + BigInt(byte), 0n);
  let text = "";
  for (let i = 0; i < CHARACTERS[block.length]; i++) {
    text = DIGITS[Number(number % 36n)] + text;
    number /= 36n;
  }
  return text;
}

function toBlock(characters) {
  const size = CHARACTERS.indexOf(characters.length);
  let number = [...characters].reduce((n, c) => n * 36n + BigInt(DIGITS.indexOf(c)), 0n);
  if (size < 0 || number >= 256n ** BigInt(size)) {
    throw new BitstreamError(
      "The text holds no whole bytes: it is not complete; copy it again.",
    );
  }
  const bytes = new Array(size);
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = Number(number & 255n);
    number >>= 8n;
  }
  return bytes;
}

/** The text of a file. @throws {BitstreamError} the bytes are no readable file. */
export function toText(data) {
  unpack(data);
  let text = PREFIX;
  for (let at = LEAD.length; at < data.length; at += BLOCK_BYTES) {
    text += fromBlock([...data.slice(at, at + BLOCK_BYTES)]);
  }
  return text + checkCharacter(text);
}

/** Upper case, without white space and invisible characters, and without an address before. */
function tidied(text) {
  const visible = text.replace(/[\p{Z}\p{C}]/gu, "");
  const address = /[?&#]face=([^&#]*)/i.exec(visible);
  return (address ? address[1] : visible).toUpperCase();
}

/** The bytes that a text, or an address that ends in one, stands for. */
export function fromText(given) {
  const text = tidied(given);
  if (!text) throw new BitstreamError(`There is no text; paste one that begins with ${PREFIX}.`);
  if (!text.startsWith(PREFIX)) {
    throw new BitstreamError(
      `This is not the text of a face: it does not begin with ${PREFIX}.`,
    );
  }
  if (text.length > LARGEST) {
    throw new BitstreamError("This is not the text of a face: it is far too long for one.");
  }
  const odd = [...text].find((character) => !DIGITS.includes(character));
  if (odd !== undefined) {
    throw new BitstreamError(
      `The text may have letters and digits only, but it has ${pythonAscii(odd)} in it; copy it again.`,
    );
  }
  if (checkCharacter(text.slice(0, -1)) !== text.at(-1)) {
    throw new BitstreamError(
      "The text was changed on the way or is not complete: its check character does not match; " +
        "copy it again.",
    );
  }
  const body = text.slice(PREFIX.length, -1);
  const most = CHARACTERS[BLOCK_BYTES];
  const bytes = [...LEAD];
  for (let at = 0; at < body.length; at += most) bytes.push(...toBlock(body.slice(at, at + most)));
  const data = Uint8Array.from(bytes);
  unpack(data);
  return data;
}

/** A character in quotes, as Python's ascii() writes it. */
function pythonAscii(character) {
  const code = character.codePointAt(0);
  if (character === "'") return `"'"`;
  if (character === "\\") return "'\\\\'";
  if (code >= 32 && code < 127) return `'${character}'`;
  const hex = code.toString(16);
  if (code < 256) return `'\\x${hex.padStart(2, "0")}'`;
  return code < 65536 ? `'\\u${hex.padStart(4, "0")}'` : `'\\U${hex.padStart(8, "0")}'`;
}
