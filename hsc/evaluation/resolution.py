"""``validate resolution``: at which resolution of the generator F is best taken, in bytes.

An oracle search, not a codec: for each picture y is found by gradient descent through the
generator, and its bytes are those of an ideal entropy coder told one scale and one step for each
component, which suit these pictures and are not counted. Nothing in it was trained for a
resolution: neither FCN nor the encoder's F takes part, and the transforms are made of the generator
in one way for all. Only S is the encoder's, the same coded S for all, so that all start alike.
"""

import math
from argparse import Namespace
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from hsc.codec import Codec
from hsc.evaluation import report
from hsc.evaluation.block_klt import BlockKlt, block_klts
from hsc.evaluation.contact_sheet import ContactSheet
from hsc.evaluation.judge import METRICS, Judge
from hsc.evaluation.pictures import held_out_pictures
from hsc.evaluation.rate_search import Coefficients, RateSearch
from hsc.evaluation.study.bd_rate import bd_rate
from hsc.generator.synthesis import FEATURE_PX
from hsc.inversion.refine import Refiner
from hsc.pictures import to_picture

KIND = "resolution"
SIZES_PX = (16, 32, 64)
COMPONENTS = 256
"""Twice FCN's channels: half as many hold back 64 px where bytes are many."""
PRICES = (0.003, 0.025, 0.2)
"""Of 1000 bytes in the loss; each search goes on from the one before."""
BITS = 8000
STEPS, PEOPLE = 32, 6
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
    "picture by {steps} gradient steps without a price (unlimited), then {steps} more at each "
    "price of 1000 bytes, from the lowest on, with rounding in the loop; the loss is that of "
    "`--refine` through the 256-px exit, the figures are of the full picture. Bytes are of F "
    "alone: the entropy of the symbols under one Laplacian a component, whose scale and step suit "
    "these pictures and are not counted. LPIPS and identity are in the loss, which flatters those "
    "figures; DISTS is not."
)


def run(args: Namespace) -> None:
    """Search at every resolution and price, print and save the figures.

    Args:
        args: faces, limit, steps, out and device.
    """
    pictures = held_out_pictures(args.faces, args.limit or PEOPLE)
    steps, folder = args.steps or STEPS, args.out or report.FOLDER
    codec = Codec.load(args.device)
    n, judge = codec.networks, Judge(codec.device)
    refiner = Refiner.load(n.fcn, n.preview, n.mirror, codec.device)
    images = [picture.load() for picture in pictures]
    originals = [judge.original(image) for image in images]
    small = torch.cat([codec.encoder.small(image) for image in images])
    w_plus = torch.cat([core(codec, codec.analyse(image).inversion.w_plus) for image in images])
    klts = block_klts(n.mapping, refiner.synthesis, SIZES_PX, COMPONENTS)
    rows: list[report.Row] = []
    drawn = [[image] for image in images]
    for done, (px, found) in enumerate(searches(klts, refiner, small, w_plus, steps), start=1):
        feature_s = n.synthesis.feature(w_plus, px)
        for index, size in enumerate(found.sizes().tolist()):
            part = slice(index, index + 1)
            feature = klts[px].restore(found.y_hat[part], feature_s[part])
            drawn[index].append(to_picture(n.synthesis.image(feature, w_plus[part])))
            figures = judge.compare(originals[index], drawn[index][-1])
            known = {"what": name(px, found.price), "picture": pictures[index].name, "px": px}
            known |= {"bytes": size if found.price else math.nan}
            rows.append(known | figures)
        report.print_progress(done, len(SIZES_PX) * (1 + len(PRICES)), rows[-1]["what"])
    explained = {str(px): klt.explained for px, klt in klts.items()}
    result = report.report(KIND, codec, pictures, rows)
    result |= {"steps": steps, "components": COMPONENTS, "explained": explained}
    report.write(result, rows, folder)
    sheet = ContactSheet(("original", *dict.fromkeys(row["what"] for row in rows)), TILE_PX)
    for picture, tiles in zip(pictures, drawn):
        sheet.add(picture.name, tiles)
    sheet.save(folder / f"{KIND}.jpg")
    print("\n\n".join(
        [note(result), verdict(result), equal_bytes_table(result), figures_table(result)]
    ))  # fmt: skip


def core(codec: Codec, w_plus: Tensor) -> Tensor:
    """S^, what a file would hold of S: (1, 23, 512)."""
    n = codec.networks
    data = n.scn.compress(w_plus, CORE_LEVEL, n.tables)
    return n.scn.decompress(data, CORE_LEVEL, n.tables).to(w_plus)


def searches(
    klts: dict[int, BlockKlt], refiner: Refiner, small: Tensor, w_plus: Tensor, steps: int
) -> Iterator[tuple[int, Coefficients]]:
    """Resolution and y, at first without a price.

    Args:
        small: the pictures, (N, 3, 256, 256); w_plus: S^ of each, (N, 23, 512).
        steps: of each search.
    """
    for px, klt in klts.items():
        search = RateSearch(klt, refiner, small, w_plus)
        found = search.free(steps)
        yield px, found
        for price in PRICES:
            found = search.priced(found, price / BITS, steps)
            yield px, found


def name(px: int, price: float) -> str:
    """The name of a row; the price is that of a bit."""
    return f"{px} px, {f'{BITS * price:.2g} a KB' if price else 'unlimited'}"


def note(result: dict) -> str:
    """How to read the tables."""
    explained = ", ".join(f"{100 * s:.0f}% at {px} px" for px, s in result["explained"].items())
    return NOTE.format(
        components=result["components"], steps=result["steps"], explained=explained
    )


def figures_table(result: dict) -> str:
    """Means of every resolution and price."""
    lines = [
        [row["what"], report.number(row["bytes"], 0)]
        + [report.number(row[m.key], m.digits) for m in METRICS]
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
        + [report.number(figures[m.key][size][px], m.digits) for m in shown]
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
            nearest.setdefault((labels[key], best(there, key=there.get)), []).append(f"{size}")
    where = "; ".join(f"{label} {px} px at {_list(at)}" for (label, px), at in nearest.items())
    where = where or "no size that all of them reach"
    costs = []
    for px in (px for px in curves(result, COMPARED[0]) if px != FEATURE_PX):
        parts = [f"{_cost(result, key, px)} for equal {labels[key]}" for key in COMPARED]
        costs.append(f"with F at {px} px {_list(parts)}")
    return (
        f"Nearest in as many bytes: {where}. Bytes beside those of F at {FEATURE_PX} px, over the "
        f"qualities that both reach: {'; '.join(costs)}."
    )


def _cost(result: dict, key: str, px: int) -> str:
    found = curves(result, key)
    anchor, test = found.get(FEATURE_PX, []), found.get(px, [])
    saving = bd_rate(anchor, test, less_is_better=key != "psnr_256")
    if saving.percent is not None:
        return f"{saving.percent:+.0f}%"
    return {"test": "fewer", "anchor": "more", None: "unknown"}[saving.better_everywhere]


def _list(parts: Sequence[str]) -> str:
    """Parts with commas, and an ``and`` before the last."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
