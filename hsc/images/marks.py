"""Marks that say, inside a picture's or clip's file, that a network drew it.

    XMP    Iptc4xmpExt:DigitalSourceType   the IPTC's term for what the picture is
           xmp:CreatorTool                 this program
           hsc:recipe, hsc:recipeSha256    what drew it, as JSON, and the hash of that
    PNG    the text chunks Software and hsc (the recipe) beside the XMP

A mark travels with a picture in memory, in ``Image.info``, through copies, crops and resizes. What
writes a file puts it there with :func:`save`. MP4 files take the XMP in a ``uuid`` box, GIF files
in an application extension; PNG, WebP, JPEG and AVIF have a place of their own for it.

A mark is a statement and no protection: whoever saves the picture again may lose it.

Sources: IPTC NewsCodes, scheme ``digitalsourcetype``; XMP Specification Part 3 (places in files).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import quoteattr, unescape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

TRAINED = "trainedAlgorithmicMedia"
"""A network drew all of it, out of no photograph: a generated face."""
COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
"""A network drew it with the help of a photograph: a decoded face, an edited one, a card."""
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOFTWARE = "HSC Studio: drawn by a neural network, which invents detail"
NAMESPACE = "urn:hsc:mark:1"
"""Of the recipe in XMP."""
INFO = "hsc mark"
"""Where ``Image.info`` holds a picture's mark."""
_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # of XMP in ISO base media files
_GIF_HEAD = b"\x21\xff\x0bXMP DataXMP"
# A reader that does not know XMP takes its bytes for the lengths of blocks; from any of them this
# trailer leads to the end of the extension.
_GIF_TRAILER = bytes([1, *range(255, -1, -1), 0])


@dataclass(frozen=True)
class Mark:
    """What a picture is, and what drew it.

    Attributes:
        source: ``TRAINED`` or ``COMPOSITE``.
        recipe: JSON values that say what drew the picture: the file's hash, layers, edits, model.
    """

    source: str
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def recipe_json(self) -> str:
        """The recipe in the one form that is hashed: sorted names, no spaces, ASCII."""
        return json.dumps(self.recipe, sort_keys=True, separators=(",", ":"))

    @property
    def recipe_hash(self) -> str:
        """SHA-256 of ``recipe_json``, in hexadecimal."""
        return hashlib.sha256(self.recipe_json.encode()).hexdigest()

    @property
    def xmp(self) -> bytes:
        """The XMP packet."""
        values = {
            "xmlns:Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
            "xmlns:xmp": "http://ns.adobe.com/xap/1.0/",
            "xmlns:hsc": NAMESPACE,
            "Iptc4xmpExt:DigitalSourceType": VOCABULARY + self.source,
            "xmp:CreatorTool": SOFTWARE,
            "hsc:recipe": self.recipe_json,
            "hsc:recipeSha256": self.recipe_hash,
        }
        attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description rdf:about="" {attributes}/>'
            '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
        ).encode()


def decoded(
    data: bytes,
    layers: str = "scn+fcn",
    edits: Mapping[str, float] | None = None,
    keep_details: float = 1.0,
) -> Mark:
    """The mark of a picture that was rendered from a ``.hsc`` file.

    Args:
        data: the file.
        layers, edits, keep_details: as ``Codec.decode`` takes them.
    """
    file = {"file_sha256": hashlib.sha256(data).hexdigest()}
    return Mark(COMPOSITE, file | dict(edited(layers, edits, keep_details).recipe))


def edited(
    layers: str, edits: Mapping[str, float] | None = None, keep_details: float = 1.0
) -> Mark:
    """As ``decoded``, of latents whose file is not known, or that were made of several files."""
    amounts = {name: float(amount) for name, amount in (edits or {}).items() if amount}
    kept = float(keep_details) if amounts else 1.0
    return Mark(COMPOSITE, {"layers": layers, "edits": amounts, "keep_details": kept})


def generated(seed: int, truncation: float) -> Mark:
    """The mark of a face that the generator made up, as ``Codec.random_face`` takes it."""
    return Mark(TRAINED, {"seed": seed, "truncation": truncation})


def derived(picture: Image.Image, *sources: Image.Image) -> Image.Image:
    """A picture that was made of others, carrying the mark of the first of them that has one."""
    mark = next(filter(None, map(of, sources)), None)
    return picture if mark is None else put(picture, mark)


def put(picture: Image.Image, mark: Mark) -> Image.Image:
    """The same picture, carrying a mark; its pixels are shared, not copied."""
    picture.info[INFO] = mark
    return picture


def of(picture: Image.Image) -> Mark | None:
    """The mark that a picture carries."""
    mark = picture.info.get(INFO)
    return mark if isinstance(mark, Mark) else None


def save(
    picture: Image.Image,
    target: IO[bytes] | Path | str,
    file_format: str = "",
    *,
    mark: Mark | None = None,
    **options: Any,
) -> None:
    """Write a picture with its mark; one without a mark is written as it is.

    Args:
        target: a file, or its path.
        file_format: Pillow's name, such as PNG; by default that of a path's ending. PNG, WEBP,
            JPEG, AVIF and GIF files hold a mark, others are written without.
        mark: instead of the one that the picture carries.
        options: of Pillow's writer; a GIF's ``append_images`` too.
    """
    mark = mark or of(picture)
    if not file_format:
        suffix = Path(str(target)).suffix.lower()
        file_format = Image.registered_extensions().get(suffix, "")
        if not file_format:
            raise ValueError(f"expected a name with a picture's ending, got {str(target)!r}.")
    file_format = file_format.upper()
    if mark is None:
        picture.save(target, file_format, **options)
    elif file_format == "GIF":
        out = io.BytesIO()
        picture.save(out, "GIF", **options)
        data = in_gif(out.getvalue(), mark)
        if isinstance(target, (str, Path)):
            Path(target).write_bytes(data)
        else:
            target.write(data)
    else:
        picture.save(target, file_format, **options_for(mark, file_format), **options)


def options_for(mark: Mark, file_format: str) -> dict[str, Any]:
    """What Pillow's writer of a format takes to write a mark: nothing where it holds none."""
    if file_format.upper() in ("WEBP", "JPEG", "AVIF"):
        return {"xmp": mark.xmp}
    if file_format.upper() != "PNG":
        return {}
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", mark.xmp.decode())
    chunks.add_text("Software", SOFTWARE)
    chunks.add_text("hsc", mark.recipe_json)
    return {"pnginfo": chunks}


def in_gif(data: bytes, mark: Mark) -> bytes:
    """A GIF file with a mark, before its last byte."""
    if data[:4] != b"GIF8" or data[-1:] != b"\x3b":
        raise ValueError("expected a whole GIF file.")
    return data[:-1] + _GIF_HEAD + mark.xmp + _GIF_TRAILER + data[-1:]


def in_mp4(data: bytes, mark: Mark) -> bytes:
    """An MP4 file with a mark, as a box at its end."""
    if data[4:8] != b"ftyp":
        raise ValueError("expected a whole MP4 file.")
    body = _UUID + mark.xmp
    return data + (8 + len(body)).to_bytes(4, "big") + b"uuid" + body


def read(data: bytes) -> Mark | None:
    """The mark in a picture's or clip's file; None where there is none."""
    xmp, text = _said_in(data)
    source = re.search(rf'DigitalSourceType="{re.escape(VOCABULARY)}(\w+)"', xmp)
    recipe = re.search(r"hsc:recipe=(\"[^\"]*\"|'[^']*')", xmp)
    if source is None:
        return None
    try:
        # the receiver in the browser writes its recipe into the text chunk alone
        said = unescape(recipe[1][1:-1], {"&quot;": '"'}) if recipe else text or "{}"
        return Mark(source[1], dict(json.loads(said)))
    except (ValueError, TypeError):  # a recipe that someone else wrote, or a damaged one
        return Mark(source[1])


def _said_in(data: bytes) -> tuple[str, str]:
    """The XMP packet of a file and the text chunk "hsc" of a PNG, "" for what there is not."""
    for head, there in ((_UUID, data[4:8] == b"ftyp"), (_GIF_HEAD, data[:4] == b"GIF8")):
        if there and head in data:
            return data[data.rindex(head) :].decode(errors="replace"), ""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            xmp, text = picture.info.get("xmp", b""), picture.info.get("hsc", "")
    except OSError:
        return "", ""
    return xmp.decode(errors="replace") if isinstance(xmp, bytes) else str(xmp), str(text)
