"""Measure the gain of each edit: how much stronger it must be where a file has detail of its own.

Directions are scaled on faces rendered from their semantics alone. In a file with a feature map
most of the picture is detail beyond the semantics, which an edit leaves in place: without gains an
edit has half of its nominal effect, or less. Gains are measured on training photographs in which
the edit has room: at the same amounts as directions, and at the ends of the range, where much of
the detail is already suppressed and a smaller gain suffices.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from hsc.codec import Codec
from hsc.decoder import Decoder
from hsc.domains.ffhq_face import aligned
from hsc.editing.table import HALF, NO_GAINS, EditTable
from hsc.images.photo import read_photo
from hsc.research.data.faces import list_faces
from hsc.research.data.held_out import spread
from hsc.research.edit_discovery.catalogue import CATALOGUE, EditSpec
from hsc.research.edit_discovery.renderer import EditRenderer, has_room
from hsc.research.training.setting import Setting
from hsc.types import DecodedLatents
from hsc.vision.face_readouts import where_valid
from hsc.weights.loading import path_of

PEOPLE, LEVELS = 24, (2, 5)
LEAST, MOST = 0.7, 2.0
MOST_AT_END = 1.5
"""At the ends of their ranges edits with more leave the faces that the generator knows."""
GROWS = 0.2
"""Share of what an edit adds at half of its range that the other half adds at least."""


def find_gains(setting: Setting) -> None:
    """Training stage ``gains``: set those of the shipped table.

    Args:
        setting: ``data``, folders of aligned faces, and ``device``.
    """
    codec = Codec.load(str(setting.device))
    table = codec.networks.edits.with_gains({w.name: NO_GAINS for w in CATALOGUE})
    people, px = [], codec.networks.config.generator.image_px
    for number, path in enumerate(spread(list_faces(setting.data), PEOPLE)):
        latents = codec.analyse(aligned(read_photo(path), align=False, px=px))
        people.append(codec.open(codec.compress(latents, LEVELS[number % len(LEVELS)])))
    renderer = EditRenderer.load(codec.decoder)
    before = where_valid(renderer.read([renderer.render(person, {}) for person in people]))
    gains = {}
    for spec in CATALOGUE:
        if spec.calibrated:
            moved = partial(_moved, renderer, table, spec, people, before[spec.readout])
            gains[spec.name] = gains_of(spec, moved)
            print(spec.name, *(f"{gain:.2f}" for gain in gains[spec.name]), flush=True)
    table.with_gains(gains).save(path_of("edits"))


def gains_of(
    spec: EditSpec, moved: Callable[[float, float], float]
) -> tuple[float, float, float, float]:
    """The gains of an edit, in the order of :class:`hsc.editing.table.Edit`.

    Args:
        moved: what an amount with a gain moves by.
    """
    sides = []
    for half, end in zip(spec.measured_at, (spec.low, spec.high)):
        gain = solve_gain(partial(moved, half), spec.per_unit * half)
        least = max(LEAST, HALF * gain * (1 + GROWS))
        highest = max(least, min(gain, MOST_AT_END))
        sides.append((gain, solve_gain(partial(moved, end), spec.per_unit * end, least, highest)))
    (below, low), (above, high) = sides
    return low, below, above, high


def _moved(
    renderer: EditRenderer,
    table: EditTable,
    spec: EditSpec,
    people: Sequence[DecodedLatents],
    before: np.ndarray,
    amount: float,
    gain: float,
) -> float:
    """Mean change by an amount with a gain, over the people with room for it."""
    room = np.flatnonzero(has_room(before, amount))
    gained = table.with_gains({spec.name: (gain,) * 4})
    decoder = Decoder(replace(renderer.decoder.networks, edits=gained))
    at = replace(renderer, decoder=decoder, cache={})
    after = at.read([at.render(people[i], {spec.name: amount}) for i in room])
    return trimmed_mean(after[spec.readout] - before[room])


def trimmed_mean(values: np.ndarray) -> float:
    """Mean without the lowest and the highest sixth, robust to wrong read-outs."""
    known = np.sort(values[np.isfinite(values)])
    cut = len(known) // 6
    return float(known[cut : len(known) - cut].mean())


def solve_gain(
    moved: Callable[[float], float], target: float, least: float = LEAST, most: float = MOST
) -> float:
    """The gain from ``least`` to ``most`` that moves by the target, by one secant step.

    Args:
        moved: what a gain moves by.
    """
    if least >= most:
        return most
    first = float(np.clip(1.0, least, most))
    share = moved(first) / target
    gain = float(np.clip(first / max(share, first / most), least, most))
    if abs(gain - first) < 0.02:
        return gain
    slope = (moved(gain) / target - share) / (gain - first)
    return float(np.clip(first + (1 - share) / slope, least, most)) if slope > 0.02 else gain
