"""Draw training logs: ``python tools/curves.py [FOLDER]`` writes FOLDER/curves.png.

Needs matplotlib (extra ``lab``). Points are means of 20 steps on the training's own batches;
crosses are held-out faces, where the stage measures some.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from hsc.research.training.log import read_log  # noqa: E402

LOGS = ROOT / "assets" / "logs"
PANELS = {
    "inversion": ("w", "f", "lpips", "id"),
    "texture": ("lpips", "colour", "held_out_lpips", "held_out_lpips_s"),
    "identity": ("lpips", "id", "held_out_s_lpips", "held_out_s_id"),
    "fcn": ("lpips", "id", "f"),
    "joint": (
        "lpips",
        "lpips_window",
        "held_out_lpips_own_level1",
        "held_out_lpips_own_level3",
        "held_out_lpips_own_level6",
        "held_out_lpips_eyes_level3",
    ),
    "decoder": ("lpips", "colour", "held_out_lpips_own", "held_out_lpips_eyes"),
    "correction": ("lpips_before", "lpips_after"),
}
"""Figures of each log that are comparable over the whole of it."""


def main(folder: Path) -> None:
    names = [name for name in PANELS if (folder / f"{name}.csv").exists()]
    size = (4.2 * len(names), 3.4)
    _, axes = pyplot.subplots(1, len(names), figsize=size, layout="constrained", squeeze=False)
    for axis, name in zip(axes[0], names):
        rows = read_log(folder / f"{name}.csv")
        for figure in PANELS[name]:
            points = [(float(row["step"]), float(row[figure])) for row in rows if figure in row]
            if points:
                style = {"marker": "x"} if figure.startswith("held_out") else {"linewidth": 1}
                axis.plot(*zip(*points), label=figure, **style)
        axis.set(title=f"hsc train {name}", xlabel="step", yscale="log")
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3, which="both")
    pyplot.savefig(folder / "curves.png", dpi=110)
    print(folder / "curves.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else LOGS)
