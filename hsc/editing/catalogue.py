"""Which edits to look for: the read-out each one moves, what it must leave, and its safe range."""

from dataclasses import dataclass

from hsc.editing.table import MOVE, STAY, TURN

STABLE = (
    *("yaw", "pitch", "mouth_open", "smile", "eyes_open", "age", "gender", "light", "glasses"),
    *("skin_red", "skin_green", "skin_blue"),
)
"""Read-outs that an edit leaves alone unless it says otherwise. No edit may free the skin."""


@dataclass(frozen=True)
class Wanted:
    """An edit to be found.

    Attributes:
        readout: the one it moves, of :mod:`hsc.editing.readouts`.
        per_unit: by how much an amount of 1 moves it.
        candidates: ranges of styles to choose from.
        free: read-outs that naturally go along, so that they are not held.
        against: read-outs that it moves the other way, in their standard deviations for one of
            its own: holding is not enough for what comes all at once, as glasses do.
        calibrated: False for something that is there or not: a mean change has no slope to
            choose or calibrate by, so the first candidate and the regression's own scale are kept.

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
    def held(self) -> dict[str, float]:
        """The read-outs that it must leave, and what the regression is asked to do to each."""
        names = [n for n in STABLE if n != self.readout and n not in self.free]
        return dict.fromkeys(names, 0.0) | dict(self.against)


CATALOGUE = (
    Wanted(
        "smile", "Smile", "", -1.0, 1.5, 0.05,
        "A neutral face smiles clearly at 1; below zero a smile fades.",
        "smile", 16.0, ((3, 9), (4, 9)), ("eyes_open", "mouth_open"),
    ),
    Wanted(
        "mouth_open", "Mouth open", "", -1.0, 1.5, 0.05,
        "Parts the lips by about a centimetre at 1; below zero closes them.",
        "mouth_open", 10.0, ((3, 9), (4, 9)),
    ),
    Wanted(
        "eyes_open", "Eyes open", "", -1.0, 1.0, 0.05,
        "Wide eyes at 1, narrowed ones at -1.",
        "eyes_open", 0.08, ((4, 9), (4, 12)),
    ),
    Wanted(
        "brow", "Brows raised", "", -1.0, 1.0, 0.05,
        "Lifts the brows by about four millimetres at 1, lowers them below zero.",
        "brow", 4.0, ((3, 9), (4, 9)),
    ),
    Wanted(
        "yaw", "Turn head", "degrees", -20.0, 20.0, 1.0,
        "Turns the head towards the picture's right; below zero to its left.",
        "yaw", 1.0, ((0, 4), (0, 6), (0, 9)), ("light",),
        kind=TURN,
    ),
    Wanted(
        "pitch", "Lift head", "degrees", -15.0, 15.0, 1.0,
        "Looks up; below zero down.",
        "pitch", 1.0, ((0, 4), (0, 6), (0, 9)),
        kind=TURN,
    ),
    Wanted(
        "age", "Age", "years", -20.0, 30.0, 1.0,
        "Makes the person look older; below zero younger.",
        "age", 1.0, ((3, 9), (4, 12), (0, 12)), ("eyes_open",), (("glasses", -0.5),),
        kind=STAY,
    ),
    Wanted(
        "gender", "Gender presentation", "", -1.0, 1.0, 0.05,
        "More masculine at 1, more feminine at -1.",
        "gender", 2.5, ((0, 9), (4, 12)), ("eyes_open",), kind=STAY,
    ),
    Wanted(
        "glasses", "Eyeglasses", "", -1.0, 1.0, 0.05,
        "Puts glasses on at 1; below zero takes them off.",
        "glasses", 1.4, ((0, 6),), ("eyes_open",), calibrated=False,
    ),
    Wanted(
        "light", "Light direction", "", -1.0, 1.0, 0.05,
        "Light from the picture's right at 1, from its left at -1.",
        "light", 0.2, ((4, 15), (4, 22)), kind=STAY,
    ),
)  # fmt: skip
