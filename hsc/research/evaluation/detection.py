"""``validate detection``: which faces are found, and how far their crops are from the true ones.

Each picture has one face that HOG finds. The picture is turned, made small or dark, and its face
covered, and the crop that is found is compared with that of the plain picture: HOG alone
(``find_faces``) beside the whole search (``search_faces``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from hsc.domains.ffhq_face import Face, find_faces, search_faces
from hsc.domains.ffhq_face.align import face_square
from hsc.errors import HscError
from hsc.images.photo import read_photo
from hsc.research.evaluation import faults, report
from hsc.research.options import ValidateOptions

KIND = "detection"
LONG_SIDE = 640
SMALL = (40, 24)
"""Sides in pixels of HOG's box of small faces."""
CANVAS, PLACE = (1200, 900), (700, 500)
DARKNESS, LEAN = 0.06, 40.0
NEAR, SIZE, ANGLE = 0.15, 0.35, 25.0
"""A crop counts as found up to this distance and size (parts of the side) and angle in degrees."""
NOTE = (
    "Found: a crop within 15% of the side of the plain picture's, 35% of its size and 25 degrees. "
    "Offsets are medians over those found: position and size as parts of the side, and degrees. "
    "False: finds that are no such crop. Seconds are means."
)
Points = npt.NDArray[np.float64]
Move = Callable[[Points], Points]
"""Where places (N, 2) of the plain picture are in the changed one."""


def run(options: ValidateOptions) -> None:
    """Measure both searches, print and save the figures.

    Args:
        options: faces (any folder of pictures with one face each, or of folders with held-out
            people), limit and out.

    Raises:
        HscError: no pictures.
    """
    if options.faces is None:
        raise HscError("Expected a folder of pictures: give --faces DIR.")
    paths = faults.pictures_in(options.faces, options.limit)
    rows: list[report.Row] = []
    for number, path in enumerate(paths, start=1):
        image = read_photo(path)
        image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
        faces = find_faces(image)
        if len(faces) == 1:
            rows += [{"picture": path.name} | row for row in try_picture(image, faces[0])]
        report.print_progress(number, len(paths), path.name)
    if not rows:
        raise HscError(f"Expected pictures with one face in {options.faces}, found none.")
    result = {"kind": KIND, "date": date.today().isoformat(), "summary": summarise(rows)}
    report.write(result, rows, options.out)
    print(NOTE + "\n\n" + figures_table(result))


def try_picture(image: Image.Image, face: Face) -> Iterator[report.Row]:
    """A row for every change of a picture and each search."""
    for what, changed, move in changes(image, face):
        true = face_square(Face(face.box, move(face.landmarks)))
        for search, find in (("HOG", find_faces), ("search", search_faces)):
            started = time.perf_counter()
            squares = [face_square(each) for each in find(changed)]
            seconds = time.perf_counter() - started
            offsets = [
                (
                    float(np.hypot(s.x - true.x, s.y - true.y) / true.side),
                    abs(s.side / true.side - 1),
                    abs((np.degrees(s.angle - true.angle) + 180) % 360 - 180),
                )
                for s in squares
            ]
            good = [o for o in offsets if o[0] < NEAR and o[1] < SIZE and o[2] < ANGLE]
            position, size, angle = min(good, default=(float("nan"),) * 3)
            yield {
                "what": what, "search": search, "found": float(bool(good)), "position": position,
                "size": size, "angle": angle, "false": len(squares) - bool(good),
                "seconds": seconds,
            }  # fmt: skip


def changes(image: Image.Image, face: Face) -> Iterator[tuple[str, Image.Image, Move]]:
    """Name, picture and move of every change of a picture with a known face."""
    width, height = image.size

    def stays(points: Points) -> Points:
        return points

    yield "plain", image, stays
    turns: dict[str, tuple[Image.Transpose, Move]] = {
        "turned by 90": (
            Image.Transpose.ROTATE_90, lambda p: np.column_stack([p[:, 1], width - p[:, 0]])
        ),
        "turned by 180": (
            Image.Transpose.ROTATE_180, lambda p: np.array([width, height]) - p
        ),
        "turned by 270": (
            Image.Transpose.ROTATE_270, lambda p: np.column_stack([height - p[:, 1], p[:, 0]])
        ),
    }  # fmt: skip
    for name, (transpose, move) in turns.items():
        yield name, image.transpose(transpose), move
    angle, middle = np.radians(LEAN), np.array([width, height]) / 2
    turning = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    leaning = image.rotate(LEAN, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))
    yield f"leaning by {LEAN:g}", leaning, lambda p: middle + (p - middle) @ turning
    unit = float(np.linalg.norm(face.landmarks[45] - face.landmarks[36]))
    for name, paint in (("mask", faults.mask), ("dark glasses", dark_glasses),
                        ("microphone", faults.microphone)):  # fmt: skip
        covered = image.copy()
        paint(ImageDraw.Draw(covered), face.landmarks, unit)
        yield name, covered, stays
    for px in SMALL:
        scale = px / (face.box[2] - face.box[0])
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        canvas = Image.new("RGB", CANVAS, (120, 125, 118))
        canvas.paste(image.resize(size, Image.Resampling.LANCZOS), PLACE)
        factor = np.array(size) / image.size
        yield f"{px} px", canvas, placed(factor)
    yield "dark", image.point(lambda shade: shade * DARKNESS), stays
    stone = image.convert("L").filter(ImageFilter.GaussianBlur(1.5)).convert("RGB")
    yield "grey and soft, as stone", stone, stays


def placed(factor: Points) -> Move:
    """The move of a picture that was scaled by factors (2,) and put at PLACE."""
    return lambda points: points * factor + PLACE


def dark_glasses(draw: ImageDraw.ImageDraw, points: Points, unit: float) -> None:
    """Two black lenses."""
    for eye in (points[36:42], points[42:48]):
        (x, y), r = eye.mean(axis=0), 0.24 * unit
        draw.ellipse((x - r, y - 0.8 * r, x + r, y + 0.9 * r), fill=(12, 12, 14))


def summarise(rows: list[report.Row]) -> list[report.Row]:
    """By change and search: how many were found, medians of the offsets, means of the rest."""
    summary = []
    for what, search in dict.fromkeys((row["what"], row["search"]) for row in rows):
        group = [row for row in rows if (row["what"], row["search"]) == (what, search)]
        found = [row for row in group if row["found"]]
        means: report.Row = {
            "what": what, "search": search, "count": len(group), "found": len(found),
            "false": sum(row["false"] for row in group),
            "seconds": float(np.mean([row["seconds"] for row in group])),
        }  # fmt: skip
        for key in ("position", "size", "angle"):
            means[key] = float(np.median([row[key] for row in found])) if found else None
        summary.append(means)
    return summary


def figures_table(result: dict) -> str:
    """The report's figures as a table."""
    columns = (("position", 3), ("size", 3), ("angle", 1), ("false", 0), ("seconds", 2))
    lines = [
        [row["what"], row["search"], f"{row['found']} of {row['count']}"]
        + [report.number(row[key], digits) for key, digits in columns]
        for row in result["summary"]
    ]
    return report.table(["picture", "by", "found", *(key for key, _ in columns)], lines)
