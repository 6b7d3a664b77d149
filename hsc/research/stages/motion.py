"""``train motion``: how large the differences of each of F's channels usually are in a clip.

    clips -> coded at some rates -> mean |symbol| of every channel, over the mean of all

The clips are those of ``--data`` and made-up ones: a generated face under edits, a walk through w+
and small changes of the alignment. Every clip counts alike, at every rate. The result is
``channels.py`` in the work folder, to be copied to ``hsc/sequence``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from hsc import sequence
from hsc.codec import Codec
from hsc.errors import HscError
from hsc.research.options import TrainOptions
from hsc.sequence import channels
from hsc.sequence.quantise import FloatArray
from hsc.sequence.rates import Rate
from hsc.sequence.temporal import State, TemporalCodec
from hsc.sequence.video import clips_in
from hsc.types import DecodedLatents

FRAMES, FPS = 24, 10.0
RATES = (12.0, 24.0)
MADE_UP = (("smile", 11), ("age", 12))
"""Edits of generated faces, and their seeds."""
MEAN = 400
"""Mean of the table, in parts of 65536: the shift of a frame does the rest."""
LEAST = 0.02
"""Part of the mean that is added to every channel: what was never seen may come."""


def run(options: TrainOptions) -> None:
    """Measure, and write the table.

    Args:
        options: ``data`` are folders of clips; ``work`` gets ``channels.py``.

    Raises:
        HscError: there are no clips.
    """
    paths = [path for folder in options.data for path in clips_in(folder)]
    if not paths:
        raise HscError("Expected folders of clips: --data DIR.")
    codec = Codec.load(options.device)
    clips = {path.stem: _frames(path) for path in paths}
    clips |= {f"made up, {edit}": made_up(codec, edit, seed) for edit, seed in MADE_UP}
    means: dict[str, list[FloatArray]] = {}
    for name, pictures in clips.items():
        frames = list(islice(sequence.analysed_frames(codec, pictures), FRAMES))
        for rate in RATES:
            how = Rate(codec.networks, rate, FPS)
            coded = list(how.code([f.latents for f in frames], [f.place for f in frames]))
            states = [state for _, state in coded]
            means.setdefault(name, []).append(magnitudes(codec, states, how.level or 1))
            size = sum(len(layer) for (layer,), _ in coded[1:])
            print(f"{name}, {rate:g} kbit/s: {size} bytes of changes", flush=True)
    table = usual(list(means.values()))
    options.work.mkdir(parents=True, exist_ok=True)
    target = options.work / Path(channels.__file__).name
    target.write_text(text(table, list(clips)), "utf-8")
    print(f"written to {target}")


def made_up(codec: Codec, edit: str, seed: int) -> Iterator[Image.Image]:
    """A generated face: an edit comes and goes, and it turns into another face by a part."""
    first, other = (
        codec.open(codec.compress(codec.analyse(codec.random_face(each)), 4))
        for each in (seed, seed + 100)
    )
    for number in range(FRAMES):
        phase = 2 * math.pi * number / FRAMES
        part = 0.1 * (1 - math.cos(phase))
        w_plus = first.w_plus + part * (other.w_plus - first.w_plus)
        feature_s = codec.decoder.feature_of(w_plus)
        feature = first.feature + feature_s - first.feature_s
        moved = DecodedLatents(w_plus, feature_s, feature, first.layers)
        face = codec.draw(moved, {edit: 0.5 * math.sin(2 * phase)})
        x, y = 8 * math.sin(phase), 5 * math.cos(phase)  # an alignment that is not quite right
        box = (x, y, face.width + x, face.height + y)
        yield face.transform(face.size, Image.Transform.EXTENT, box, Image.Resampling.BICUBIC)


def magnitudes(codec: Codec, states: list[State], level: float) -> FloatArray:
    """Mean |symbol| of every channel in the predicted frames, (128,)."""
    step = TemporalCodec(codec.networks, level).step
    symbols = [
        ((after.y_hat - before.y_hat) / step).abs().round().mean((1, 2)).numpy()
        for before, after in pairwise(states)
    ]
    return np.asarray(np.mean(symbols, axis=0))


def usual(clips: list[list[FloatArray]]) -> list[int]:
    """The table: every clip and rate over its own mean, their mean, in parts of 65536."""
    shares = [mean / mean.mean() for rates in clips for mean in rates if mean.any()]
    share = np.mean(shares, axis=0) + LEAST
    return [max(1, round(float(value))) for value in MEAN * share / share.mean()]


def text(table: list[int], names: list[str]) -> str:
    """The module that holds the table."""
    rows = [", ".join(map(str, table[at : at + 16])) for at in range(0, len(table), 16)]
    body = "".join(f"    {row},\n" for row in rows)
    return (
        '"""How large the differences of F\'s channels usually are, in parts of 65536.\n\n'
        "Written by ``hsc train motion`` from the clips\n"
        f'{"; ".join(names)}.\n"""\n\nUSUAL = (\n{body})  # fmt: skip\n'
    )


def _frames(path: Path) -> Iterator[Image.Image]:
    return sequence.Clip.open(path).frames(FPS)
