"""Finding edits: which styles are chosen, how long a direction is made, and what is reported."""

from collections.abc import Iterable

import numpy as np
import pytest
import torch

from hsc.editing.table import EditTable
from hsc.research.edit_discovery.catalogue import CATALOGUE, REJECTED
from hsc.research.edit_discovery.directions import calibrate, select_styles
from hsc.research.edit_discovery.effects import Change, FaceReadouts, StyleTrial
from hsc.research.edit_discovery.probe import Probe
from hsc.research.edit_discovery.report import EditEffect, write_effects, write_found

YAW = next(spec for spec in CATALOGUE if spec.name == "yaw")
SIDEWAYS = torch.zeros(23, 512)
SIDEWAYS[0, 0] = 1.0


class SelfRenderer:
    """A renderer whose pictures are the styles, and whose yaw is a multiple of the first one."""

    def __init__(self, slope: float, silent: int = 0) -> None:
        self.slope, self.silent = slope, silent

    def render(self, w_plus: torch.Tensor) -> torch.Tensor:
        return w_plus

    def read(self, pictures: Iterable[torch.Tensor]) -> dict[str, np.ndarray]:
        yaw = self.slope * torch.stack(list(pictures))[:, 0, 0].numpy()
        yaw[: self.silent] = np.nan
        return {"yaw": yaw}


@pytest.mark.parametrize("silent", [0, 3])
@pytest.mark.parametrize("slope, scale", [(0.8, 1.25), (1.6, 0.625), (0.1, 2.0), (-1.0, 2.0)])
def test_a_direction_is_made_as_long_as_its_unit_says(slope, scale, silent):
    renderer, faces = SelfRenderer(slope, silent), torch.randn(8, 23, 512)
    made = calibrate(renderer, YAW, SIDEWAYS, faces, renderer.read(faces), {})
    assert torch.allclose(made, scale * SIDEWAYS, atol=1e-3)


class Tanned(SelfRenderer):
    """A self_renderer in which a turn to the side darkens the skin, by the second of the styles."""

    def read(self, pictures: Iterable[torch.Tensor]) -> dict[str, np.ndarray]:
        pictures = list(pictures)
        first, second = torch.stack(pictures)[:, 0, :2].numpy().T
        return super().read(pictures) | {"skin_light": 40 - 0.5 * first + 2 * second}


def test_what_an_edit_did_to_skin_is_taken_out():
    lighter = torch.zeros(23, 512)
    lighter[0, 1] = 0.5
    renderer, faces = Tanned(0.8), torch.randn(8, 23, 512)
    before = renderer.read(renderer.render(faces))
    made = calibrate(renderer, YAW, SIDEWAYS, faces, before, {"skin_light": lighter})
    after = renderer.read(renderer.render(faces + 5 * made))
    assert np.allclose(after["yaw"] - before["yaw"], 5, atol=1e-3)
    assert np.allclose(after["skin_light"], before["skin_light"], atol=1e-3)


def trial(styles: tuple[int, int], side: float, slope: float = 1.0) -> StyleTrial:
    return StyleTrial(styles, slope, side, identity=0.2)


def test_the_styles_with_the_least_side_effect_are_chosen_and_of_equals_the_fewest():
    narrow, wide = trial((9, 11), 0.52), trial((9, 15), 0.50)
    assert select_styles([wide, narrow]) is narrow
    assert select_styles([trial((9, 11), 0.60), wide]) is wide
    assert select_styles([wide, trial((9, 11), 0.1, slope=-1.0)]) is wide  # it moves the wrong way


def measured() -> FaceReadouts:
    return FaceReadouts(
        {"yaw": np.array([-4.0, 4.0]), "gender": np.array([1.0, 1.0]), "gaze": np.zeros(2),
         "lenses": np.zeros(2), "age": np.full(2, 40.0)},
        np.zeros((2, 128)),
    )  # fmt: skip


def change(yaw: float) -> Change:
    still = dict.fromkeys(("gender", "gaze", "lenses", "age"), np.zeros(2))
    return Change({"yaw": np.full(2, yaw)} | still, np.array([0.1, 0.3]))


def test_the_report_says_what_was_measured(tmp_path):
    effect = EditEffect((-10.0, 10.0), measured(), change(-9.0), change(7.0))
    write_effects(tmp_path / "edits.md", EditTable.load(), [YAW], {"yaw": effect})
    rows = [line.split(" | ") for line in (tmp_path / "edits.md").read_text().splitlines()]
    own, side = (row for row in rows if row[0] == "| yaw")
    assert own[5:] == ["-10 / +10", "-9.00 / +7.00", "0.20 / 0.20 |"]
    assert side[1:] == ["**+8.00**", *["+0.00"] * 3, "+0.00 |"]
    (spread,) = (row for row in rows if row[0] == "| *spread*")
    assert spread[1] == "4.00"


def test_what_was_looked_for_in_vain_is_told(tmp_path):
    (gaze,) = REJECTED
    names = ("yaw", "gaze")
    probe = Probe(names, np.eye(2), np.eye(2), np.array([14.0, 0.05]), np.array([0.93, 0.37]))
    trials = {"gaze": [trial((4, 9), 0.9, slope=0.2)], "yaw": [trial((0, 9), 0.3)]}
    assert gaze.name not in {spec.name for spec in CATALOGUE}
    write_found(tmp_path / "found.md", EditTable.load(), CATALOGUE, probe, trials)
    text = (tmp_path / "found.md").read_text()
    unwrapped = " ".join(text.split())
    assert "Not offered: gaze" in text and "37%" in text and "moved by 0.3, " in unwrapped
    assert "| yaw | 0.93 | 14 |" in text and "| yaw | 0-9: 0.30 / 0.20 |" in text
