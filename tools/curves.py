"""Draw the training logs: ``python tools/curves.py`` writes assets/logs/curves.png.

Needs matplotlib (`pip install matplotlib`). Points are means of 20 steps as training logged them,
on its own batches; crosses are held-out faces, where the stage looks at some.
"""

import csv
from pathlib import Path

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot  # noqa: E402

LOGS = Path(__file__).resolve().parents[1] / "assets" / "logs"
PANELS = {
    "inversion": ("w", "f", "lpips", "id"),
    "fine": ("lpips", "colour", "held_out_lpips", "held_out_lpips_s"),
    "likeness": ("lpips", "id", "held_out_s_lpips", "held_out_s_id"),
    "fcn": ("lpips", "id", "f"),
    "joint": ("lpips", "id", "held_out_free_lpips", "held_out_3_lpips", "held_out_1_lpips"),
}
"""Figures of each log that are comparable over the whole of it."""


def read(path: Path) -> list[dict[str, float]]:
    """The rows of a log: ``name=value`` cells."""
    with path.open(newline="") as file:
        rows = [dict(cell.split("=") for cell in row) for row in csv.reader(file)]
    return [{name: float(value) for name, value in row.items()} for row in rows]


def main() -> None:
    names = [name for name in PANELS if (LOGS / f"{name}.csv").exists()]
    _, axes = pyplot.subplots(1, len(names), figsize=(4.2 * len(names), 3.4), layout="constrained")
    for axis, name in zip(axes, names):
        rows = read(LOGS / f"{name}.csv")
        for figure in PANELS[name]:
            points = [(row["step"], row[figure]) for row in rows if figure in row]
            if points:
                style = {"marker": "x"} if figure.startswith("held_out") else {"linewidth": 1}
                axis.plot(*zip(*points), label=figure, **style)
        axis.set(title=f"hsc train {name}", xlabel="step", yscale="log")
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3, which="both")
    pyplot.savefig(LOGS / "curves.png", dpi=110)


if __name__ == "__main__":
    main()
