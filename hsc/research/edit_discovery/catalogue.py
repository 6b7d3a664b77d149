"""The edits to find: the read-out that each changes, the constraints, and the safe range."""

from collections.abc import Mapping
from dataclasses import dataclass

from hsc.editing.table import HALF, LOOK, MOVE, PRINCIPAL_GROUP, STAY, TURN, Edit

SKIN = ("skin_light", "skin_red", "skin_yellow")
STABLE = (
    *("yaw", "pitch", "mouth_open", "smile", "eyes_open", "age", "gender", "light", "gaze"),
    *("glasses", "lenses", "beard", "makeup", "hair_light", "hair_warm", "hair_length", "warmth"),
    "contrast",
    *SKIN,
)
"""Read-outs that an edit leaves alone unless it says otherwise. No edit may free the skin."""


@dataclass(frozen=True)
class EditSpec:
    """An edit to be found.

    Attributes:
        readout: the one that it changes, of :mod:`hsc.vision.face_readouts`.
        per_unit: change of the read-out for an amount of 1.
        candidates: ranges of styles to choose from.
        free: read-outs that naturally change as well and are not constrained.
        against: read-outs that it must change in the opposite direction, in their standard
            deviations for one of its own: a zero constraint is not enough for strongly correlated
            attributes such as glasses.
        calibrated: False for a binary attribute: the mean change has no slope to calibrate by, so
            the regression's own scale is kept, and it is measured at the ends of its range.

    The others are as in :class:`hsc.editing.table.Edit`.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    description: str
    readout: str
    per_unit: float
    candidates: tuple[tuple[int, int], ...]
    free: tuple[str, ...] = ()
    against: tuple[tuple[str, float], ...] = ()
    calibrated: bool = True
    kind: str = MOVE
    group: str = "face"

    @property
    def measured_at(self) -> tuple[float, float]:
        """The amounts below and above zero at which it is calibrated and reported."""
        part = HALF if self.calibrated else 1.0
        return self.low * part, self.high * part

    @property
    def constraints(self) -> dict[str, float]:
        """The constrained read-outs, and the change that the regression is asked for of each."""
        names = [n for n in STABLE if n != self.readout and n not in self.free]
        return dict.fromkeys(names, 0.0) | dict(self.against)


CATALOGUE = (
    EditSpec(
        "smile", "Smile", "", -1.0, 1.5, 0.05,
        "A neutral face smiles clearly at 1; below zero a smile fades.",
        "smile", 16.0, ((3, 9),), ("eyes_open", "mouth_open", "makeup", "lenses"),
        group="expression",
    ),
    EditSpec(
        "mouth_open", "Mouth open", "", -1.0, 1.5, 0.05,
        "Parts the lips by about a centimetre at 1; below zero closes them.",
        "mouth_open", 10.0, ((3, 9),), ("makeup",),
        group="expression",
    ),
    EditSpec(
        "eyes_open", "Eyes open", "", -1.0, 1.0, 0.05,
        "Wide eyes at 1, narrowed ones at -1.",
        "eyes_open", 0.08, ((4, 9), (4, 12)), ("lenses",),
        group="expression",
    ),
    EditSpec(
        "brow", "Brows raised", "", -1.0, 1.0, 0.05,
        "Lifts the brows by about four millimetres at 1, lowers them below zero.",
        "brow", 4.0, ((3, 9),), ("makeup",),
        group="expression",
    ),
    EditSpec(
        "yaw", "Turn head", "degrees", -20.0, 20.0, 1.0,
        "Turns the head towards the picture's right; below zero to its left.",
        "yaw", 1.0, ((0, 6), (0, 9)), ("light", "gaze"),
        kind=TURN, group="head",
    ),
    EditSpec(
        "pitch", "Lift head", "degrees", -15.0, 15.0, 1.0,
        "Looks up; below zero down.",
        "pitch", 1.0, ((0, 6), (0, 9)), ("beard", "makeup"),
        kind=TURN, group="head",
    ),
    EditSpec(
        "age", "Age", "years", -20.0, 20.0, 1.0,
        "Makes an adult look older; below zero younger.",
        "age", 1.0, ((3, 12), (4, 12)), ("eyes_open", "hair_light", "hair_warm", "hair_length"),
        kind=LOOK, group="person",
    ),
    EditSpec(
        "gender", "Gender presentation", "", -1.0, 1.0, 0.05,
        "More masculine at 1, more feminine at -1; hair goes along.",
        "gender", 4.0, ((3, 9), (3, 12)), ("eyes_open", "beard", "makeup", "hair_length"),
        kind=LOOK, group="person",
    ),
    EditSpec(
        "beard", "Beard", "", -1.0, 1.5, 0.05,
        "A man's beard grows at 1; below zero he is shaved.",
        "beard", 12.0, ((4, 12), (4, 15)), ("makeup",),
        group="person",
    ),
    EditSpec(
        "makeup", "Make-up", "", -1.0, 1.0, 0.05,
        "Redder lips and darker lids at 1; below zero less of both.",
        "makeup", 3.0, ((7, 12),), ("lenses", "beard"),
        kind=STAY, group="person",
    ),
    EditSpec(
        "glasses", "Eyeglasses", "", -1.0, 1.5, 0.05,
        "Puts glasses on at 1; below zero takes them off.",
        "glasses", 1.0, ((0, 6),), ("eyes_open", "makeup"),
        calibrated=False, group="person",
    ),
    EditSpec(
        "hair_light", "Hair, dark to blond", "", -0.5, 0.7, 0.05,
        "Lighter hair above zero, darker below.",
        "hair_light", 20.0, ((9, 11), (9, 15)), ("hair_warm", "warmth", "contrast"),
        kind=STAY, group="hair",
    ),
    EditSpec(
        "hair_warm", "Hair, ash to copper", "", -0.8, 0.8, 0.05,
        "Redder hair above zero, cooler below.",
        "hair_warm", 10.0, ((9, 11), (9, 15)), ("warmth",),
        kind=STAY, group="hair",
    ),
    EditSpec(
        "hair_length", "Hair length", "", -1.0, 1.5, 0.05,
        "Longer hair above zero, shorter below.",
        "hair_length", 0.5, ((0, 6), (3, 9)), (),
        group="hair",
    ),
    EditSpec(
        "light", "Light direction", "", -1.0, 1.0, 0.05,
        "Light from the picture's right at 1, from its left at -1.",
        "light", 12.0, ((4, 12), (4, 15)), (),
        kind=LOOK, group="picture",
    ),
    EditSpec(
        "warmth", "Colour mood", "", -1.0, 1.0, 0.05,
        "Warmer surroundings above zero, cooler below; the skin stays as it is.",
        "warmth", 10.0, ((10, 22),), ("hair_warm",),
        kind=STAY, group="picture",
    ),
)  # fmt: skip

REJECTED = (
    EditSpec(
        "gaze", "Look aside", "", -1.0, 1.0, 0.05,
        "Turns the eyes alone towards the picture's right.",
        "gaze", 0.05, ((0, 6), (4, 9), (7, 12)), (),
    ),
)  # fmt: skip
"""Looked for in the same way and reported, but not offered: no direction does it alone."""


def principal(number: int, predicted: Mapping[str, float], styles: int) -> Edit:
    """An entry of the table for a principal direction; described by what it mostly moves.

    Args:
        styles: of w+, all of which it moves.
    """
    strongest = sorted(predicted, key=lambda name: -abs(predicted[name]))[:3]
    moves = ", ".join(f"{name} {predicted[name]:+.1f}" for name in strongest)
    return Edit(
        f"pc{number}", f"Principal {number}", "standard deviations", -2.0, 2.0, 0.1,
        f"One of the ways in which faces differ most; a step moves mainly {moves} of their spread.",
        styles=(0, styles - 1), kind=MOVE, group=PRINCIPAL_GROUP,
    )  # fmt: skip
