"""How a clip's results read: the player, its figures, and the chart of bits a frame."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from app.services.moving import CodedClip
from app.tabs.explore.figures import HEADER, SCN, Trace, as_json, axis_style, layout_of

FCN = "var(--fcn)"
EMPTY = (
    '<div class="video-empty"><p>Upload a clip of a face, or record one. The original and what '
    "the file draws play side by side.</p></div>"
)


def player(address: str, coded: CodedClip, px: int, both: bool, edited: str = "") -> str:
    """The clip that plays, with the rate so far below it; see script.js."""
    facts = coded.facts
    bits = [frame.scn + frame.fcn + frame.rest for frame in coded.frames]
    data = escape(json.dumps({"fps": facts["coded_fps"], "bits": bits}), quote=True)
    sides = "<span>Original</span>" if both else ""
    words = f"From the file, drawn at {px} px" + (f", edited: {escape(edited)}" if edited else "")
    return (
        f'<figure class="video-pair{"" if both else " single"}" data-rates="{data}">'
        f'<video src="{escape(address, quote=True)}" controls loop muted autoplay playsinline '
        'aria-label="The original beside the decoded face"></video>'
        f"<figcaption>{sides}<span>{words}</span></figcaption>"
        '<output class="video-rate" aria-live="off"></output></figure>'
    )


def facts(coded: CodedClip) -> str:
    """Rate and sizes of a file."""
    said: dict[str, Any] = coded.facts
    size, frames = said["bytes"], said["frames"]

    def part(name: str) -> str:
        return f"{sum(getattr(frame, name) for frame in coded.frames) / 8:,.0f} bytes"

    rows = [
        ("Frames", f"{frames['coded']} coded, {frames['key']} of them stills"),
        ("Coded, shown a second", f"{said['coded_fps']:g}, {said['shown_fps']:g}"),
        ("Level", f"{said['level']:g}" + ("" if coded.kbits is None else ", chosen by the rate")),
        ("Essence (SCN)", part("scn")),
        ("Likeness (FCN)", part("fcn")),
        ("Header, places, checksums", f"{size['header'] + size['track']:,} bytes"),
    ]
    if coded.kbits is not None:
        reached = said["kbit_per_second"]
        more = ": a still and what every frame needs take more" if reached > coded.kbits else ""
        words = f"{coded.kbits:g} kbit/s aimed at, {reached:.1f} reached{more}"
        rows.insert(0, ("Rate", words))
    if frames["lost"]:
        rows.append(("Lost", f"{frames['lost']} frames: the last good one stands"))
    body = "".join(f'<tr><th scope="row">{k}</th><td>{escape(v)}</td></tr>' for k, v in rows)
    return (
        f'<p class="photo-total"><b>{said["kbit_per_second"]:.1f} kbit/s</b> '
        f"{size['total']:,} bytes for {said['seconds']:g} seconds</p>"
        f'<table class="facts">{body}</table>'
    )


def bits_figure(coded: CodedClip) -> str:
    """Bits of every coded frame, by layer."""
    fps = coded.facts["coded_fps"]
    times = [round(number / fps, 3) for number in range(len(coded.frames))]
    traces: list[Trace] = [
        {
            "type": "bar", "name": name, "x": times,
            "y": [getattr(frame, part) for frame in coded.frames],
            "marker": {"color": colour},
            "hovertemplate": f"%{{x:.2f}} s<br>{name}: %{{y:,}} bits<extra></extra>",
        }
        for name, part, colour in (
            ("Header and place", "rest", HEADER), ("SCN", "scn", SCN), ("FCN", "fcn", FCN),
        )
    ]  # fmt: skip
    layout = layout_of(
        barmode="stack",
        bargap=0.12,
        xaxis=axis_style({"title": {"text": "Seconds"}}),
        yaxis=axis_style({"title": {"text": "Bits a coded frame"}, "rangemode": "tozero"}),
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"l": 60, "r": 8, "t": 8, "b": 44},
    )
    return as_json(traces, layout)
