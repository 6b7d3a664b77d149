"""Edits of the shipped table on the shipped example: alone they pass, too many are held back."""

import pytest
import torch
from paths import ASTRONAUT

import hsc
from hsc.bitstream import describe
from hsc.codec import Codec
from hsc.editing.plausibility import GIVE, NOTHING_HELD
from hsc.errors import HscError
from hsc.types import DecodedLatents

TOO_MUCH = {
    "beard": 1.5, "gender": 1.0, "age": 20, "hair_light": -0.5, "smile": 1.5, "mouth_open": 1.5,
    "light": -1.0, "brow": -1.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def codec() -> Codec:
    return hsc.load("cpu")


@pytest.fixture(scope="module")
def opened(codec: Codec) -> DecodedLatents:
    return codec.open(codec.encode(ASTRONAUT, 3))


def departure(codec: Codec, opened: DecodedLatents, edits: dict[str, float]) -> float:
    """Of the face under exactly these amounts."""
    networks = codec.networks
    w_plus = opened.w_plus + networks.edits.offset(edits, 1.0).to(opened.w_plus)
    with torch.no_grad():
        return float(networks.plausibility.departure(networks.synthesis.feature(w_plus)))


def test_one_edit_passes(codec, opened) -> None:
    for name, amount in (("smile", 1.5), ("age", 20), ("yaw", -20), ("glasses", 1.0)):
        assert codec.held_back(opened, {name: amount}).share == 1
    assert codec.held_back(opened, {}) == NOTHING_HELD
    assert codec.held_back(opened, {"smile": 0.0}) == NOTHING_HELD


def test_too_many_are_held_back_and_what_is_drawn_is_what_is_said(codec, opened) -> None:
    held = codec.held_back(opened, TOO_MUCH)
    assert 0.2 < held.share < 0.99 and held.departure > held.limit
    assert held.departure == pytest.approx(departure(codec, opened, TOO_MUCH), rel=1e-3)
    less = {name: held.share * amount for name, amount in TOO_MUCH.items()}
    # between the shares that were tried it is estimated by straight lines
    assert departure(codec, opened, less) < held.limit + GIVE + 0.15
    picture = codec.preview(opened, TOO_MUCH)
    if codec.held_back(opened, less).share == 1:
        assert picture.tobytes() == codec.preview(opened, less).tobytes()


def test_out_of_range_is_refused_whatever_is_held_back(codec, opened) -> None:
    with pytest.raises(HscError, match="expected smile from"):
        codec.held_back(opened, TOO_MUCH | {"smile": 9})


def test_an_edited_face_is_a_file_of_its_own(codec, opened) -> None:
    data = codec.compress_edited(opened, {"smile": -1.0}, 3)
    assert describe(data)["layers"] == ["scn", "fcn"] and describe(data)["level"] == 3
    drawn = torch.tensor(list(codec.preview(codec.open(data)).resize((64, 64)).tobytes()))
    edited = torch.tensor(list(codec.preview(opened, {"smile": -1.0}).resize((64, 64)).tobytes()))
    plain = torch.tensor(list(codec.preview(opened).resize((64, 64)).tobytes()))
    error, change = ((one - edited).float().square().mean() for one in (drawn, plain))
    assert error < change  # nearer to the edit than the face without it
    alone = DecodedLatents(opened.w_plus, opened.feature_s, opened.feature_s, "scn")
    assert describe(codec.compress_edited(alone, {"smile": -1.0}, 3))["layers"] == ["scn"]
