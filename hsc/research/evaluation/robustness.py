"""``validate robustness``: degraded photographs.

Every picture is compressed as it is and damaged in five ways. The decoded picture is compared
with the picture before the damage, or with the damaged one where the damage should be preserved: a
skewed crop, a picture without colour.
"""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from hsc.codec import Codec
from hsc.metrics.evaluator import METRICS, Evaluator
from hsc.research.data.held_out import held_out_pictures
from hsc.research.evaluation import report
from hsc.research.evaluation.contact_sheet import ContactSheet
from hsc.research.options import ValidateOptions

KIND = "robustness"
LEVEL = 3.0
UPLOAD, FILE = "the upload", "the file"
JPEG_PX, JPEG_QUALITY = 256, 15
SMALL_PX = 64
DEGREES, MOVED = 4, (0.04, -0.03)
DARKNESS, NOISE = 0.3, 6.0
NOTE = (
    "Held-out pictures at level {level:g}, damaged before they are compressed: turned by "
    f"{DEGREES} degrees and moved by {MOVED[0]:.0%} and {-MOVED[1]:.0%} of the side; as a JPEG of "
    f"quality {JPEG_QUALITY} at {JPEG_PX} px; at {SMALL_PX} px; at {DARKNESS:.0%} of the light, "
    f"with noise of {NOISE:g} of 255; without colour. *{UPLOAD.capitalize()}* is what the damage "
    "alone does, *{file}* what is rendered from the bytes; both beside the picture before the "
    "damage, or, askew, dark and without colour, which are to stay, beside the damaged one."
)


@dataclass(frozen=True)
class Damage:
    """A degradation of photographs.

    Attributes:
        name: as it stands in tables.
        apply: what it does to an RGB picture.
        undone: whether decoding should undo it.
    """

    name: str
    apply: Callable[[Image.Image], Image.Image]
    undone: bool = True


def askew(image: Image.Image) -> Image.Image:
    """As an alignment that went a little wrong."""
    moved = (round(MOVED[0] * image.width), round(MOVED[1] * image.width))
    return image.rotate(DEGREES, Image.Resampling.BICUBIC, translate=moved)


def much_compressed(image: Image.Image) -> Image.Image:
    """Small, and with JPEG's blocks."""
    buffer = io.BytesIO()
    small = image.resize((JPEG_PX, JPEG_PX), Image.Resampling.LANCZOS)
    small.save(buffer, "JPEG", quality=JPEG_QUALITY)
    with Image.open(buffer) as decoded:
        return decoded.convert("RGB").resize(image.size, Image.Resampling.BICUBIC)


def tiny(image: Image.Image) -> Image.Image:
    """Enlarged from a few pixels."""
    small = image.resize((SMALL_PX, SMALL_PX), Image.Resampling.LANCZOS)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def dark(image: Image.Image) -> Image.Image:
    """Underexposed, with a sensor's noise; the same noise every time."""
    noise = np.random.default_rng(0).normal(0, NOISE, (image.height, image.width, 3))
    pixels = np.asarray(image, np.float64) * DARKNESS + noise
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))


def grey(image: Image.Image) -> Image.Image:
    """Black and white."""
    return image.convert("L").convert("RGB")


DAMAGES = (
    Damage("as it is", lambda image: image, undone=False),
    Damage("askew", askew, undone=False),
    Damage("JPEG", much_compressed),
    Damage(f"{SMALL_PX} px", tiny),
    Damage("dark", dark, undone=False),
    Damage("without colour", grey, undone=False),
)


def run(options: ValidateOptions) -> None:
    """Measure every damage on the validation pictures, print and save the figures.

    Args:
        options: faces, limit, out and device.
    """
    pictures = held_out_pictures(options.faces, options.limit)
    codec = Codec.load(options.device)
    evaluator, folder = Evaluator(codec.device), options.out
    titles = [f"{damage.name}, {part}" for damage in DAMAGES for part in (UPLOAD, FILE)]
    sheet = ContactSheet(titles, tile_px=128)
    rows: list[report.Row] = []
    for number, picture in enumerate(pictures, start=1):
        image = picture.load()
        shown: list[Image.Image] = []
        undamaged = evaluator.original(image)
        for damage in DAMAGES:
            upload = damage.apply(image)
            original = undamaged if damage.undone else evaluator.original(upload)
            data = codec.compress(codec.analyse(upload), LEVEL)
            rendered = {UPLOAD: upload, FILE: codec.decode(data)}
            for part, decoded in rendered.items():
                if part == UPLOAD and not damage.undone:
                    continue  # it is what the file is compared with
                figures = evaluator.compare(original, decoded)
                row = {"what": f"{damage.name}: {part}", "picture": picture.name}
                size = {"bytes": len(data) if part == FILE else math.nan}
                rows.append(row | size | figures)
            shown += rendered.values()
        sheet.add(picture.name, shown)
        report.print_progress(number, len(pictures), picture.name)
    result = report.report(KIND, codec, pictures, rows)
    report.write(result, rows, folder)
    sheet.save(folder / f"{KIND}.jpg")
    print(note() + "\n\n" + figures_table(result))


def note() -> str:
    """What was done to the pictures, and what they were compared with."""
    return NOTE.format(level=LEVEL, file=FILE.capitalize())


def figures_table(result: dict) -> str:
    """The report's means as a table."""
    header = ["upload", "bytes", *(m.label for m in METRICS), "no face found"]
    lines = [
        [row["what"], report.number(row["bytes"], 0), *report.figures(row)]
        + [str(row["faces_not_found"])]
        for row in result["summary"]
    ]
    return report.table(header, lines)
