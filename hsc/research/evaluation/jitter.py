"""``validate jitter``: whether a crop that lies a little differently changes who it is.

Each face is moved, scaled and turned ten times by about what an aligner is uncertain by, compressed
and decoded. The distances of each decoded picture from its own crop, by both recognisers, and their
spread over the ten say how much of the identity hangs on the crop.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from hsc.codec import Codec
from hsc.metrics.evaluator import Evaluator
from hsc.research.evaluation import faults, report
from hsc.research.options import ValidateOptions

KIND = "jitter"
LEVELS = (1.0, 3.0, 6.0)
JITTERS = 10
SHIFT, SCALE, DEGREES = 0.02, 0.02, 1.0
"""At most: parts of the side, of the size, and an angle; all as likely up to it."""
NOTE = (
    f"Every face {JITTERS} times, moved by up to {SHIFT:.0%} of the side, scaled by up to "
    f"{SCALE:.0%} and turned by up to {DEGREES:g} degree before it is compressed. Distances of "
    "decoded pictures from their own crops: mean over all, mean of each face's standard deviation "
    "and of its range over the jitters."
)


def run(options: ValidateOptions) -> None:
    """Measure the spread, print and save the figures.

    Args:
        options: as ``faults.run``.
    """
    codec = Codec.load(options.device)
    evaluator = Evaluator(codec.device, figures=faults.FIGURES)
    levels = tuple(options.levels or LEVELS)
    pictures = faults.faces(codec, options)
    rows: list[report.Row] = []
    for number, (name, image) in enumerate(pictures, start=1):
        for index in range(JITTERS):
            crop = jittered(image, np.random.default_rng(index))
            original = evaluator.original(crop)
            for level, (data, decoded) in faults.coded(codec, crop, levels).items():
                figures = evaluator.compare(original, decoded, faults.FIGURES)
                rows.append(
                    {
                        "what": f"level {level:g}",
                        "picture": name,
                        "jitter": index,
                        "bytes": len(data),
                    }
                    | figures
                )
        report.print_progress(number, len(pictures), name)
    result = faults.circumstances(KIND, codec, options, len(pictures))
    result |= {"summary": summarise(rows)}
    report.write(result, rows, options.out)
    print(NOTE + "\n\n" + figures_table(result))


def jittered(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """A square picture moved, scaled and turned a little; its edges are repeated."""
    side = image.width
    x, y = random.uniform(-SHIFT * side, SHIFT * side, 2)
    scale = 1 + random.uniform(-SCALE, SCALE)
    angle = np.radians(random.uniform(-DEGREES, DEGREES))
    pad = side // 8
    pixels = np.pad(np.asarray(image), ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    a, b = np.cos(angle) / scale, np.sin(angle) / scale
    middle = side / 2
    # (column, row) of the result -> place in the padded picture
    coefficients = (
        a, b, pad + middle + x - a * middle - b * middle,
        -b, a, pad + middle + y + b * middle - a * middle,
    )  # fmt: skip
    return Image.fromarray(pixels).transform(
        image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
    )


def summarise(rows: list[report.Row]) -> list[report.Row]:
    """By level: means, and the spread of each face's distances over its jitters."""
    summary = []
    for what in dict.fromkeys(row["what"] for row in rows):
        group = [row for row in rows if row["what"] == what]
        means: report.Row = {"what": what, "bytes": float(np.mean([r["bytes"] for r in group]))}
        for key in faults.FIGURES:
            faces = [
                [row[key] for row in group if row["picture"] == name and not np.isnan(row[key])]
                for name in dict.fromkeys(row["picture"] for row in group)
            ]
            faces = [each for each in faces if each]
            if not faces:
                continue
            means[key] = float(np.mean([np.mean(each) for each in faces]))
            means[f"{key}_std"] = float(np.mean([np.std(each) for each in faces]))
            means[f"{key}_range"] = float(np.mean([np.ptp(each) for each in faces]))
        summary.append(means)
    return summary


def figures_table(result: dict) -> str:
    """The report's means as a table."""
    columns = [
        (f"{key}{part}", f"{name}{label}")
        for key, name in zip(faults.FIGURES, ("dlib", "FaceRes"))
        for part, label in (("", ""), ("_std", ", std"), ("_range", ", range"))
    ]
    lines = [
        [row["what"], report.number(row["bytes"], 0)]
        + [report.number(row.get(key), 3) for key, _ in columns]
        for row in result["summary"]
    ]
    return report.table(["files", "bytes", *(label for _, label in columns)], lines)
