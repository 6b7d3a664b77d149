"""What stands on the page before there is a face: an example that gets sharper byte by byte.

static/landing.js moves it, static/landing.css lays it out. Without JavaScript, and for visitors who
want no motion, it shows the whole file at rest.
"""

from __future__ import annotations

from html import escape

from app.files import address
from app.services.landing import Stage, stages

NAMES = ("its essence alone", "essence and a little likeness", "more of the likeness", "all of it")
CAVEAT = "Drawn by a neural network, which invents detail. Photograph: NASA, public domain."


def landing_html() -> str:
    """The stages one above the other, ours to the left of a border and AVIF to its right; "" where
    the example does not ship."""
    shown = stages()
    if not shown:
        return ""
    last = len(shown) - 1
    ours = "".join(
        f'<img src="{address(str(stage.picture))}" alt="" draggable="false"'
        f"{' class=on' if number == last else ''}>"
        for number, stage in enumerate(shown)
    )
    theirs = "".join(_rival(stage, number == last) for number, stage in enumerate(shown))
    stops = "".join(
        f'<button type="button" data-stage="{number}" data-bytes="{stage.sizes.total}"'
        f' data-scn="{stage.sizes.header + stage.sizes.scn}" data-rival="{_rival_size(stage)}"'
        f' aria-pressed="{str(number == last).lower()}"'
        f' aria-label="The face from {stage.sizes.total:,} bytes: {escape(words)}">'
        f"{stage.sizes.total:,}</button>"
        for number, (stage, words) in enumerate(zip(shown, NAMES))
    )
    whole = shown[last].sizes
    return (
        '<div class="landing" role="group" aria-label="An example: one face from more and more'
        ' bytes, beside AVIF in as many">'
        f'<div class="ours">{ours}</div><div class="theirs">{theirs}</div>'
        '<i class="border" aria-hidden="true"></i>'
        f'<p class="who left"><b>HSC</b> <span>{whole.total:,} bytes</span></p>'
        f'<p class="who right"><b>AVIF</b> <span>{_rival_size(shown[last]):,} bytes</span></p>'
        f'<div class="stops">{stops}<button type="button" class="pause" aria-label="Pause">'
        f"</button></div><small>{escape(CAVEAT)}</small></div>"
    )


def _rival(stage: Stage, on: bool) -> str:
    shown = " on" if on else ""
    if stage.rival is None:
        return f'<p class="none{shown}"><span>AVIF cannot be made this small</span></p>'
    return (
        f'<img src="{address(str(stage.rival))}" alt="" draggable="false"'
        f"{' class=on' if on else ''}>"
    )


def _rival_size(stage: Stage) -> int:
    return stage.rival.stat().st_size if stage.rival else 0
