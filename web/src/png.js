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

const XMP = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;

/** @param {Blob} png @param {object} recipe what made the picture. @returns {Promise<Blob>} */
export async function marked(png, recipe) {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const text = (keyword, value) =>
    chunk("iTXt", new TextEncoder().encode(`${keyword}\0\0\0\0\0${value}`));
  const afterHeader = 8 + 25; // signature and IHDR
  return new Blob(
    [
      bytes.subarray(0, afterHeader),
      text("XML:com.adobe.xmp", XMP),
      text("Software", "HSC receiver: drawn by a generator from a .hsc file"),
      text("hsc", JSON.stringify(recipe)),
      bytes.subarray(afterHeader),
    ],
    { type: "image/png" },
  );
}
