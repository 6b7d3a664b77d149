"""``validate photographs``: whole photographs, and what shows where faces were put back.

For every face, colours are compared on two rings along its seam: one just inside of where half of
each pixel is the face's, one just outside. A seam is seen where the error of one differs from that
of the other, so the figure is the step between both, in 24 sectors around the face. Beside it
stands the same for a plain paste of the whole square, without a mask and without matched colours,
and along the same rings for an AVIF of as many bytes, which has no seam: what is left there is
detail that was lost. Every face is also compared with its original, in the aligned crop, by LPIPS
and both recognisers; so is AVIF's.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from hsc import photograph
from hsc.codec import Codec
from hsc.domains.ffhq_face.align import Square, cut_square
from hsc.errors import HscError
from hsc.images import PICTURE_SUFFIXES, marks
from hsc.images.photo import read_photo
from hsc.metrics.evaluator import Evaluator
from hsc.photograph import DrawnFace
from hsc.photograph.coding import CROP_PX
from hsc.photograph.mask import PX, Mask
from hsc.photograph.paste import draw, warped
from hsc.photograph.placement import from_crop
from hsc.research.evaluation import report
from hsc.research.evaluation.contact_sheet import ContactSheet
from hsc.research.options import ValidateOptions
from hsc.vision.appearance import to_lab

KIND = "photographs"
LEVELS = (1.0, 3.0, 6.0)
AROUND = 1.25
"""What is looked at of a face, as a part of its square's side."""
SECTORS = 24
LEAST = 12
"""Pixels of a sector's ring from which it counts."""
BAND = 8
"""Width in pixels of the rings along a plain square."""
BLUR = 2.0
"""Standard deviation in pixels over which errors are averaged: what is finer is detail."""
SHEET_PX = 384
FIGURES = ("lpips_256", "identity_l2", "identity_faceres")
NOTE = (
    "*Step*: the difference between the errors just inside and outside of a seam, in CIE L*a*b*, "
    f"mean and largest over {SECTORS} sectors of all faces; from about 2 on it can be seen on a "
    "smooth wall. *Plain*: the same where the whole square is pasted. *AVIF*: along the same rings "
    "in an AVIF of as many bytes, which has no seam. *Ring* and *face*: mean error of colour "
    "beside the seam and in the face. LPIPS@256, dlib and FaceRes: distances of each face in its "
    "aligned crop from the photograph's."
)


def run(options: ValidateOptions) -> None:
    """Measure every photograph of a folder at every level; print and save figures and pictures.

    Sheets show every face with what is around it, much smaller where it is large; the decoded
    photographs are saved beside them, to be looked at as they are.

    Args:
        options: photos, levels, limit, out and device.

    Raises:
        HscError: there is no photograph.
    """
    paths = photographs_in(options.photos)[: options.limit]
    codec = Codec.load(options.device)
    evaluator = Evaluator(codec.device, figures=FIGURES)
    rows: list[report.Row] = []
    for number, path in enumerate(paths, start=1):
        picture = read_photo(path)
        found = photograph.find(picture)
        sheet = ContactSheet(
            ["original", *(f"level {level:g}" for level in options.levels or LEVELS), "AVIF"],
            SHEET_PX,
        )
        columns: list[list[Image.Image]] = []
        for level in options.levels or LEVELS:
            coded = photograph.encode(codec, picture, level, found=found)
            shown = photograph.decode(codec, coded.file)
            columns.append([tile(shown.picture, face.square) for face in shown.drawn])
            options.out.mkdir(parents=True, exist_ok=True)
            marks.save(shown.picture, options.out / f"{KIND}-{path.stem}-{level:g}.png", "PNG")
            plain = pasted_plainly(codec, coded, shown)
            (avif,) = photograph.compare(picture, len(coded.data), ["avif"])
            sizes = {
                "bytes": len(coded.data),
                "background": len(coded.file.background),
                "avif_bytes": len(avif.data),
                "faces": len(found),
            }
            for face in shown.drawn:
                figures = seam(picture, shown.picture, face) | plain_step(picture, plain, face)
                figures |= {"avif_step": seam(picture, avif.picture, face)["step"]}
                figures |= likeness(evaluator, picture, shown.picture, avif.picture, face)
                row = {"what": f"level {level:g}", "picture": f"{path.stem} {face.number}"}
                rows.append(row | sizes | figures)
        if found:
            for index, each in enumerate(found):
                tiles = [tile(picture, each.square), *(column[index] for column in columns)]
                sheet.add(f"face {each.number}", [*tiles, tile(avif.picture, each.square)])
            sheet.save(options.out / f"{KIND}-{path.stem}.jpg")
        report.print_progress(number, len(paths), f"{path.name}: {len(found)} faces")
    if not rows:
        raise HscError("Expected photographs with faces, found no face in any of them.")
    result = report.made_now(KIND, codec) | {
        "notes": [
            f"{len(paths)} photographs, {photograph.BACKGROUND_BYTES:,} bytes of background."
        ],
        "summary": summary(rows),
    }
    report.write(result, rows, options.out)
    print(f"{NOTE}\n\n{figures_table(result)}")


def photographs_in(folder: Path | None) -> list[Path]:
    """The picture files of a folder. Raises HscError where there is none."""
    found = sorted(
        path
        for path in (folder.iterdir() if folder and folder.is_dir() else ())
        if path.suffix.lower() in PICTURE_SUFFIXES
    )
    if not found:
        raise HscError(f"Expected a folder of photographs (--photos DIR), got {folder}.")
    return found


def seam(original: Image.Image, result: Image.Image, face: DrawnFace) -> dict[str, float]:
    """Errors of colour along a face's seam, beside it and in the face."""
    error = _error(original, result, face.square)
    mask = _wide(face.mask)
    inner, outer = (mask > 0.7) & (mask < 0.995), (mask > 0.005) & (mask < 0.3)
    steps = _steps(error, inner, outer)
    size = np.hypot(*np.moveaxis(error[..., 1:], -1, 0))
    size = np.hypot(size, error[..., 0])
    return {
        "step": _mean(steps),
        "step_max": max(steps, default=math.nan),
        "ring": _mean(size[(inner | outer) & np.isfinite(size)]),
        "face": _mean(size[(mask >= 0.995) & np.isfinite(size)]),
    }


def likeness(
    evaluator: Evaluator,
    original: Image.Image,
    result: Image.Image,
    avif: Image.Image,
    face: DrawnFace,
) -> dict[str, float]:
    """How near a face is to the photograph's, as it was put back and in the AVIF."""
    crop, ours, theirs = (
        cut_square(each, face.square, CROP_PX, sharp=True) for each in (original, result, avif)
    )
    scored = evaluator.original(crop)
    figures = evaluator.compare(scored, ours)
    return figures | {f"avif_{k}": x for k, x in evaluator.compare(scored, theirs).items()}


def plain_step(original: Image.Image, pasted: Image.Image, face: DrawnFace) -> dict[str, float]:
    """The step along the border of a square that was pasted as a whole."""
    error = _error(original, pasted, face.square)
    side = error.shape[0]
    line = np.abs(np.arange(side) + 0.5 - side / 2)
    far = np.maximum(line[None, :], line[:, None]) - PX / 2  # from the border, negative inside
    steps = _steps(error, (far < -1) & (far > -BAND), (far > 1) & (far < BAND))
    return {"plain": _mean(steps), "plain_max": max(steps, default=math.nan)}


def pasted_plainly(
    codec: Codec,
    coded: photograph.EncodedPhotograph,
    shown: photograph.DecodedPhotograph,
) -> Image.Image:
    """The decoded background with the whole squares of its faces, as the codec decodes them."""
    size = shown.picture.size
    canvas = shown.background.resize(size, Image.Resampling.BICUBIC)
    whole = np.ones((PX, PX), np.float32)
    for face in coded.file.faces:
        pixels = np.asarray(codec.decode(face.data), np.float32)
        draw(canvas, pixels, whole, face.placement.square)
    return canvas


def tile(picture: Image.Image, square: Square) -> Image.Image:
    """A square part of a picture around a face, as it stands there."""
    half = round(square.side * AROUND / 2)
    x, y = round(square.x), round(square.y)
    return picture.crop((x - half, y - half, x + half, y + half))


def summary(rows: Sequence[report.Row]) -> list[report.Row]:
    """Means over faces for each level; the largest steps are the largest of all."""
    means = []
    for what in dict.fromkeys(row["what"] for row in rows):
        group = [row for row in rows if row["what"] == what]
        line: report.Row = {"what": what, "count": len(group)}
        for key in (k for k in group[0] if k not in ("what", "picture", "faces")):
            values = [row[key] for row in group if not math.isnan(row[key])]
            if not values:
                line[key] = None
            else:
                line[key] = max(values) if key.endswith("_max") else sum(values) / len(values)
        means.append(line)
    return means


def figures_table(result: dict[str, Any]) -> str:
    """The report's means as two tables: seams, and faces beside AVIF's."""
    seams = (
        ("step", "step", 2), ("step_max", "largest", 2), ("plain", "plain", 2),
        ("plain_max", "largest", 2), ("avif_step", "AVIF", 2), ("ring", "ring", 2),
        ("face", "face", 2),
    )  # fmt: skip
    faces = (
        ("bytes", "bytes", 0), ("background", "background", 0), ("lpips_256", "LPIPS@256", 3),
        ("identity_l2", "dlib", 3), ("identity_faceres", "FaceRes", 3),
        ("avif_bytes", "AVIF's bytes", 0), ("avif_lpips_256", "LPIPS@256", 3),
        ("avif_identity_l2", "dlib", 3), ("avif_identity_faceres", "FaceRes", 3),
    )  # fmt: skip
    tables = [
        report.table(
            ["level", "faces", *(label for _, label, _ in columns)],
            [
                [row["what"], str(row["count"])]
                + [report.number(row[key], digits) for key, _, digits in columns]
                for row in result["summary"]
            ],
        )
        for columns in (seams, faces)
    ]
    return "\n\n".join(tables)


def _error(original: Image.Image, result: Image.Image, square: Square) -> NDArray[Any]:
    """Smoothed error in CIE L*a*b* around a face: (320, 320, 3); nan outside of the photograph."""
    px = round(PX * AROUND)
    wide = Square(square.x, square.y, square.side * AROUND, square.angle)
    coefficients = from_crop(wide, px)
    there, here = (
        to_lab(np.clip(warped(smooth(each, square), coefficients, (px, px)), 0, 255))
        for each in (original, result)
    )
    white = Image.new("RGB", original.size, "white")
    inside = warped(white, coefficients, (px, px))[..., :1] > 254
    return np.where(inside, here - there, np.nan)


def smooth(picture: Image.Image, square: Square) -> Image.Image:
    """A picture without detail finer than ``BLUR`` pixels of a face's mask."""
    return picture.filter(ImageFilter.GaussianBlur(BLUR * square.side / PX))


def _wide(mask: Mask) -> Mask:
    """A mask with the margin that ``AROUND`` adds, which has none of the face."""
    margin = (round(PX * AROUND) - PX) // 2
    return np.pad(mask, margin)


def _steps(error: NDArray[Any], inner: NDArray[Any], outer: NDArray[Any]) -> list[float]:
    """The step between two rings in each sector that has enough of both."""
    side = error.shape[0]
    line = np.arange(side) + 0.5 - side / 2
    angle = np.arctan2(line[:, None], line[None, :])
    sector = ((angle + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
    known = np.isfinite(error[..., 0])
    steps = []
    for number in range(SECTORS):
        one, other = (ring & known & (sector == number) for ring in (inner, outer))
        if one.sum() >= LEAST and other.sum() >= LEAST:
            steps.append(float(np.linalg.norm(error[one].mean(0) - error[other].mean(0))))
    return steps


def _mean(values: Any) -> float:
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else math.nan
