"""``validate bound``: which part limits quality; each part is made perfect in turn.

A file's picture passes through the encoder (GIE and the correction of F), SCN and FCN. Here each is
replaced by an uncompressed or ideal version while the others are unchanged. Pictures are compared
with photographs of 900 px or more, at their own size.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from PIL import Image
from torch import Tensor

from hsc.codec import Codec
from hsc.images.tensors import to_picture
from hsc.numerics.exact import snap
from hsc.research.evaluation import report
from hsc.research.evaluation.contact_sheet import ContactSheet
from hsc.research.evaluation.full_size import crop_of, photographs
from hsc.research.evaluation.full_size_metric import FIGURES, FullSizeEvaluator
from hsc.research.evaluation.oracle import STEPS, Oracle
from hsc.research.options import ValidateOptions
from hsc.types import DecodedLatents, Inversion

LEVELS = (1.0, 3.0, 6.0)
PEOPLE = 6
TILE_PX = 128
FREE, FITTED = "GIE, nothing coded", "oracle, nothing coded"
FILE = "the file"
PERFECT = {
    "encoder": "oracle, coded",
    "SCN": "S not coded",
    "FCN's rounding": "F not rounded",
    "FCN": "F not coded",
}
"""Part of the codec -> what is rendered when that part is perfect."""
STATIONS = {"S coded": "oracle, S coded", "FCN's transforms": "oracle, F not rounded"}
"""Where the oracle's picture is looked at on its way through the codec."""
GAINS = {"lpips_1024": "LPIPS@1024", "dists_256": "DISTS@256", "identity_faceres": "FaceRes"}
"""Figures that name the limiting part, and what tables call them."""
COLUMNS = (
    ("bytes", "bytes", 0),
    *((f.key, f.label, f.digits) for f in FIGURES if f.key != "skin_p90"),
)
NOTE = (
    "{count} photographs of 900 px or more, compared at their own size: the same pictures with one "
    "part at a time made perfect. The file: F corrected for its level, coded. S not coded: S as "
    "GIE found it, F coded anew for it (bytes of FCN alone). F not rounded: FCN's transforms "
    "without rounding, and F not coded: the corrected F, both beside the coded S (bytes of SCN "
    "alone). Oracle: S and F fitted to the picture by {steps} gradient steps from what GIE found, "
    "through the generator alone, then coded as they are. Its loss has LPIPS of windows at full "
    "size and at 256 px and dlib's network in it, so those figures flatter it; DISTS and FaceRes "
    "are not in it. On its way to the file: its F with its S coded, and then through FCN's "
    "transforms without rounding."
)


def run(options: ValidateOptions) -> None:
    """Measure every replacement, print and save the figures.

    Args:
        options: faces, limit, levels, steps, out and device.
    """
    pictures = photographs(options.faces, options.limit or PEOPLE)
    levels = sorted(set(options.levels or LEVELS))
    codec = Codec.load(options.device)
    evaluator, oracle = FullSizeEvaluator(codec.device), Oracle.load(codec)
    steps, folder = options.steps or STEPS, options.out
    rows: list[report.Row] = []
    sheet: ContactSheet | None = None
    for number, picture in enumerate(pictures, start=1):
        image = picture.load()
        reference = evaluator.reference(image)
        rendered = list(draw_all(codec, oracle, crop_of(codec, image), levels, steps))
        for what, drawing, size in rendered:
            figures = evaluator.compare(reference, drawing)
            rows.append({"what": what, "picture": picture.name, "bytes": size} | figures)
        titles = ("original", *(what.replace("level ", "") for what, _, _ in rendered))
        sheet = sheet or ContactSheet(titles, TILE_PX)
        sheet.add(picture.name, [image, *(drawing for _, drawing, _ in rendered)])
        report.print_progress(number, len(pictures), picture.name)
    result = report.made_now("bound", codec) | {
        "pictures": len(pictures),
        "levels": levels,
        "steps": steps,
        "summary": report.summarise(rows),
    }
    report.write(result, rows, folder)
    if sheet:
        sheet.save(folder / "bound.jpg")
    print("\n\n".join([note(result), figures_table(result), gains_table(result), verdict(result)]))


@torch.no_grad()
def draw_all(
    codec: Codec, oracle: Oracle, image: Image.Image, levels: Sequence[float], steps: int
) -> Iterator[tuple[str, Image.Image, float]]:
    """Name, picture and bytes of every way to render one face.

    Bytes are those of the layers that were coded; nan where none was.
    """
    found = codec.analyse(image)
    fitted = oracle.fit(image, found, steps)
    for what, inversion in ((FREE, found), (FITTED, fitted)):
        yield what, _draw(codec, inversion.feature, _styles(codec, inversion)), math.nan
    for level in levels:
        for what, picture, size in _at(codec, found, fitted, level):
            yield at(level, what), picture, size


def at(level: float, what: str) -> str:
    """The name of a row."""
    return f"level {level:g}: {what}"


def _at(
    codec: Codec, found: Inversion, fitted: Inversion, level: float
) -> Iterator[tuple[str, Image.Image, float]]:
    scn = codec.networks.scn
    found = codec.encoder.correct(found, level)
    data = codec.compress(found, level)
    opened = codec.open(data)
    yield FILE, codec.draw(opened), len(data)
    data = codec.compress(fitted, level)
    coded = codec.open(data)
    yield PERFECT["encoder"], codec.draw(coded), len(data)
    yield STATIONS["S coded"], _draw(codec, fitted.feature, coded.w_plus), math.nan
    feature = _unrounded(codec, fitted.feature, coded, level)
    yield STATIONS["FCN's transforms"], _draw(codec, feature, coded.w_plus), math.nan
    feature, size = _through_fcn(codec, found, level)
    yield PERFECT["SCN"], _draw(codec, feature, _styles(codec, found)), size
    size = len(scn.compress(found.w_plus, level, fine=found.fine_s))
    feature = _unrounded(codec, found.feature, opened, level)
    yield PERFECT["FCN's rounding"], _draw(codec, feature, opened.w_plus), size
    yield PERFECT["FCN"], _draw(codec, found.feature, opened.w_plus), size


def _styles(codec: Codec, found: Inversion) -> Tensor:
    """What S and F are drawn with: S and its fine styles, uncoded."""
    return codec.networks.fcn.fine.add(found.w_plus, found.fine)


def _unrounded(codec: Codec, feature: Tensor, coded: DecodedLatents, level: float) -> Tensor:
    """F as FCN's transforms leave it."""
    fcn = codec.networks.fcn
    y, more = fcn.latent(feature, coded.feature_s, level)
    y = y if more is None else torch.cat([y, more(y)], 1)
    return fcn.restore(y, coded.feature_s, level)


def _through_fcn(codec: Codec, found: Inversion, level: float) -> tuple[Tensor, int]:
    """F^ where FCN is conditioned on S instead of S^, and the bytes of FCN."""
    n = codec.networks
    exact = snap(found.w_plus.double().cpu())
    semantics = n.semantics(exact, found.feature_s)
    data = n.fcn.compress(found.feature, level, semantics, found.fine)
    return n.fcn.decompress(data, level, semantics), len(data)


def _draw(codec: Codec, feature: Tensor, w_plus: Tensor) -> Image.Image:
    return to_picture(codec.decoder.render(feature, w_plus))


def note(result: dict) -> str:
    """How to read the tables."""
    return NOTE.format(count=result["pictures"], steps=result["steps"])


def figures_table(result: dict) -> str:
    """Means of every replacement."""
    lines = [
        [row["what"], *(report.number(row[key], digits) for key, _, digits in COLUMNS)]
        for row in result["summary"]
    ]
    return report.table(["rendered from", *(label for _, label, _ in COLUMNS)], lines)


def gains(result: dict) -> dict[float, dict[str, dict[str, float]]]:
    """Level -> part -> reduction of each figure when the part is perfect."""
    rows = {row["what"]: row for row in result["summary"]}
    found: dict[float, dict[str, dict[str, float]]] = {}
    for level in result["levels"]:
        whole = rows[at(level, FILE)]
        found[level] = {
            part: {key: whole[key] - rows[at(level, what)][key] for key in GAINS}
            for part, what in PERFECT.items()
        }
    return found


def gains_table(result: dict) -> str:
    """Gain of each part if it were perfect."""
    lines = [
        [f"level {level:g}: {part}", *(f"{-part_gains[key]:+.3f}" for key in GAINS)]
        for level, parts in gains(result).items()
        for part, part_gains in parts.items()
    ]
    return report.table(["if this were perfect", *GAINS.values()], lines)


def verdict(result: dict) -> str:
    """The limiting part at each level, and the distance that is left without coding."""
    rows = {row["what"]: row for row in result["summary"]}
    sentences = []
    for level, parts in gains(result).items():
        best = []
        for key, label in GAINS.items():
            part = max(("encoder", "SCN", "FCN"), key=lambda name: parts[name][key])
            rounding = -parts["FCN's rounding"][key]
            split = f", of that {rounding:+.3f} by rounding" if part == "FCN" else ""
            best.append(f"{part} in {label} ({-parts[part][key]:+.3f}{split})")
        sentences.append(f"level {level:g}: {', '.join(best)}")
    left = ", ".join(
        f"{label} {rows[FREE][key]:.3f} ({rows[FITTED][key]:.3f} for the oracle)"
        for key, label in GAINS.items()
    )
    return (
        f"The part whose perfection would gain most: {'; '.join(sentences)}. With nothing coded at "
        f"all there remain {left}.{_way_of_the_oracle(result)}"
    )


def _way_of_the_oracle(result: dict) -> str:
    """What the oracle's picture loses at each station; nothing for reports without them."""
    rows = {row["what"]: row["lpips_1024"] for row in result["summary"]}
    stations = (*STATIONS.values(), PERFECT["encoder"])
    if any(at(level, what) not in rows for level in result["levels"] for what in stations):
        return ""
    ways = [
        f"level {level:g}: " + ", ".join(f"{rows[at(level, what)]:.3f}" for what in stations)
        for level in result["levels"]
    ]
    return (
        f" LPIPS@1024 of the oracle, {rows[FITTED]:.3f}, with S coded, then through FCN's "
        f"transforms, then in the file: {'; '.join(ways)}."
    )
