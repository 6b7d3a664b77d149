"""``validate sequence``: clips of moving faces, and video codecs at the same rates.

Each clip's first frames are coded at some rates, ten frames a second. The aligned crops are what
every codec is given: x264, x265, SVT-AV1 and VVenC code the same frames in at most as many bytes,
at smaller sizes, of which the best by LPIPS is reported, and at the size of the crops too.
Containers of other codecs are not counted. What they do depends on the crops alone: it
is kept in a file, so that measuring other weights takes only their own time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hsc import sequence
from hsc.codec import Codec
from hsc.errors import HscError
from hsc.images.tensors import to_tensor
from hsc.metrics.evaluator import SMALL_PX, Evaluator, Scored
from hsc.metrics.picture import shrink
from hsc.research.evaluation import report
from hsc.research.evaluation.video_codecs import (
    CODECS,
    FPS,
    Shrunk,
    VideoCodec,
    pictures,
)
from hsc.research.options import ValidateOptions
from hsc.sequence.container import Header
from hsc.sequence.temporal import TemporalCodec, apart
from hsc.sequence.video import clips_in
from hsc.types import DecodedLatents, Inversion

KIND = "sequence"
RATES = (6.0, 12.0, 24.0)
"""In kbit/s."""
SECONDS = 1.2
FIGURES = (
    "lpips_256", "dists_256", "identity_l2", "identity_faceres", "landmark_error",
)  # fmt: skip
FACES_EVERY = 3
"""Every so many-th frame is looked at by everything but LPIPS, which takes longest."""
SMALLER = (128, 256, 512)
LEAST_BITS, MOST_BITS = 0.009, 0.5
"""Bits a pixel of the sizes that are tried: with fewer no codec is at its best."""
DRIFT_LEVEL, DRIFT_FRAMES, DRIFT_AT = 2.0, 31, (1, 5, 10, 15, 20, 25, 30)
KEPT = "sequence-others.json"
NOTE = (
    "Means over coded frames, then over clips. LPIPS: AlexNet at 256 px. Identity: Euclidean "
    "distance of dlib's descriptors; FaceRes is a second recogniser. Landmark error: 68 points, "
    "over the distance of the eyes. Flicker: LPIPS between neighbouring frames, over the "
    "original's. Rate: every byte of the .hsv file; of other codecs the bare stream, whose frames "
    "have the size that is named. A codec that cannot be made as small is reported at its least "
    "rate."
)
DRIFT_NOTE = (
    "Drift: frames of level 2 after one key frame, beside the same frames coded as stills. Error: "
    "mean squared error of F^, each channel over its standard deviation. LPIPS: previews, from "
    "that of F before it was coded."
)


def run(options: ValidateOptions) -> None:
    """Measure clips, print and save the figures.

    Args:
        options: ``clips`` is the folder; ``limit`` clips at most, ``seconds`` of each; ``kbits``
            are the rates, and ``levels`` are coded beside them, without other codecs; ``codecs``
            are names of the other codecs, and without them all are compared.

    Raises:
        HscError: there are no clips, or no codec of such a name.
    """
    codecs = chosen(options.codecs)
    if options.clips is None:
        raise HscError("Expected a folder of clips: --clips DIR.")
    paths = clips_in(options.clips)[: options.limit]
    if not paths:
        raise HscError(f"There are no clips in {options.clips}.")
    codec = Codec.load(options.device)
    evaluator = Evaluator(codec.device, figures=FIGURES)
    seconds = options.seconds or SECONDS
    rates = tuple(options.kbits or RATES)
    rows: list[report.Row] = []
    drifts: list[report.Row] = []
    for number, path in enumerate(paths, start=1):
        clip = sequence.Clip.open(path)
        count = round(seconds * FPS)
        frames = sequence.analysed_frames(codec, clip.frames(FPS))
        analysed = list(islice(frames, max(count, DRIFT_FRAMES)))
        drifts += drift(codec, evaluator, [each.latents for each in analysed[:DRIFT_FRAMES]])
        analysed = analysed[:count]
        scored = [evaluator.original(each.crop) for each in analysed]
        for ask in [{"kbits": rate} for rate in rates] + [
            {"level": level} for level in options.levels or ()
        ]:
            encoded = list(sequence.code_frames(codec, analysed, fps=FPS, **ask))
            level = encoded[0].level
            header = Header(codec.model_id, level, FPS, 1, clip.width, clip.height, len(encoded))
            coded = [each.frame for each in encoded]
            size = len(sequence.pack(header, tuple(coded)))
            drawn = [codec.draw(each.latents) for each in encoded]
            words = f"{ask['kbits']:g} kbit/s" if "kbits" in ask else f"level {level:g}"
            rows.append(
                {"what": f"HSC, {words}", "clip": path.stem}
                | compared(evaluator, scored, drawn, size)
                | {
                    "level": level,
                    "changes": float(
                        np.mean([len(f.layers[0]) for f in coded if not f.key] or [0])
                    ),
                    "key": float(np.mean([sum(map(len, f.layers)) for f in coded if f.key])),
                    "keys": sum(f.key for f in coded),
                }
            )
            report.print_progress(number, len(paths), f"{path.stem}, {words}")
        rows += others(evaluator, scored, rates, path.stem, options.out / KEPT, codecs)
        report.print_progress(number, len(paths), f"{path.stem}, other codecs")
        result = {
            "kind": KIND,
            "date": report.date.today().isoformat(),
            "model": codec.model_name,
            "machine": report.machine(codec.device),
            "clips": [path.stem for path in paths[:number]],
            "seconds": seconds,
            "coded_fps": FPS,
            "notes": [NOTE],
            "summary": summarise(rows),
            "drift": summarise(drifts),
            "rows": rows,
            "drift_rows": drifts,
        }
        report.save(result, options.out)  # after every clip: a run that is ended has measured some
    page = f"{NOTE}\n\n{figures_table(result)}\n"
    (options.out / f"{KIND}.md").write_text(page, encoding="utf-8")
    print(page)


def compared(
    evaluator: Evaluator, originals: Sequence[Scored], drawn: Sequence[Image.Image], size: int
) -> report.Row:
    """Figures of a clip's frames.

    Args:
        size: bytes of all of them.
    """
    seen: dict[str, list[float]] = {key: [] for key in FIGURES}
    before: list[torch.Tensor] | None = None
    moved, flickered = [], []
    for number, (original, picture) in enumerate(zip(originals, drawn, strict=True)):
        now = _features(evaluator, picture)
        seen["lpips_256"].append(evaluator.lpips.distance(original.lpips_small, now).item())
        if number % FACES_EVERY == 0:
            for key, value in evaluator.compare(original, picture, FIGURES[1:]).items():
                if not np.isnan(value):
                    seen[key].append(value)
        if before is not None:
            last = originals[number - 1].lpips_small
            moved.append(evaluator.lpips.distance(last, original.lpips_small).item())
            flickered.append(evaluator.lpips.distance(before, now).item())
        before = now
    flicker = sum(flickered) / sum(moved) if sum(moved) else float("nan")
    means = {key: float(np.mean(values)) if values else None for key, values in seen.items()}
    return {"kbit_s": 8 * size / (len(originals) / FPS) / 1000, "flicker": flicker} | means


@torch.no_grad()
def drift(codec: Codec, evaluator: Evaluator, latents: Sequence[Inversion]) -> list[report.Row]:
    """Frames long after a key frame, beside the same frames coded alone."""
    temporal = TemporalCodec(codec.networks, DRIFT_LEVEL)
    spread = codec.networks.fcn.feature_std[:, None, None]

    def seen(decoded: DecodedLatents) -> list[torch.Tensor]:
        picture = codec.draw_many(decoded, {}, preview=True)[0]
        return evaluator.lpips.features(to_tensor(picture, codec.device))

    _, state = temporal.encode_key(latents[0])
    rows = []
    for number in range(1, len(latents)):
        true = latents[number]
        _, state = temporal.encode(true, state)
        if number not in DRIFT_AT:
            continue
        _, still = temporal.encode_key(true)
        best = seen(DecodedLatents(true.w_plus, true.feature, true.feature, "scn+fcn"))
        row: report.Row = {"what": f"frame {number}"}
        for name, decoded in (("", state.latents), ("_still", still.latents)):
            row["error" + name] = apart(decoded.feature / spread, true.feature / spread)
            row["lpips" + name] = evaluator.lpips.distance(best, seen(decoded)).item()
        rows.append(row)
    return rows


def chosen(names: Sequence[str] | None) -> tuple[VideoCodec, ...]:
    """Other codecs of these names, all of them where none is named.

    Raises:
        HscError: there is none of such a name.
    """
    by_name = {codec.name: codec for codec in CODECS}
    unknown = [name for name in names or () if name not in by_name]
    if unknown:
        raise HscError(f"Expected codecs among {', '.join(by_name)}, got {', '.join(unknown)}.")
    return tuple(by_name[name] for name in names or by_name)


def others(
    evaluator: Evaluator,
    originals: Sequence[Scored],
    rates: Sequence[float],
    clip: str,
    kept: Path,
    codecs: Sequence[VideoCodec] = CODECS,
) -> list[report.Row]:
    """Other codecs at every rate, each at its best size; known rows are read from a file.

    The best is the one whose pictures are nearest among those that fit; where none fits, the
    smallest. Each codec has a second row, at the crops' own size, where none is at its best.
    """
    crops = [scored.image for scored in originals]
    digest = hashlib.sha256(b"".join(crop.tobytes() for crop in crops)).hexdigest()[:16]
    known = json.loads(kept.read_text("utf-8")) if kept.is_file() else {}
    full = crops[0].width
    sizes = {px: Shrunk(crops, px) for px in (*SMALLER, full) if px <= full}
    smaller = [px for px in sizes if px < full]

    def measured(codec: VideoCodec, px: int, rate: float, budget: int) -> report.Row:
        key = f"{digest} {rate:g} {px} {codec}"
        if key not in known:
            data = sizes[px].fitted(codec, budget)
            drawn = pictures(codec, data, px, crops)
            row = compared(evaluator, originals, drawn, len(data)) | {"px": px}
            known[key] = row | {"bytes": len(data)}
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(known, indent=1), "utf-8")
        return known[key]

    rows = []
    for rate in rates:
        budget = int(1000 * rate / 8 * len(originals) / FPS)
        for codec in codecs:
            found = []
            for px in worth_trying(smaller, rate):
                found.append(measured(codec, px, rate, budget))
                if found[-1]["bytes"] > budget:  # larger sizes are larger
                    break
            fit = [row for row in found if row["bytes"] <= budget]
            best = min(fit, key=lambda row: row["lpips_256"]) if fit else found[0]
            rows.append({"what": f"{codec.name}, {rate:g} kbit/s", "clip": clip} | best)
            row = measured(codec, full, rate, budget)
            what = f"{codec.name} at {full} px, {rate:g} kbit/s"
            rows.append({"what": what, "clip": clip} | row)
    return rows


def worth_trying(sizes: list[int], rate: float) -> list[int]:
    """Those of the sizes, in rising order, that have a usual number of bits a pixel."""
    bits = {px: 1000 * rate / FPS / px**2 for px in sizes}
    usual = [px for px in sizes if LEAST_BITS <= bits[px] <= MOST_BITS]
    return usual or [min(sizes)]


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


COLUMNS = (
    ("kbit_s", "kbit/s", 1), ("lpips_256", "LPIPS@256", 3), ("dists_256", "DISTS@256", 3),
    ("identity_l2", "identity L2", 3), ("identity_faceres", "FaceRes", 3),
    ("landmark_error", "landmarks", 3), ("flicker", "flicker", 2), ("px", "px", 0),
)  # fmt: skip
DRIFT_COLUMNS = (
    ("error", "error", 3), ("error_still", "of a still", 3), ("lpips", "LPIPS@256", 3),
    ("lpips_still", "of a still", 3),
)  # fmt: skip


def figures_table(result: dict) -> str:
    """The means as a table, and those of the drift."""
    table = _table("coded by", COLUMNS, result["summary"])
    if not result.get("drift"):
        return table
    return f"{table}\n\n{DRIFT_NOTE}\n\n{_table('after a key', DRIFT_COLUMNS, result['drift'])}"


def _table(first: str, columns: Sequence[tuple[str, str, int]], rows: list[report.Row]) -> str:
    lines = [
        [row["what"], *(report.number(row.get(key), digits) for key, _, digits in columns)]
        for row in rows
    ]
    return report.table([first, *(label for _, label, _ in columns)], lines)


@torch.no_grad()
def _features(evaluator: Evaluator, image: Image.Image) -> list[torch.Tensor]:
    return evaluator.lpips.features(shrink(to_tensor(image, evaluator.device), SMALL_PX))
