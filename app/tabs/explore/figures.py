"""Figures for the tab's charts, as Plotly's JSON; colours are CSS variables, for both themes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.services.bit_allocation import BitSummary
from app.services.exploring import AxisInfo, FaceMap, OnMap
from app.services.portraits import COUNT, SIDE
from app.services.rd_curve import PAPER_POINTS, Curve, CurveMetric
from app.tabs.explore.chart import PORTRAITS
from app.tabs.explore.labels import label, spread

TEXT, QUIET = "var(--body-text-color)", "var(--body-text-color-subdued)"
LINE, PAPER = "var(--border-color-primary)", "var(--block-background-fill)"
SCN, OTHER, HEADER = "var(--scn)", "var(--other)", "var(--header)"
GROUPS = (SCN, "var(--group-2)", "var(--group-3)")
"""Coarse, middle and fine styles: no layer's colour stands for anything else."""
FONT = "Figtree, ui-sans-serif, system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif"
PORTRAIT_WIDTH = 0.075
"""Width of a portrait, in parts of the map's."""
LEAST_DISTANCE = 0.9
"""How near portraits may come, in their widths."""
LEAST_MOVE = 0.09
"""Edits that move a face by less, in parts of the map's width, are not drawn."""

Trace = dict[str, Any]


def map_figure(
    face_map: FaceMap, photo: OnMap | None = None, picked: tuple[float, float] | None = None
) -> str:
    """Generated faces on two axes, where a photo lies, and where edits take it."""
    spots = [
        *face_map.faces,
        *([photo.before, photo.after] if photo else []),
        *filter(None, [picked]),
    ]
    ranges = [_span([spot[i] for spot in spots]) for i in range(2)]
    widths = [high - low for low, high in ranges]
    faces = _portraits(face_map, widths) if face_map.portraits else []
    traces = [_dots(face_map, faces)]
    notes: list[Trace] = []
    if photo:
        moves = [
            _within(move, photo.after, ranges)
            for move in photo.edits
            if _distance(move[3], photo.after, widths) > LEAST_MOVE
        ]
        traces += [_edits(moves), _photo(photo)]
        notes = [_arrow(place, photo.after) for _, _, _, place in moves]
        words = [
            label("<b>your photo</b>", photo.before, photo.after, ranges[0], 16),
            label("<b>after SCN</b>", photo.after, photo.before, ranges[0], 16),
        ]
        words += [label(name, place, photo.after, ranges[0]) for _, name, _, place in moves]
        notes += spread(words, ranges)
    if picked:
        traces.append(_picked(picked))
    layout = layout_of(
        xaxis=_axis(face_map.x, ranges[0]), yaxis=_axis(face_map.y, ranges[1]), annotations=notes
    )
    portraits = {
        "sheet": PORTRAITS,
        "side": SIDE,
        "width": widths[0] * PORTRAIT_WIDTH,
        "height": widths[1] * PORTRAIT_WIDTH * 1.12,
        "faces": [[seed, *face_map.faces[seed]] for seed in faces],
    }
    return as_json(traces, layout, portraits=portraits, zoom=True)


def curve_figure(curve: Curve, metric: CurveMetric) -> str:
    """Bytes against one figure of merit: this photo, other codecs, the paper."""
    series: dict[str, list[int]] = {}
    for index, point in enumerate(curve.points):
        if metric.key in point.figures:
            series.setdefault(point.series, []).append(index)
    line_styles = {
        "HSC": {"color": TEXT, "symbol": "circle", "line": "solid"},
        "SCN alone": {"color": SCN, "symbol": "circle-open", "line": "solid"},
        "AVIF": {"color": OTHER, "symbol": "square", "line": "dash"},
        "WebP": {"color": OTHER, "symbol": "triangle-up", "line": "dot"},
        "JPEG": {"color": HEADER, "symbol": "x", "line": "dot"},
    }
    traces = []
    for name, indexes in series.items():
        style = line_styles.get(name, line_styles["WebP"])
        points = [curve.points[i] for i in indexes]
        traces.append({
            "type": "scatter", "mode": "lines+markers", "name": name,
            "x": [p.bytes for p in points], "y": [p.figures[metric.key] for p in points],
            "text": [p.name for p in points], "customdata": indexes,
            "line": {"color": style["color"], "dash": style["line"], "width": 2},
            "marker": {"color": style["color"], "symbol": style["symbol"], "size": 11},
            "hovertemplate": f"%{{text}}<br>%{{x:,}} bytes<br>%{{y:.{metric.digits}f}}"
            "<extra></extra>",
        })  # fmt: skip
    if metric.key == "lpips_1024":
        traces.append({
            "type": "scatter", "mode": "lines+markers",
            "name": "Paper, other pictures",
            "x": [p.bytes for p in PAPER_POINTS], "y": [p.lpips_1024 for p in PAPER_POINTS],
            "line": {"color": QUIET, "dash": "dot", "width": 1.5},
            "marker": {"color": QUIET, "symbol": "diamond-open", "size": 9},
            "hovertemplate": "Li et al. 2025, as published, read off the figure<br>"
            "%{x:,} bytes<br>%{y:.3f}<extra></extra>",
        })  # fmt: skip
    x = {"title": {"text": "Bytes of the file"}, "type": "log", "tickvals":
         [30, 50, 100, 200, 500, 1000, 2000, 5000, 10000], "ticktext":
         ["30", "50", "100", "200", "500", "1,000", "2,000", "5,000", "10,000"]}  # fmt: skip
    layout = layout_of(
        xaxis=axis_style(x),
        yaxis=axis_style({"title": {"text": metric.label}}),
        showlegend=True,
        legend={
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "entrywidth": 152,
        },
        margin={"l": 64, "r": 12, "t": 12, "b": 52},
    )
    return as_json(traces, layout, zoom=True)


def styles_figure(spending: BitSummary) -> str:
    """SCN's bits by style, coarse to fine."""
    count = len(spending.styles)
    names, fills = [], []
    for (name, draws, size, _), colour in zip(spending.groups, GROUPS, strict=True):
        names += [f"{name}: {draws}"] * size
        fills += [colour] * size
    trace = {
        "type": "bar", "x": list(range(count)), "y": list(spending.styles),
        "marker": {"color": fills}, "text": names,
        "textposition": "none",
        "hovertemplate": "Style %{x}<br>%{text}<br>%{y:.1f} bits<extra></extra>",
    }  # fmt: skip
    layout = layout_of(
        xaxis=axis_style({"title": {"text": "Style of w+, coarse to fine"}, "dtick": 2}),
        yaxis=axis_style({"title": {"text": "Bits"}, "rangemode": "tozero"}),
        bargap=0.15,
        margin={"l": 52, "r": 8, "t": 8, "b": 46},
    )
    return as_json([trace], layout)


def _dots(face_map: FaceMap, portraits: Sequence[int]) -> Trace:
    has_portrait = set(portraits)
    seeds = range(len(face_map.faces))
    return {
        "type": "scatter", "mode": "markers", "name": "Generated faces",
        "x": [x for x, _ in face_map.faces], "y": [y for _, y in face_map.faces],
        "customdata": [f"seed:{seed}" for seed in seeds],
        "marker": {
            "size": [34 if seed in has_portrait else 7 for seed in seeds],
            "color": HEADER, "opacity": [0 if seed in has_portrait else 0.45 for seed in seeds],
        },
        "hovertemplate": "Generated face %{pointNumber}<br>%{x:.2f}, %{y:.2f}<extra></extra>",
    }  # fmt: skip


def _photo(photo: OnMap) -> Trace:
    (x0, y0), (x1, y1) = photo.before, photo.after
    return {
        "type": "scatter", "mode": "lines+markers", "name": "Your photo",
        "x": [x0, x1], "y": [y0, y1], "customdata": ["you:before", "you:after"],
        "line": {"color": SCN, "width": 2.5},
        "marker": {
            "color": [PAPER, SCN], "size": 15, "symbol": "diamond",
            "line": {"color": SCN, "width": 2.5},
        },
        "text": ["Your photo, as the encoder sees it", "What SCN keeps of it"],
        "hovertemplate": "%{text}<br>%{x:.2f}, %{y:.2f}<extra></extra>",
    }  # fmt: skip


def _edits(moves: Sequence[tuple[str, str, float, tuple[float, float]]]) -> Trace:
    return {
        "type": "scatter", "mode": "markers", "name": "Edits",
        "x": [place[0] for _, _, _, place in moves], "y": [place[1] for _, _, _, place in moves],
        "customdata": [f"edit:{name}:{amount:g}" for name, _, amount, _ in moves],
        "marker": {"color": TEXT, "size": 9},
        "text": [f"{label} {amount:+.2g}" for _, label, amount, _ in moves],
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


def _within(
    move: tuple[str, str, float, tuple[float, float]],
    start: tuple[float, float],
    ranges: Sequence[tuple[float, float]],
) -> tuple[str, str, float, tuple[float, float]]:
    """An edit no further than the map reaches: places go along with amounts."""
    name, label, amount, place = move
    part = 1.0
    for a, b, (low, high) in zip(start, place, ranges):
        edge = high - 0.05 * (high - low) if b > a else low + 0.05 * (high - low)
        if abs(b - a) > abs(edge - a):
            part = min(part, max(0.0, (edge - a) / (b - a)))
    x, y = (a + part * (b - a) for a, b in zip(start, place, strict=True))
    return name, label, amount * part, (x, y)


def _arrow(end: tuple[float, float], start: tuple[float, float]) -> Trace:
    return {
        "x": end[0], "y": end[1], "ax": start[0], "ay": start[1], "xref": "x", "yref": "y",
        "axref": "x", "ayref": "y", "text": "", "showarrow": True, "arrowcolor": TEXT,
        "arrowwidth": 1.5, "arrowhead": 2, "arrowsize": 1, "standoff": 5, "startstandoff": 9,
    }  # fmt: skip


def _picked(place: tuple[float, float]) -> Trace:
    return {
        "type": "scatter", "mode": "markers", "name": "Shown", "hoverinfo": "skip",
        "x": [place[0]], "y": [place[1]],
        "marker": {"symbol": "circle-open", "size": 44, "color": TEXT, "line": {"width": 2.5}},
    }  # fmt: skip


def _portraits(face_map: FaceMap, widths: Sequence[float]) -> list[int]:
    """Which seeds get a portrait, so that none hides another."""
    portraits: list[int] = []
    least = PORTRAIT_WIDTH * LEAST_DISTANCE
    for seed, place in enumerate(face_map.faces[:COUNT]):
        if all(_distance(place, face_map.faces[other], widths) > least for other in portraits):
            portraits.append(seed)
    return portraits


def _distance(a: Sequence[float], b: Sequence[float], widths: Sequence[float]) -> float:
    return sum(((p - q) / width) ** 2 for p, q, width in zip(a, b, widths)) ** 0.5


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.07 * (high - low) or 1.0
    return low - margin, high + margin


def _axis(axis: AxisInfo, span: tuple[float, float]) -> Trace:
    unit = f" ({axis.unit})" if axis.unit else ""
    # no grid: its lines would run across the portraits
    return axis_style({
        "title": {"text": axis.label + unit}, "range": list(span), "showgrid": False,
        "zeroline": False, "showline": True, "linecolor": LINE, "ticks": "outside",
        "tickcolor": LINE,
    })  # fmt: skip


def axis_style(extra: Trace) -> Trace:
    """An axis in the page's colours."""
    return {
        "gridcolor": LINE, "zerolinecolor": LINE, "zerolinewidth": 2, "color": QUIET,
        "tickfont": {"size": 12}, "automargin": True,
    } | extra  # fmt: skip


def layout_of(**extra: Any) -> Trace:
    """The layout that figures share, and what is a figure's own."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": TEXT}, "showlegend": False,
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": LINE, "font": {"color": TEXT}},
        "hovermode": "closest", "hoverdistance": 12, "margin": {"l": 52, "r": 8, "t": 8, "b": 48},
    } | extra  # fmt: skip


def as_json(data: list[Trace], layout: Trace, **extra: Any) -> str:
    """A figure as the chart takes it."""
    return json.dumps({"data": data, "layout": layout, **extra}, separators=(",", ":"))
