"""``validate sequence``: clips of moving faces, and video codecs at the same rates.

Each clip's first seconds are coded at several levels, ten frames a second. The aligned crops are
what every codec is given: x264, x265 and SVT-AV1 code the same frames in at most as many bytes, at
full size and at smaller ones. Of the smaller sizes that fit the best by LPIPS is reported.
Containers of other codecs are not counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hsc import sequence
from hsc.codec import Codec
from hsc.errors import HscError
from hsc.images.tensors import to_tensor
from hsc.metrics.evaluator import SMALL_PX, Evaluator
from hsc.metrics.picture import shrink
from hsc.research.evaluation import report
from hsc.research.options import ValidateOptions
from hsc.sequence.container import Header
from hsc.sequence.video import SUFFIXES
from hsc.sequence.video import run as ffmpeg

KIND = "sequence"
LEVELS = (1.0, 2.0, 3.0)
SECONDS = 3.0
FPS = 10.0
FIGURES = ("lpips_256", "identity_l2", "identity_faceres", "landmark_error")
FACES_EVERY = 3
"""Every so many-th frame is looked at by the recogniser and for landmarks, which take longest."""
SMALLER = (512, 256, 128)
STEPS = 5
"""Encodings by which the quality that fits a number of bytes is found."""
NOTE = (
    "Means over coded frames, then over clips. LPIPS: AlexNet at 256 px. Identity: Euclidean "
    "distance of dlib's descriptors; FaceRes is a second recogniser. Landmark error: 68 points, "
    "over the distance of the eyes. Flicker: LPIPS between neighbouring frames, over the "
    "original's. Rate: every byte of the .hsv file; of other codecs the bare stream. A codec that "
    "cannot be made as small is reported at its least rate."
)


@dataclass(frozen=True)
class VideoCodec:
    """A codec of FFmpeg's: its arguments at a quality, the worst and the best of those."""

    name: str
    encoder: str
    quality: str
    worst: int
    best: int
    format: str
    extra: tuple[str, ...] = ()


# x264 and x265 write no messages about their settings here: short clips would pay for them
CODECS = (
    VideoCodec(
        "x264", "libx264", "-crf", 51, 10, "h264",
        ("-preset", "slow", "-bsf:v", "filter_units=remove_types=6"),
    ),
    VideoCodec(
        "x265", "libx265", "-crf", 51, 10, "hevc",
        ("-preset", "slow", "-x265-params", "info=0:log-level=0"),
    ),
    VideoCodec("AV1", "libsvtav1", "-crf", 63, 10, "ivf", ("-preset", "5")),
)  # fmt: skip


def run(options: ValidateOptions) -> None:
    """Measure clips, print and save the figures.

    Args:
        options: ``clips`` is the folder; ``limit`` clips at most, ``seconds`` of each.

    Raises:
        HscError: there are no clips.
    """
    if options.clips is None:
        raise HscError("Expected a folder of clips: --clips DIR.")
    paths = sorted(p for p in options.clips.iterdir() if p.suffix.lower() in SUFFIXES)
    paths = paths[: options.limit]
    if not paths:
        raise HscError(f"There are no clips in {options.clips}.")
    codec = Codec.load(options.device)
    evaluator = Evaluator(codec.device, figures=FIGURES)
    levels = tuple(options.levels or LEVELS)
    seconds = options.seconds or SECONDS
    rows: list[report.Row] = []
    for number, path in enumerate(paths, start=1):
        clip = sequence.Clip.open(path)
        originals: list[Image.Image] = []
        for level in levels:
            encoded = list(sequence.encode_frames(codec, clip.frames(FPS, seconds), level, fps=FPS))
            originals = [each.crop for each in encoded]
            header = Header(codec.model_id, level, FPS, 1, clip.width, clip.height, len(encoded))
            data = sequence.pack(header, tuple(each.frame for each in encoded))
            pictures = [codec.draw(each.latents) for each in encoded]
            frames = [each.frame for each in encoded]
            layers = {
                "scn": float(np.mean([len(f.scn) for f in frames if not f.key] or [0])),
                "fcn": float(np.mean([len(f.fcn) for f in frames if not f.key] or [0])),
                "key": float(np.mean([len(f.scn) + len(f.fcn) for f in frames if f.key])),
            }
            rows.append(
                {"what": f"HSC, level {level:g}", "clip": path.stem}
                | compared(evaluator, originals, pictures, len(data))
                | layers
            )
            for other in CODECS:
                rows += others(evaluator, other, originals, len(data), level, path.stem)
            report.print_progress(number, len(paths), f"{path.stem}, level {level:g}")
    result = {
        "kind": KIND,
        "date": report.date.today().isoformat(),
        "model": codec.model_name,
        "machine": report.machine(codec.device),
        "clips": [path.stem for path in paths],
        "seconds": seconds,
        "coded_fps": FPS,
        "notes": [NOTE],
        "summary": summarise(rows),
        "rows": rows,
    }
    report.save(result, options.out)
    page = f"{NOTE}\n\n{figures_table(result)}\n"
    (options.out / f"{KIND}.md").write_text(page, encoding="utf-8")
    print(page)


def compared(
    evaluator: Evaluator,
    originals: Sequence[Image.Image],
    pictures: Sequence[Image.Image],
    size: int,
) -> report.Row:
    """Figures of a clip's frames.

    Args:
        size: bytes of all of them.
    """
    seen: dict[str, list[float]] = {key: [] for key in FIGURES}
    before: tuple[list[torch.Tensor], list[torch.Tensor]] | None = None
    moved, flickered = [], []
    for number, (original, picture) in enumerate(zip(originals, pictures, strict=True)):
        scored = evaluator.original(original)
        figures = FIGURES if number % FACES_EVERY == 0 else FIGURES[:1]
        for key, value in evaluator.compare(scored, picture, figures).items():
            if not np.isnan(value):
                seen[key].append(value)
        now = _features(evaluator, original), _features(evaluator, picture)
        if before is not None:
            moved.append(evaluator.lpips.distance(before[0], now[0]).item())
            flickered.append(evaluator.lpips.distance(before[1], now[1]).item())
        before = now
    flicker = sum(flickered) / sum(moved) if sum(moved) else float("nan")
    means = {key: float(np.mean(values)) if values else None for key, values in seen.items()}
    return {"kbit_s": 8 * size / (len(originals) / FPS) / 1000, "flicker": flicker} | means


def others(
    evaluator: Evaluator,
    other: VideoCodec,
    originals: Sequence[Image.Image],
    budget: int,
    level: float,
    clip: str,
) -> list[report.Row]:
    """Another codec at full size, and at the best smaller size.

    Of the sizes that fit it is the one whose pictures are nearest; where none fits, the smallest.
    """
    rows = []
    full = originals[0].width
    for px in (full, *(px for px in SMALLER if px < full)):
        size, pictures = fitted(other, originals, px, budget)
        row = compared(evaluator, originals, pictures, size)
        rows.append((size, row | {"px": px}))
    small = [row for size, row in rows[1:] if size <= budget]
    if small:
        best = min(small, key=lambda row: row["lpips_256"])
    else:
        best = min(rows[1:], key=lambda sized: sized[0])[1]
    return [
        {"what": f"{other.name}, {words}, as level {level:g}", "clip": clip} | row
        for words, row in (("full size", rows[0][1]), ("best smaller size", best))
    ]


def fitted(
    other: VideoCodec, originals: Sequence[Image.Image], px: int, budget: int
) -> tuple[int, list[Image.Image]]:
    """The best quality that fits a number of bytes, or the smallest there is: bytes, pictures."""
    full = originals[0].width
    shrunk = [image.resize((px, px), Image.Resampling.LANCZOS) for image in originals]
    raw = b"".join(image.tobytes() for image in shrunk)
    low, high = other.best, other.worst
    best = stream(other, raw, px, high)
    for _ in range(STEPS):
        middle = (low + high) // 2
        data = stream(other, raw, px, middle)
        if len(data) <= budget:
            best, high = data, middle
        else:
            low = middle
    with tempfile.TemporaryDirectory(prefix="hsc-clip-") as folder:
        path = Path(folder) / f"clip.{other.format}"
        path.write_bytes(best)
        done = ffmpeg(
            [
                "-i",
                str(path),
                "-fps_mode",
                "passthrough",
                "-pix_fmt",
                "rgb24",
                "-f",
                "rawvideo",
                "-",
            ]
        )
    step = px * px * 3
    frames = [
        Image.frombytes("RGB", (px, px), done.stdout[at : at + step])
        for at in range(0, len(done.stdout) - step + 1, step)
    ]
    if len(frames) != len(originals):
        raise HscError(f"expected {len(originals)} frames of {other.name}, got {len(frames)}.")
    return len(best), [frame.resize((full, full), Image.Resampling.LANCZOS) for frame in frames]


def stream(other: VideoCodec, raw: bytes, px: int, quality: int) -> bytes:
    """The bare stream of RGB frames. Raises HscError where FFmpeg fails."""
    done = ffmpeg(
        [
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{px}x{px}", "-r", f"{FPS:g}",
            "-i", "pipe:0", "-pix_fmt", "yuv420p", "-c:v", other.encoder, *other.extra,
            other.quality, str(quality), "-f", other.format, "pipe:1",
        ],
        raw,
    )  # fmt: skip
    if done.returncode or not done.stdout:
        raise HscError(f"{other.name} failed: {done.stderr.decode(errors='replace')[-200:]}")
    return done.stdout


def summarise(rows: list[report.Row]) -> list[report.Row]:
    """Means over clips of everything measured."""
    summary = []
    for what in dict.fromkeys(row["what"] for row in rows):
        group = [row for row in rows if row["what"] == what]
        means: report.Row = {"what": what, "clips": len(group)}
        for key in (k for k in group[0] if k not in ("what", "clip")):
            values = [row[key] for row in group if row.get(key) is not None]
            means[key] = float(np.mean(values)) if values else None
        summary.append(means)
    return summary


def figures_table(result: dict) -> str:
    """The means as a table."""
    columns = (
        ("kbit_s", "kbit/s", 1), ("lpips_256", "LPIPS@256", 3), ("identity_l2", "identity L2", 3),
        ("identity_faceres", "FaceRes", 3),
        ("landmark_error", "landmarks", 3), ("flicker", "flicker", 2), ("px", "px", 0),
    )  # fmt: skip
    lines = [
        [row["what"], *(report.number(row.get(key), digits) for key, _, digits in columns)]
        for row in result["summary"]
    ]
    return report.table(["coded by", *(label for _, label, _ in columns)], lines)


@torch.no_grad()
def _features(evaluator: Evaluator, image: Image.Image) -> list[torch.Tensor]:
    return evaluator.lpips.features(shrink(to_tensor(image, evaluator.device), SMALL_PX))
