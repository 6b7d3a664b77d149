"""Edits of the shipped table on the shipped example: alone they pass, all at once are held back."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hsc.bitstream import describe
from hsc.codec import Codec
from hsc.decoder import Decoder
from hsc.editing.plausibility import NOTHING_HELD
from hsc.editing.table import PRINCIPAL_GROUP
from hsc.errors import HscError
from hsc.types import DecodedLatents


@pytest.fixture(scope="module")
def opened(codec: Codec, file: bytes) -> DecodedLatents:
    return codec.open(file)


@pytest.fixture(scope="module")
def everything(codec: Codec) -> dict[str, float]:
    """Every edit at the end of its range."""
    return {edit.name: edit.high for edit in codec.edit_names if edit.group != PRINCIPAL_GROUP}


def test_one_edit_passes(codec, opened) -> None:
    for name, amount in (("smile", 1.0), ("age", 10), ("yaw", -10)):
        assert codec.held_back(opened, {name: amount}).share == 1
    assert codec.held_back(opened, {}) == NOTHING_HELD
    assert codec.held_back(opened, {"smile": 0.0}) == NOTHING_HELD


def test_all_at_once_are_held_back_and_what_is_said_is_what_is_drawn(
    codec, opened, everything
) -> None:
    held = codec.held_back(opened, everything)
    assert 0 <= held.share < 1 and held.departure > held.limit and held.plausibility < 1
    less = {name: held.share * amount for name, amount in everything.items()}
    unheld = Decoder(replace(codec.networks, plausibility=None))
    assert unheld.held(opened, everything) == NOTHING_HELD
    drawn, said = codec.decoder.apply_edits(opened, everything), unheld.apply_edits(opened, less)
    assert all(torch.equal(one, other) for one, other in zip(drawn, said))


def test_out_of_range_is_refused_whatever_is_held_back(codec, opened, everything) -> None:
    with pytest.raises(HscError, match="expected smile from"):
        codec.held_back(opened, everything | {"smile": 9})


def test_an_edited_face_is_a_file_of_its_own(codec, opened) -> None:
    data = codec.compress_edited(opened, {"smile": -1.0}, 3)
    assert describe(data)["layers"] == ["scn", "fcn"] and describe(data)["level"] == 3
    pictures = codec.preview(codec.open(data)), codec.preview(opened, {"smile": -1.0})
    drawn, edited = (np.asarray(each.resize((64, 64)), dtype=float) for each in pictures)
    assert 10 * np.log10(255**2 / ((drawn - edited) ** 2).mean()) > 20
    alone = replace(opened, feature=opened.feature_s, layers="scn", fine=None)
    assert describe(codec.compress_edited(alone, {"smile": -1.0}, 3))["layers"] == ["scn"]
