"""``validate resolution``: at which resolution of the generator F is best taken, in bytes.

An oracle search, not a codec: for each picture y is found by gradient descent through the
generator, and its bytes are those of an ideal entropy coder told one scale and one step for each
component, which suit the pictures searched and are not counted. Nothing in it was trained for a
resolution: neither FCN nor the encoder's F takes part, and the transforms are made of the generator
in one way for all. Only S is the encoder's, the same coded S for all, so that all start alike.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hsc.codec import Codec
from hsc.images.tensors import to_picture
from hsc.inversion.refine import Refiner
from hsc.metrics.evaluator import METRICS, Evaluator
from hsc.research.data.held_out import HeldOutPicture, held_out_pictures
from hsc.research.evaluation import report
from hsc.research.evaluation.block_klt import BlockKlt, block_klts
from hsc.research.evaluation.contact_sheet import ContactSheet
from hsc.research.evaluation.rate_search import Coefficients, RateSearch
from hsc.research.evaluation.study.bd_rate import bd_rate
from hsc.research.options import ValidateOptions
from hsc.weights.loading import model_config

KIND = "resolution"
SIZES_PX = (16, 32, 64)
COMPONENTS = 256
"""Twice FCN's channels: half as many hold back 64 px where bytes are many."""
PRICES = (0.003, 0.025, 0.2, 0.8)
"""Of 1000 bytes in the loss; each search goes on from the one before."""
BITS = 8000
STEPS, PEOPLE = 24, 6
TOGETHER = 2
"""Pictures that share scales and steps; a report is written whenever so many are done."""
CORE_LEVEL = 3.0
"""The level at which S is coded; it hardly differs between levels."""
BYTES = (500, 1000, 2000, 4000, 8000)
"""Where resolutions are compared, as far as all of them were measured around there."""
COMPARED = ("lpips_256", "dists_256", "identity_l2", "psnr_256")
TILE_PX = 128
NOTE = (
    "An oracle search with an ideal factorised prior: a comparison of resolutions, not a codec. "
    "F = F_S + g_s(y), where F_S is what the coded S predicts at that resolution and g_s the KLT "
    "of blocks of differences between faces that the generator drew, {components} components on a "
    "grid of 16 x 16 for each, {explained} of the differences' variance. y is found for each "
    "picture by {steps} gradient steps at no price, which do not yet come as near as those that "
    "follow, then {steps} more at each price of 1000 bytes, from the lowest on, with rounding in "
    "the loop; the loss is that of `--refine` through the 256-px exit, the figures are of the full "
    "picture. Bytes are of F "
    "alone: the entropy of the symbols under one Laplacian a component, whose scale and step suit "
    "the {together} pictures that are searched together and are not counted. LPIPS and identity "
    "are in the loss, which flatters those figures; DISTS is not."
)


def run(options: ValidateOptions) -> None:
    """Search at every resolution and price, print and save the figures.

    Args:
        options: faces, limit, steps, out and device.
    """
    pictures = held_out_pictures(options.faces, options.limit or PEOPLE)
    steps, folder = options.steps or STEPS, options.out
    codec = Codec.load(options.device)
    refiner = codec.encoder.refiner
    klts = block_klts(codec.networks.mapping, refiner.synthesis, SIZES_PX, COMPONENTS)
    about: dict[str, Any] = {"steps": steps, "components": COMPONENTS, "together": TOGETHER}
    about |= {"explained": {str(px): klt.explained for px, klt in klts.items()}}
    bench = Bench(codec, Evaluator(codec.device), refiner, klts, steps)
    rows: list[report.Row] = []
    sheet: ContactSheet | None = None
    for start in range(0, len(pictures), TOGETHER):
        group = pictures[start : start + TOGETHER]
        images = [picture.load() for picture in group]
        rendered: dict[str, list[Image.Image]] = {picture.name: [] for picture in group}
        for row, tile in bench.measure(group, images):
            rows.append(row)
            rendered[row["picture"]].append(tile)
        sheet = sheet or ContactSheet(
            ("original", *dict.fromkeys(row["what"] for row in rows)), TILE_PX
        )
        for picture, image in zip(group, images):
            sheet.add(picture.name, [image, *rendered[picture.name]])
        done = pictures[: start + len(group)]
        result = report.report(KIND, codec, done, rows) | about
        report.write(result, rows, folder)
        sheet.save(folder / f"{KIND}.jpg")
        report.print_progress(len(done), len(pictures), group[-1].name)
    print("\n\n".join(
        [note(result), verdict(result), equal_bytes_table(result), figures_table(result)]
    ))  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """What every group of pictures is searched and measured with."""

    codec: Codec
    evaluator: Evaluator
    refiner: Refiner
    klts: dict[int, BlockKlt]
    steps: int

    def measure(
        self, group: Sequence[HeldOutPicture], images: Sequence[Image.Image]
    ) -> Iterator[tuple[report.Row, Image.Image]]:
        """Figures and full picture of each face at every resolution and price."""
        codec, synthesis = self.codec, self.codec.networks.synthesis
        originals = [self.evaluator.original(image) for image in images]
        small = torch.cat([codec.encoder.small(image) for image in images])
        w_plus = torch.cat([core(codec, image) for image in images])
        for px, found in self._searches(small, w_plus):
            feature_s = synthesis.feature(w_plus, px)
            sizes = found.sizes().tolist() if found.price else [math.nan] * len(group)
            for index, picture in enumerate(group):
                part = slice(index, index + 1)
                feature = self.klts[px].restore(found.y_hat[part], feature_s[part])
                rendered = to_picture(synthesis.image(feature, w_plus[part]))
                known = {"what": name(px, found.price), "picture": picture.name, "px": px}
                figures = self.evaluator.compare(originals[index], rendered)
                yield known | {"bytes": sizes[index]} | figures, rendered
            print(f"  {name(px, found.price)}", file=sys.stderr, flush=True)

    def _searches(self, small: Tensor, w_plus: Tensor) -> Iterator[tuple[int, Coefficients]]:
        """Resolution and y, at first without a price.

        Args:
            small: the pictures, (N, 3, 256, 256); w_plus: S^ of each, (N, 23, 512).
        """
        for px, klt in self.klts.items():
            search = RateSearch(klt, self.refiner, small, w_plus)
            found = search.free(self.steps)
            yield px, found
            for price in PRICES:
                found = search.priced(found, price / BITS, self.steps)
                yield px, found


def core(codec: Codec, image: Image.Image) -> Tensor:
    """S^, what a file would hold of the encoder's S: (1, 23, 512)."""
    n, w_plus = codec.networks, codec.analyse(image, correct=False).w_plus
    data = n.scn.compress(w_plus, CORE_LEVEL)
    return n.scn.decompress(data, CORE_LEVEL).to(w_plus)


def name(px: int, price: float) -> str:
    """The name of a row; the price is that of a bit."""
    return f"{px} px, {f'{BITS * price:.2g} a KB' if price else 'no price'}"


def note(result: dict) -> str:
    """How to read the tables."""
    explained = ", ".join(f"{100 * s:.0f}% at {px} px" for px, s in result["explained"].items())
    return NOTE.format(
        components=result["components"], steps=result["steps"], together=result["together"],
        explained=explained,
    )  # fmt: skip


def figures_table(result: dict) -> str:
    """Means of every resolution and price."""
    lines = [
        [row["what"], report.number(row["bytes"], 0), *report.figures(row)]
        for row in result["summary"]
    ]
    return report.table(["F at, price", "bytes of F", *(m.label for m in METRICS)], lines)


def curves(result: dict, key: str) -> dict[int, list[tuple[float, float]]]:
    """Resolution -> (bytes, figure) of every price, from the fewest bytes on."""
    found: dict[int, list[tuple[float, float]]] = {}
    for row in result["summary"]:
        if None not in (row["bytes"], row[key]):
            found.setdefault(round(row["px"]), []).append((row["bytes"], row[key]))
    return {px: sorted(points) for px, points in found.items()}


def at_equal_bytes(result: dict, key: str) -> dict[int, dict[int, float]]:
    """Bytes -> resolution -> figure, on straight lines over the logarithm of bytes.

    Only sizes between the least and the most of every resolution.
    """
    found: dict[int, dict[int, float]] = {}
    for size in BYTES:
        there = {}
        for px, points in curves(result, key).items():
            sizes, figures = np.array(points).T
            if sizes[0] <= size <= sizes[-1]:
                there[px] = float(np.interp(math.log(size), np.log(sizes), figures))
        if len(there) == len(curves(result, key)):
            found[size] = there
    return found


def equal_bytes_table(result: dict) -> str:
    """Figures of the resolutions in as many bytes."""
    shown = [m for m in METRICS if m.key in COMPARED]
    figures = {m.key: at_equal_bytes(result, m.key) for m in shown}
    lines = [
        [f"{size} bytes, F at {px} px"]
        + [report.number(figures[m.key].get(size, {}).get(px), m.digits) for m in shown]
        for size, there in figures[COMPARED[0]].items()
        for px in there
    ]
    return report.table(["in as many bytes", *(m.label for m in shown)], lines)


def verdict(result: dict) -> str:
    """Which resolution is nearest at which size, and what the others cost at equal quality."""
    labels = {m.key: m.label.replace(" (dB)", "") for m in METRICS}
    nearest: dict[tuple[str, int], list[str]] = {}
    for key in COMPARED:
        best = max if key == "psnr_256" else min
        for size, there in at_equal_bytes(result, key).items():
            nearest.setdefault((labels[key], best(there, key=there.__getitem__)), []).append(
                f"{size}"
            )
    where = (
        "; ".join(f"{px} px in {label} at {_list(at)} bytes" for (label, px), at in nearest.items())
        or "no size that all of them reach"
    )
    costs = []
    own = model_config().generator.feature_px
    for px in (px for px in curves(result, COMPARED[0]) if px != own):
        parts = [f"{_cost(result, key, px)} for equal {labels[key]}" for key in COMPARED]
        costs.append(f"with F at {px} px {_list(parts)}")
    return (
        f"Nearest in as many bytes is F at {where}. Bytes beside those of F at "
        f"{own} px, "
        f"over the qualities that both reach: {'; '.join(costs)}."
    )


def _cost(result: dict, key: str, px: int) -> str:
    found = curves(result, key)
    anchor, test = found.get(model_config().generator.feature_px, []), found.get(px, [])
    saving = bd_rate(anchor, test, less_is_better=key != "psnr_256")
    if saving.percent is not None:
        return f"{saving.percent:+.0f}%"
    return {"test": "fewer", "anchor": "more", None: "unknown"}[saving.better_everywhere]


def _list(parts: Sequence[str]) -> str:
    """Parts with commas, and an ``and`` before the last."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
