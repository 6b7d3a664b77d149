"""Rate-distortion curves of a study, as Plotly figures."""

from collections.abc import Sequence
from typing import Any

from hsc.baselines.published import PAPER_POINTS
from hsc.research.evaluation.study.candidates import BEST, FILE, FULL, OURS, READ, SEMANTICS
from hsc.research.evaluation.study.measures import LESS_IS_BETTER
from hsc.research.evaluation.study.summary import curve, labels

Row = dict[str, Any]
COLOURS = {
    OURS: "#6366f1", "JPEG": "#9ca3af", "WebP": "#22a06b", "AVIF": "#d97706", "HEIC": "#dc2626",
    "JPEG XL": "#0891b2", "VVC": "#a21caf",
}  # fmt: skip
PUBLISHED = {"lpips_1024": "lpips_1024", "dists_256": "dists_256"}
MACHINE = {
    "face_found": "Face found (share)",
    "verified_itself": "Known again (share)",
    "verified_another": "Known by another photo (share)",
    "mask_overlap": "Person IoU",
    "age_error": "Age error (years)",
    "same_expression": "Same expression (share)",
}
HEIGHT = 440
TICKS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


def figures(summary: Sequence[Row]) -> list[tuple[str, Any]]:
    """Titles and figures: perceptual metrics, then machine read-outs."""
    both = {"identity_l2", "landmark_error"}  # of which S^ read directly has figures too
    perceptual = [
        (title, _figure(summary, key, title, key in both)) for key, title in labels().items()
    ]
    read = [(title, _figure(summary, key, title, True)) for key, title in MACHINE.items()]
    return [(title, figure) for title, figure in perceptual + read if figure is not None]


def _figure(summary: Sequence[Row], key: str, title: str, machine: bool = False) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    codecs = list(dict.fromkeys(row["codec"] for row in summary))
    for codec in codecs:
        colour = COLOURS.get(codec, "#555555")
        kinds = {FILE if codec == OURS else BEST: ("solid", codec)}
        if codec == OURS:
            kinds[SEMANTICS] = ("dot", f"{codec}, S only")
            if machine:
                kinds[READ] = ("dash", READ)
        else:
            kinds[FULL] = ("dot", f"{codec}, full size")
        for kind, (dash, name) in kinds.items():
            rows = [r for r in summary if r["codec"] == codec and r["kind"] == kind]
            points = sorted(set(curve(rows, key)))
            if points:
                sizes, values = zip(*points)
                figure.add_scatter(
                    x=sizes, y=values, name=name, mode="lines+markers",
                    line={"color": colour, "dash": dash, "width": 3 if codec == OURS else 1.5},
                    visible="legendonly" if kind == FULL else True,
                )  # fmt: skip
    if not figure.data:
        return None
    if key in PUBLISHED:
        figure.add_scatter(
            x=[p.bytes for p in PAPER_POINTS],
            y=[getattr(p, PUBLISHED[key]) for p in PAPER_POINTS],
            name="published", mode="markers",
            marker={"symbol": "x-thin-open", "color": "#111827", "size": 9},
            visible="legendonly",
        )  # fmt: skip
    better = (
        "less is better"
        if key in LESS_IS_BETTER | {"age_error", "dino_frechet"}
        else ("more is better")
    )
    figure.update_layout(
        title=f"{title} ({better})", height=HEIGHT, template="plotly_white",
        margin={"l": 50, "r": 10, "t": 50, "b": 45},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",  # the page's own
        legend={"font": {"size": 11}, "orientation": "h", "y": -0.22},
        font={"family": "system-ui, sans-serif"},
    )  # fmt: skip
    figure.update_xaxes(
        title="bytes of the file", type="log", tickvals=TICKS, ticktext=[f"{t:,}" for t in TICKS]
    )
    return figure
