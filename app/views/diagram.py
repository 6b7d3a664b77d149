"""How the codec works, drawn: wide for a desk, tall for a phone. Colours follow the theme."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

LINE = 17  # pixels from one line of a box to the next


@dataclass(frozen=True)
class Box:
    """A box with a title and lines under it; ``kind`` is its colour's class."""

    x: int
    y: int
    width: int
    height: int
    kind: str
    title: str
    lines: tuple[str, ...] = ()

    def svg(self) -> str:
        middle = self.x + self.width / 2
        first = self.y + self.height / 2 + 5 - LINE * len(self.lines) / 2
        words = f'<text class="title" x="{middle:g}" y="{first:g}">{escape(self.title)}</text>'
        for number, line in enumerate(self.lines, start=1):
            words += f'<text x="{middle:g}" y="{first + LINE * number:g}">{escape(line)}</text>'
        return (
            f'<g class="{self.kind}"><rect x="{self.x}" y="{self.y}" width="{self.width}" '
            f'height="{self.height}" rx="10"/>{words}</g>'
        )


PHOTO = ("plain", "Photo", ("1024 × 1024",))
ENCODER = ("net", "Encoder", ("inverts the", "generator"))
SCN = ("scn", "SCN", ("core semantics S:", "23 style vectors"))
FCN = ("fcn", "FCN", ("features F, less what", "S explains of them"))
S_HAT = ("scn", "Ŝ", ("the same bits", "on every machine"))
F_HAT = ("fcn", "F̂", ("32 × 32 map,", "told what Ŝ says"))
GENERATOR = ("net", "Generator", ("draws the face,", "invents the rest"))
PICTURE = ("plain", "Picture", ("1024 × 1024",))

WIDE = (1180, 300)
WIDE_BOXES = (
    Box(8, 110, 110, 80, *PHOTO),
    Box(152, 100, 120, 100, *ENCODER),
    Box(312, 30, 160, 90, *SCN),
    Box(312, 180, 160, 90, *FCN),
    Box(708, 30, 150, 90, *S_HAT),
    Box(708, 180, 150, 90, *F_HAT),
    Box(902, 100, 134, 100, *GENERATOR),
    Box(1068, 110, 104, 80, *PICTURE),
)
WIDE_ARROWS = (
    "M118 150H146", "M272 150h16V75H306", "M288 150V225H306", "M472 75H536", "M472 225H536",
    "M640 75H702", "M640 225H702", "M783 120V174", "M858 75h20V130H896", "M858 225h20V170H896",
    "M1036 150H1062",
)  # fmt: skip
TALL = (360, 760)
TALL_BOXES = (
    Box(110, 8, 140, 62, *PHOTO),
    Box(110, 98, 140, 84, *ENCODER),
    Box(8, 222, 162, 84, *SCN),
    Box(190, 222, 162, 84, *FCN),
    Box(8, 476, 162, 84, *S_HAT),
    Box(190, 476, 162, 84, *F_HAT),
    Box(110, 596, 140, 84, *GENERATOR),
    Box(110, 708, 140, 46, *PICTURE[:2]),
)
TALL_ARROWS = (
    "M180 70V92", "M180 182v18H89V216", "M180 200H271V216", "M89 306V338", "M271 306V338",
    "M89 440V470", "M271 440V470", "M170 518H184", "M89 560v18H150V590", "M271 560v18H210V590",
    "M180 680V702",
)  # fmt: skip


def diagram() -> str:
    """Both drawings; the style sheet shows the one that fits."""
    wide = _file(542, 50, 98, 200) + _zone(591, 36, ".hsc file, about 1 KB")
    tall = _file(60, 344, 240, 92, across=True)
    return _svg("wide", WIDE, WIDE_BOXES, WIDE_ARROWS, wide) + _svg(
        "tall", TALL, TALL_BOXES, TALL_ARROWS, tall
    )


def _svg(
    kind: str,
    size: tuple[int, int],
    boxes: tuple[Box, ...],
    arrows: tuple[str, ...],
    middle: str,
) -> str:
    lines = "".join(f'<path d="{path}" marker-end="url(#tip-{kind})"/>' for path in arrows)
    return (
        f'<svg class="diagram {kind}" viewBox="0 0 {size[0]} {size[1]}" role="img" '
        'aria-label="A photo goes through the encoder into core semantics and features, which SCN '
        "and FCN write into one small file; from that file alone the decoder restores both, and "
        'the generator draws the picture.">'
        f'<defs><marker id="tip-{kind}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path class="tip" d="M0 0L8 4L0 8z"/>'
        f'</marker></defs><g class="arrows">{lines}</g>{middle}'
        f"{''.join(box.svg() for box in boxes)}</svg>"
    )


def _file(x: int, y: int, width: int, height: int, across: bool = False) -> str:
    """The file between sender and receiver: header, SCN and FCN in their colours."""
    parts, at = [], 0.0
    for kind, share, label in (("header", 0.16, ""), ("scn", 0.22, "SCN"), ("fcn", 0.62, "FCN")):
        if across:
            left, top, w, h = x + at * width, y + 30, share * width, height - 30
        else:
            left, top, w, h = x, y + at * height, width, share * height
        parts.append(
            f'<rect class="{kind} full" x="{left:g}" y="{top:g}" width="{w:g}" height="{h:g}"/>'
            f'<text class="on" x="{left + w / 2:g}" y="{top + h / 2 + 5:g}">{label}</text>'
        )
        at += share
    title = _zone(x + width // 2, y + 20, ".hsc: about a kilobyte") if across else ""
    return title + "".join(parts)


def _zone(x: int, y: int, words: str) -> str:
    return f'<text class="zone" x="{x}" y="{y}">{words}</text>'
