/** Marks a PNG as generated: an iTXt chunk with XMP, and one that names the program. */

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function chunk(type, body) {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]);

/** JSON with sorted names and no spaces, the one form that is hashed. */
function sorted(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(sorted).join(",")}]`;
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${sorted(value[key])}`).join(",")}}`;
}

/** The mark as hsc/images/marks.py writes it. Pages without HTTPS cannot hash. */
async function xmp(recipe) {
  const json = sorted(recipe);
  const digest = await crypto.subtle?.digest("SHA-256", new TextEncoder().encode(json));
  const hash = digest && [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const own = `hsc:recipe="${escaped(json)}"${hash ? ` hsc:recipeSha256="${hash}"` : ""}`;
  return `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:hsc="urn:hsc:mark:1" Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia" ${own}/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;
}

/** @param {Blob} png @param {object} recipe what made the picture. @returns {Promise<Blob>} */
export async function marked(png, recipe) {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const text = (keyword, value) =>
    chunk("iTXt", new TextEncoder().encode(`${keyword}\0\0\0\0\0${value}`));
  const afterHeader = 8 + 25; // signature and IHDR
  return new Blob(
    [
      bytes.subarray(0, afterHeader),
      text("XML:com.adobe.xmp", await xmp(recipe)),
      text("Software", "HSC receiver: drawn by a generator from a .hsc file"),
      text("hsc", JSON.stringify(recipe)),
      bytes.subarray(afterHeader),
    ],
    { type: "image/png" },
  );
}
