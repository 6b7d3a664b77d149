"""How a photograph's parts read: their bytes as a bar and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.services.photographs import Part


def parts_panel(
    parts: Sequence[Part], size: tuple[int, int], upload_bytes: int | None = None
) -> str:
    """The bytes of every part of a ``.hscp`` file.

    Args:
        size: of the photograph in pixels.
        upload_bytes: of the photograph's own file, where it is known.
    """
    total = sum(part.bytes for part in parts)
    width, height = size
    bar = "".join(
        f'<span class="part {part.kind}" style="flex-grow:{part.bytes}" '
        f'title="{escape(part.name)}: {part.bytes:,} bytes"></span>'
        for part in parts
        if part.bytes
    )
    rows = "".join(
        f'<tr><th scope="row" class="{part.kind}"><i></i>{escape(part.name)}</th>'
        f"<td>{part.bytes:,}</td><td>{_about(part)}</td></tr>"
        for part in parts
    )
    words = f"{width} × {height} pixels, {8 * total / (width * height):.3f} bits a pixel"
    if upload_bytes and upload_bytes > total:
        words += f"; the photograph's own file has {upload_bytes:,} bytes"
    return (
        f'<p class="photo-total"><b>{total:,} bytes</b> {words}</p>'
        f'<div class="bar" role="img" aria-label="{total:,} bytes in all">{bar}</div>'
        '<div class="photo-parts"><table class="facts"><thead><tr><th>Part</th><th>Bytes</th>'
        f"<th>Coded at</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _about(part: Part) -> str:
    if part.side is None:
        return ""
    if part.level is None:
        return "not in the file"
    return f"level {part.level:g}, {part.side:.0f} px"
