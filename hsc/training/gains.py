"""Measure how much stronger an edit must be where a file's own detail holds a face as it was.

Directions are scaled on faces that their semantics draw alone. In a file with a feature map most
of what is seen is detail beyond the semantics, which an edit leaves in place: without gains an
edit does half of what its unit says, or less. They are measured on people of the training set, at
the same amounts as directions, on those whom the edit can still move.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hsc.codec import PICTURE_PX, Codec
from hsc.decoder import Decoder, Opened
from hsc.editing.camera import Camera, has_room
from hsc.editing.catalogue import CATALOGUE, Wanted
from hsc.editing.readouts import where_meant
from hsc.editing.table import STAY, EditTable
from hsc.evaluation.pictures import spread
from hsc.faces import aligned, read_photo
from hsc.training.faces import list_faces
from hsc.training.setting import Setting
from hsc.weights import path_of

PEOPLE, LEVELS = 12, (2, 5)
LEAST, MOST, MOST_OF_COLOUR = 0.7, 1.8, 1.5
"""At the ends of their ranges edits with more than these leave the faces that the generator knows,
and those of colour show on skin."""


def find_gains(setting: Setting) -> None:
    """Training stage ``gains``: set those of the shipped table.

    Args:
        setting: ``data``, folders of aligned faces, and ``device``.
    """
    codec = Codec.load(str(setting.device))
    table = codec.networks.edits.with_gains({w.name: (1.0, 1.0) for w in CATALOGUE})
    people = []
    for number, path in enumerate(spread(list_faces(setting.data), PEOPLE)):
        latents = codec.analyse(aligned(read_photo(path), align=False, px=PICTURE_PX))
        people.append(codec.open(codec.compress(latents, LEVELS[number % len(LEVELS)])))
    camera = Camera.load(codec.decoder)
    before = where_meant(camera.read([camera.draw(person, {}) for person in people]))
    gains = {}
    for wanted in CATALOGUE:
        if wanted.calibrated:
            gains[wanted.name] = tuple(
                _gain(camera, table, wanted, amount, people, before[wanted.readout])
                for amount in wanted.measured_at
            )
            print("{}: {:.2f} {:.2f}".format(wanted.name, *gains[wanted.name]), flush=True)
    table.with_gains(gains).save(path_of("edits"))


def _gain(
    camera: Camera,
    table: EditTable,
    wanted: Wanted,
    amount: float,
    people: Sequence[Opened],
    before: np.ndarray,
) -> float:
    """What an amount is to be multiplied by to move people who have room by what it says."""
    room = np.flatnonzero(has_room(before, amount))

    def moved(gain: float) -> float:
        gained = table.with_gains({wanted.name: (gain, gain)})
        decoder = Decoder(replace(camera.decoder.networks, edits=gained))
        at = replace(camera, decoder=decoder, drawn={})
        after = at.read([at.draw(people[i], {wanted.name: amount}) for i in room])
        return float(np.nanmean(after[wanted.readout] - before[room]))

    most = MOST_OF_COLOUR if wanted.kind == STAY else MOST
    return solved(moved, wanted.per_unit * amount, most)


def solved(moved: Callable[[float], float], meant: float, most: float = MOST) -> float:
    """The gain from ``LEAST`` to ``most`` that moves by what is meant, by one secant step.

    Args:
        moved: what a gain moves by.
    """
    one = moved(1.0) / meant
    gain = float(np.clip(1 / max(one, 1 / most), LEAST, most))
    if abs(gain - 1) < 0.02:
        return gain
    slope = (moved(gain) / meant - one) / (gain - 1)
    return float(np.clip(1 + (1 - one) / slope, LEAST, most)) if slope > 0.02 else gain
