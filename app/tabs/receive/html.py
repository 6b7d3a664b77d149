"""What a file says, as HTML: its facts, every byte of it, its QR code, and proof."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.address import receiver_link
from app.components.html import bytes_bar, table
from app.results import FileFacts, Sizes
from app.services.decode_tools import AsText, Proof
from app.services.facts import Field, level_name

NAMES = {"scn": "essence", "fcn": "likeness"}
SPELLED_OUT = 64
"""Bytes of a layer that the strip spells out."""

# Hovering or focusing a run of bytes highlights its row, and the other way round.
HIGHLIGHT_SCRIPT = """
const light = (event, on) => {
  const field = event.target.closest('[data-field]');
  if (!field) return;
  element.querySelectorAll(`[data-field="${field.dataset.field}"]`)
    .forEach((one) => one.classList.toggle('on', on));
};
for (const [name, on] of [['mouseover', true], ['focusin', true], ['mouseout', false],
  ['focusout', false]]) element.addEventListener(name, (event) => light(event, on));
"""


def facts(described: FileFacts) -> str:
    """A file's header as a table and its parts as a bar.

    Args:
        described: what the file says of itself.
    """
    parts = described["bytes"]
    rows = (
        ("Format", f".hsc, version {described['version']}"),
        ("Model", described["model"]),
        ("Bitrate", level_name(described["level"])),
        ("Picture", f"{described['width']} × {described['height']} pixels"),
        ("Layers", " + ".join(NAMES[layer] for layer in described["layers"])),
        ("Header", f"{parts['header']:,} bytes"),
        ("Essence (SCN)", f"{parts['scn']:,} bytes"),
        ("Likeness (FCN)", f"{parts['fcn']:,} bytes" if parts["fcn"] else "not in this file"),
        ("Total", f"{parts['total']:,} bytes"),
        ("Bits per pixel", f"{described['bpp']:.4f}"),
    )
    return table("What the file says", rows) + bytes_bar(Sizes.of(described))


def byte_table(fields: Sequence[Field]) -> str:
    """Every byte of a file in hexadecimal, coloured by field, above the table of the fields."""
    runs = "".join(
        f'<span class="run {field.part}" data-field="{field.key}" tabindex="0" role="note" '
        f'aria-label="{escape(f"{field.name}: {field.value}")}">{_hex(field)}</span>'
        for field in fields
    )
    rows = "".join(
        f'<tr data-field="{field.key}"><td class="{field.part}"><i></i>{_offsets(field)}</td>'
        f'<td><code>{_hex(field, 4)}</code></td><th scope="row">{escape(field.name)}</th>'
        f"<td>{escape(field.value)}</td><td>{escape(field.meaning)}</td></tr>"
        for field in fields
    )
    total = fields[-1].stop
    return (
        f"<h2>Every byte of the file <small>{total:,} bytes</small></h2>"
        f'<div class="strip">{runs}</div>'
        '<div class="walk"><table><thead><tr><th>Bytes</th><th>Hex</th><th>Field</th><th>Says</th>'
        f"<th>What for</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def qr_panel(sent: AsText, layers: str) -> str:
    """The QR code of a face with a line of what it is."""
    size = f"{len(sent.data):,} bytes, {len(sent.text):,} characters"
    if not sent.qr:
        return (
            f'<p class="note warn">{size}: more than a QR code holds. Take a lower level, '
            "or the essence alone.</p>"
        )
    what = "Scan it: your phone draws the face itself." if sent.link else "Scan it: the text below."
    whole = "the whole file" if "fcn" in layers else "the essence (SCN) alone"
    return (
        '<figure class="qr">'
        f'<div role="img" aria-label="QR code of {whole}: {size}">{sent.qr}</div>'
        f"<figcaption><b>This code is the face.</b> {what} It holds {whole}, {size}, in "
        f"{sent.modules} × {sent.modules} modules, and points to no picture anywhere.</figcaption>"
        "</figure>"
    )


def receiver_panel(sent: AsText) -> str:
    """A link that opens the face in the receiver, which decodes in the visitor's browser."""
    return (
        f'<p><a href="{receiver_link()}{sent.text}" target="_blank" rel="noopener">'
        "Open in your own browser (no upload)</a></p>"
    )


def proof_panel(proof: Proof) -> str:
    """What drawing a file afresh showed."""
    again = f"Drawn again from the bytes in {proof.seconds:.1f} s with nothing remembered: " + (
        "every pixel is the same." if proof.same else "the pixels differ, which is a fault."
    )
    bit = (
        f"One bit of byte {proof.flipped:,} turned over, and the file is refused: "
        f"“{escape(proof.refusal)}”"
        if proof.refusal
        else f"One bit of byte {proof.flipped:,} turned over went unnoticed, which is a fault."
    )
    return (
        f'<ul class="proof"><li>{again}</li><li>{bit}</li>'
        "<li>Try it yourself: drop the same file in a private window, or on another machine. Its "
        "SHA-256 begins with "
        f"<code>{proof.file_hash[:16]}</code>.</li></ul>"
    )


def _hex(field: Field, most: int = SPELLED_OUT) -> str:
    text = field.data[:most].hex(" ")
    left = len(field.data) - most
    if left <= 0:
        return text
    return f"{text} <em>… {left:,} more</em>" if most == SPELLED_OUT else f"{text} …"


def _offsets(field: Field) -> str:
    if field.stop - field.start <= 1:
        return f"{field.start}"
    return f"{field.start}–{field.stop - 1:,}"
