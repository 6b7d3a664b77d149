"""``validate faults``: kinds of fault that users of face codecs report, tried at several levels.

Three kinds of question are asked. Colour: a grey, sepia, dark or tinted upload, how far the decoded
picture's colours are from it. Additions: something is painted into the upload (earrings, glasses, a
microphone, a mask, lettering), and the part of it that is still there after decoding is read off:

    kept = <with_hat - without_hat, with - without> / |with - without|^2, over the painted pixels

1 is all of it, 0 nothing. ``elsewhere`` is the mean change of the decoded face outside of it.

What comes by itself: glasses, a beard, lighter skin. ``hsc.vision.appearance`` reads them off the
upload and off the decoded picture, and off a decoded picture with and without an edit of age.
Glasses are counted in painted ones: 1 is as much as frames would add to that upload.

Not judged, because nothing here reads it: double brows behind glasses, a hand before the mouth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from hsc.codec import Codec
from hsc.domains.ffhq_face import Face, find_faces
from hsc.images import PICTURE_SUFFIXES
from hsc.metrics.evaluator import Evaluator
from hsc.research.data.held_out import held_out_pictures
from hsc.research.evaluation import report
from hsc.research.options import ValidateOptions
from hsc.vision.appearance import to_lab
from hsc.vision.face_readouts import FaceReader

KIND = "faults"
LEVELS = (1.0, 3.0, 6.0)
PX = 256
GENERATED = (60, 11, 57, 3)
"""Seeds of the generator's own faces, which are tried without a folder."""
FIGURES = ("identity_l2", "identity_faceres")
APPEARED = ("glasses", "beard", "skin_light")
"""Read-outs of ``hsc.vision.appearance`` whose changes nobody asked for."""
GLASSES = "glasses"
NOTE = (
    "*Colour*: mean CIELAB distance of the decoded picture's colours from the upload's, in blocks "
    "of 16 pixels of 256; change of lightness L*; change of mean chroma. *Kept*: the part of "
    "something painted into the upload that is there after decoding, 1 for all of it; "
    "*elsewhere*: mean change of CIELAB outside of it. *Glasses*, *beard*, *skin*: what of them "
    "nobody asked for, against the upload, or against the unedited picture where age is edited: "
    "parts of painted glasses, L* by which the lower face is darker or rougher, L* of the skin; "
    "about 0 is right. *dlib*, *FaceRes*: distances of the decoded picture from the upload. "
    "Nothing here judges double brows behind glasses, or hands before the mouth."
)
Pixels = npt.NDArray[Any]
Paint = Callable[[ImageDraw.ImageDraw, Pixels, float], None]
"""Draws something, given the 68 landmarks (68, 2) and the distance of the outer eye corners."""


def grey(image: Image.Image) -> Image.Image:
    """Black and white."""
    return image.convert("L").convert("RGB")


def tinted(gains: tuple[float, float, float]) -> Callable[[Image.Image], Image.Image]:
    """Every channel times a gain."""
    table = [min(255, round(level * gain)) for gain in gains for level in range(256)]
    return lambda image: image.point(table)


def sepia(image: Image.Image) -> Image.Image:
    """Brown, as old prints are."""
    return tinted((1.0, 0.84, 0.66))(grey(image))


def small(image: Image.Image) -> Image.Image:
    """As a picture of 256 px that was enlarged."""
    return image.resize((PX, PX), Image.Resampling.LANCZOS).resize(
        image.size, Image.Resampling.BICUBIC
    )


COLOURS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda image: image,
    "grey": grey,
    "sepia": sepia,
    "dark, 30% of the light": tinted((0.3, 0.3, 0.3)),
    "warm cast": tinted((1.0, 0.86, 0.6)),
    "blue cast": tinted((0.68, 0.86, 1.0)),
    f"{PX} px": small,
}


def earrings(draw: ImageDraw.ImageDraw, points: Pixels, unit: float) -> None:
    """Two golden discs below the ears."""
    for jaw in (points[2], points[14]):
        out = np.sign(jaw[0] - points[30][0]) * 0.10 * unit
        x, y, r = jaw[0] + out, jaw[1] + 0.12 * unit, 0.07 * unit
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(226, 178, 60))


def glasses(draw: ImageDraw.ImageDraw, points: Pixels, unit: float) -> None:
    """Black frames."""
    width = max(2, round(0.035 * unit))
    for eye in (points[36:42], points[42:48]):
        (x, y), r = eye.mean(axis=0), 0.25 * unit
        draw.ellipse((x - r, y - 0.8 * r, x + r, y + 0.8 * r), outline=(20, 18, 18), width=width)
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    inner = 0.25 * unit
    draw.line((left[0] + inner, left[1], right[0] - inner, right[1]), (20, 18, 18), width)


def microphone(draw: ImageDraw.ImageDraw, points: Pixels, unit: float) -> None:
    """A dark ball before the mouth, with its handle."""
    (x, y), r = points[48:68].mean(axis=0), 0.27 * unit
    draw.line((x, y, x + 0.5 * unit, y + 1.4 * unit), (40, 40, 44), round(0.2 * unit))
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(28, 28, 32))


def mask(draw: ImageDraw.ImageDraw, points: Pixels, unit: float) -> None:
    """A light blue mask over nose and mouth."""
    outline = [tuple(points[i]) for i in (*range(2, 15), 29)]
    draw.polygon(outline, fill=(170, 200, 220))


def lettering(draw: ImageDraw.ImageDraw, points: Pixels, unit: float) -> None:
    """Bars as high as letters, in the upper corners."""
    for column in range(9):
        if column in (3, 4, 5):
            continue  # the head is there
        x = (0.03 + 0.108 * column) * draw.im.size[0]
        for row, height in ((0.05, 0.09), (0.18, 0.06)):
            y, w = row * draw.im.size[1], 0.018 * draw.im.size[0]
            draw.rectangle((x, y, x + w, y + height * draw.im.size[1]), fill=(250, 250, 250))
            draw.rectangle((x, y, x + 3 * w, y + w), fill=(250, 250, 250))


PAINTED: dict[str, Paint] = {
    "earrings": earrings,
    "glasses": glasses,
    "microphone before the mouth": microphone,
    "mask": mask,
    "lettering behind the head": lettering,
}


@dataclass(frozen=True)
class Tried:
    """An upload and what its file draws, as CIELAB of 256 px (256, 256, 3)."""

    upload: Pixels
    decoded: Pixels


def run(options: ValidateOptions) -> None:
    """Try every kind of fault, print and save the figures.

    Args:
        options: faces (any folder of aligned pictures, or of folders with held-out people;
            generated faces without one), limit, levels, out and device.
    """
    codec = Codec.load(options.device)
    evaluator = Evaluator(codec.device, figures=FIGURES)
    reader = FaceReader.load()
    levels = tuple(options.levels or LEVELS)
    pictures = faces(codec, options)
    rows: list[report.Row] = []
    for number, (name, image) in enumerate(pictures, start=1):
        tried = try_face(codec, evaluator, reader, image, levels)
        rows += [row | {"picture": name} for row in tried]
        report.print_progress(number, len(pictures), name)
    result = circumstances(KIND, codec, options, len(pictures)) | {"summary": summarise(rows)}
    report.write(result, rows, options.out)
    print(NOTE + "\n\n" + figures_table(result))


def circumstances(kind: str, codec: Codec, options: ValidateOptions, count: int) -> dict:
    """What a report of this kind begins with."""
    of = "faces of the generator's own" if options.faces is None else "aligned photographs"
    return report.made_now(kind, codec) | {
        "notes": [f"{count} {of}."],
    }


def faces(codec: Codec, options: ValidateOptions) -> list[tuple[str, Image.Image]]:
    """Names and aligned pictures. Raises HscError when the folder has none."""
    spec = codec.networks.config.generator
    size = (spec.image_px, spec.image_px)
    if options.faces is None:
        return [(f"seed {s}", codec.random_face(s)) for s in GENERATED[: options.limit]]
    found = []
    for path in pictures_in(options.faces, options.limit):
        with Image.open(path) as image:
            found.append((path.name, image.convert("RGB").resize(size, Image.Resampling.LANCZOS)))
    return found


def pictures_in(folder: Path, limit: int | None = None) -> list[Path]:
    """The pictures of a folder; of one without any, those below it that show held-out people.

    Args:
        limit: of pictures; held-out people are taken evenly from their list.

    Raises:
        HscError: there is none of either.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    return paths[:limit] or [picture.path for picture in held_out_pictures(folder, limit)]


def try_face(
    codec: Codec,
    evaluator: Evaluator,
    reader: FaceReader,
    image: Image.Image,
    levels: tuple[float, ...],
) -> list[report.Row]:
    """A row for every kind of fault and level; painted ones only where a face is found."""
    rows: list[report.Row] = []
    plain: dict[float, Tried] = {}
    faces = find_faces(image)[:1]
    frames = read(reader, painted(image, GLASSES, faces[0])) if faces else {}
    for name, change in COLOURS.items():
        upload = change(image)
        original = evaluator.original(upload)
        before = read(reader, upload)
        for level, (data, decoded) in coded(codec, upload, levels).items():
            tried = Tried(lab(upload), lab(decoded))
            figures = colour(tried) | evaluator.compare(original, decoded, FIGURES)
            if name == "as it is":
                plain[level] = tried
                after = read(reader, decoded)
                figures |= appeared(before, after, frames)
                rows += [
                    {"what": f"age {years:+g}", "level": level, "bytes": len(data)}
                    | appeared(after, read(reader, edited), frames)
                    for years, edited in aged(codec, data)
                ]
            rows.append({"what": name, "level": level, "bytes": len(data)} | figures)
    for face in faces:
        for name in PAINTED:
            upload = painted(image, name, face)
            original = evaluator.original(upload)
            for level, (data, decoded) in coded(codec, upload, levels).items():
                figures = kept(Tried(lab(upload), lab(decoded)), plain[level])
                figures |= evaluator.compare(original, decoded, FIGURES)
                rows.append({"what": name, "level": level, "bytes": len(data)} | figures)
    kinds = [row["what"] for row in rows]
    keys = dict.fromkeys(key for row in rows for key in row)
    return [
        {key: row.get(key, float("nan")) for key in keys}
        for kind in dict.fromkeys((*COLOURS, *PAINTED, *kinds))
        for row in rows
        if row["what"] == kind
    ]


def painted(image: Image.Image, name: str, face: Face) -> Image.Image:
    """A copy of a picture with something out of PAINTED on its face."""
    points = face.landmarks
    copy = image.copy()
    unit = float(np.linalg.norm(points[45] - points[36]))
    PAINTED[name](ImageDraw.Draw(copy), points, unit)
    return copy


def aged(codec: Codec, data: bytes) -> list[tuple[float, Image.Image]]:
    """Years and picture of a file with the edit of age at either end, where the codec has it."""
    ends = [end for edit in codec.edit_names if edit.name == "age" for end in (edit.low, edit.high)]
    return [(end, codec.decode(data, edits={"age": end})) for end in ends]


def read(reader: FaceReader, image: Image.Image) -> dict[str, float]:
    """The read-outs of APPEARED."""
    return {key: float(values[0]) for key, values in reader.read([image]).items()}


def appeared(
    before: dict[str, float], after: dict[str, float], frames: dict[str, float]
) -> dict[str, float]:
    """What came by itself; ``frames`` are the read-outs of the upload with painted glasses."""
    changes = {key: after[key] - before[key] for key in APPEARED}
    if frames:
        return changes | {GLASSES: changes[GLASSES] / max(0.1, frames[GLASSES] - before[GLASSES])}
    return changes | {GLASSES: float("nan")}


def coded(
    codec: Codec, upload: Image.Image, levels: tuple[float, ...]
) -> dict[float, tuple[bytes, Image.Image]]:
    """File and decoded picture of an aligned upload by level."""
    latents = codec.analyse(upload)
    files = {level: codec.compress(latents, level) for level in levels}
    return {level: (data, codec.decode(data)) for level, data in files.items()}


def lab(image: Image.Image) -> Pixels:
    """CIELAB (256, 256, 3) of a picture."""
    return to_lab(np.asarray(image.convert("RGB").resize((PX, PX), Image.Resampling.BOX)))


def colour(tried: Tried) -> dict[str, float]:
    """How far the colours of a decoded picture are from its upload's."""
    blocks = [
        each.reshape(16, PX // 16, 16, PX // 16, 3).mean((1, 3))
        for each in (tried.upload, tried.decoded)
    ]
    apart = blocks[1] - blocks[0]  # (16, 16, 3)
    chroma = [np.linalg.norm(each[..., 1:], axis=-1).mean() for each in blocks]
    return {
        "colour": float(np.linalg.norm(apart, axis=-1).mean()),
        "lightness": float(apart[..., 0].mean()),
        "chroma": float(chroma[1] - chroma[0]),
    }


def kept(tried: Tried, plain: Tried) -> dict[str, float]:
    """What is left of what was painted into an upload, and what changed beside it."""
    painted = tried.upload - plain.upload  # (256, 256, 3)
    drawn = tried.decoded - plain.decoded
    where = np.linalg.norm(painted, axis=-1) > 2
    share = (painted[where] * drawn[where]).sum() / (painted[where] ** 2).sum()
    beside = np.linalg.norm(drawn[~where], axis=-1).mean()
    return {"kept": float(share), "elsewhere": float(beside)}


def summarise(rows: list[report.Row]) -> list[report.Row]:
    """Means by kind of fault and level."""
    summary = []
    for what, level in dict.fromkeys((row["what"], row["level"]) for row in rows):
        group = [row for row in rows if (row["what"], row["level"]) == (what, level)]
        means: report.Row = {"what": what, "level": level, "count": len(group)}
        for key in (k for k in group[0] if k not in ("what", "level", "picture")):
            values = [row[key] for row in group if not np.isnan(row[key])]
            means[key] = sum(values) / len(values) if values else None
        summary.append(means)
    return summary


def figures_table(result: dict) -> str:
    """The report's means as a table."""
    columns = (
        ("bytes", "bytes", 0), ("colour", "colour", 1), ("lightness", "L*", 1),
        ("chroma", "chroma", 1), ("kept", "kept", 2), ("elsewhere", "elsewhere", 1),
        ("glasses", "glasses", 2), ("beard", "beard", 1), ("skin_light", "skin", 1),
        ("identity_l2", "dlib", 2), ("identity_faceres", "FaceRes", 2),
    )  # fmt: skip
    lines = [
        [row["what"], f"{row['level']:g}"]
        + [report.number(row.get(key), digits) for key, _, digits in columns]
        for row in result["summary"]
    ]
    return report.table(["kind", "level", *(label for _, label, _ in columns)], lines)
