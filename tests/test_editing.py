"""Edits: the shipped table, the algebra of offsets, what they do to faces, and several people."""

import random
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from generated import mapping, styles, synthesis

from hsc.editing import (
    TOUCHED,
    Edit,
    EditTable,
    average,
    carry_feature,
    edit_styles,
    giving_way,
    interpolate,
    mix,
    movement,
)
from hsc.editing.catalogue import CATALOGUE
from hsc.editing.effects import Studio, to_pil
from hsc.editing.readouts import aligned_landmarks, geometry
from hsc.errors import HscError, WeightsError
from hsc.generator.pretrained import load_preview

MUST_HAVE = ("smile", "mouth_open", "eyes_open", "yaw", "pitch")
# Geometric read-outs only: the networks that found the smile do not ship.
MOVES = {
    "smile": ("mouth_width", 1.0, 1.0),
    "mouth_open": ("mouth_open", 1.0, 4.0),
    "eyes_open": ("eyes_open", 1.0, 0.02),
    "yaw": ("yaw", 15.0, 9.0),
    "pitch": ("pitch", 10.0, 5.0),
}
"""Edit -> its read-out, an amount, and by how much it must at least move every face."""


@pytest.fixture(scope="module")
def table() -> EditTable:
    return EditTable.load()


@pytest.fixture(scope="module")
def studio() -> Studio:
    small = deepcopy(synthesis()).bfloat16(), load_preview().bfloat16()
    return Studio(mapping(), *small, reader=None, identity=None)


def read(studio: Studio, w_plus: torch.Tensor) -> dict[str, float]:
    (picture,) = studio.draw(w_plus)
    return geometry(aligned_landmarks(to_pil(picture)))


def one_edit(**changes) -> Edit:
    edit = Edit("tilt", "Tilt", "degrees", -10.0, 10.0, 1.0, "Tilts.", (2, 5))
    return replace(edit, **changes)


# --- the table


def test_the_shipped_table_is_sound(table):
    names = [edit.name for edit in table.edits]
    assert set(MUST_HAVE) <= set(names) and len(set(names)) == len(names)
    for edit in table.edits:
        assert edit.low <= 0 < edit.high and 0 < edit.step <= edit.high
        assert edit.label and edit.description
        direction = table.direction(edit.name)
        assert direction.dtype == torch.float32 and direction.isfinite().all()
        first, last = edit.styles
        assert direction[first : last + 1].abs().sum(1).gt(0).all()


def test_a_table_survives_saving(table, tmp_path):
    table.save(tmp_path / "edits.safetensors")
    again = EditTable.load(tmp_path / "edits.safetensors")
    assert again.edits == table.edits
    for edit in table.edits:
        assert torch.equal(again.direction(edit.name), table.direction(edit.name))


def test_a_direction_must_stay_within_its_styles():
    direction = torch.zeros(23, 512)
    direction[2:7] = 1
    with pytest.raises(WeightsError, match="tilt"):
        EditTable((one_edit(),), {"tilt": direction})
    EditTable((one_edit(styles=(2, 6)),), {"tilt": direction})


@pytest.mark.parametrize("directions", [{}, {"tilt": torch.zeros(18, 512)}])
def test_a_direction_must_be_there_and_fit(directions):
    with pytest.raises(WeightsError, match="tilt"):
        EditTable((one_edit(),), directions)


def test_other_weights_are_no_table(tmp_path):
    with pytest.raises(WeightsError, match="no file"):
        EditTable.load(tmp_path / "edits.safetensors")
    (tmp_path / "noise").write_bytes(b"not safetensors at all")
    with pytest.raises(WeightsError, match="noise"):
        EditTable.load(tmp_path / "noise")
    with pytest.raises(WeightsError, match="preview"):
        EditTable.load(Path(__file__).parents[1] / "assets" / "weights" / "preview.safetensors")


# --- offsets


def test_nothing_and_zero_are_exactly_nothing(table):
    assert not table.offset({}).any()
    zero = table.offset({edit.name: 0 for edit in table.edits})
    assert zero.shape == (23, 512) and not zero.any()
    w_plus = styles(1)
    assert torch.equal(edit_styles(w_plus, zero), w_plus)


def test_order_does_not_matter_to_the_last_bit(table):
    amounts = {edit.name: 0.37 * edit.high for edit in table.edits}
    shuffled = list(amounts.items())
    random.Random(0).shuffle(shuffled)
    assert torch.equal(table.offset(amounts), table.offset(dict(shuffled)))


def test_edits_add_up(table):
    both = table.offset({"yaw": -7, "smile": 0.5})
    apart = -7 * table.direction("yaw") + 0.5 * table.direction("smile")
    assert torch.allclose(both, apart, atol=1e-6)


@pytest.mark.parametrize("amount", [1e9, -1e9, float("nan"), float("inf"), "1", None, True])
def test_amounts_out_of_range_are_refused(table, amount):
    with pytest.raises(HscError, match="smile from -?[0-9.]+ to"):
        table.offset({"smile": amount})


def test_both_ends_of_the_range_are_allowed(table):
    for edit in table.edits:
        assert table.offset({edit.name: edit.low}).any() == (edit.low != 0)
        assert table.offset({edit.name: edit.high}).any()


def test_an_unknown_name_is_refused_with_the_valid_ones(table):
    with pytest.raises(HscError, match="smile, .*'frown'"):
        table.offset({"smile": 1, "frown": 1})


def test_the_feature_follows_the_edit():
    hat, s, edited = torch.randn(3, 1, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    still, moving = movement(s, s, torch.ones(8)), movement(s, edited, torch.ones(8))
    assert still.shape == (1, 1, 4, 4) and not still.any()
    assert torch.equal(carry_feature(hat, s, s, still), hat)
    assert torch.allclose(carry_feature(s, s, edited, moving), edited, atol=1e-6)
    assert torch.allclose(carry_feature(hat, s, edited, still) - edited, hat - s, atol=1e-5)


def test_detail_is_kept_where_nothing_moves_and_gives_way_where_it_does():
    hat, s = torch.randn(2, 1, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    edited = s.clone()
    edited[..., :2] += 3.0  # a change of three standard deviations in the two left columns
    carried = carry_feature(hat, s, edited, movement(s, edited, torch.ones(8)))
    assert torch.equal(carried[..., 3:], hat[..., 3:])
    assert torch.allclose(carried[..., :2], edited[..., :2], atol=1e-4)


def test_keeping_less_detail_gives_way_wherever_the_edit_touches():
    s = torch.randn(1, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    edited = s.clone()
    edited[..., :2] += 0.15
    moved, touched = torch.zeros(1, 1, 6, 6), movement(s, edited, torch.ones(8), TOUCHED)
    none, half, all_ = (giving_way(moved, touched, keep) for keep in (0, 0.5, 1))
    assert not all_.any() and not none[..., 3:].any()
    assert none[..., :2].min() > 0.9
    assert torch.allclose(half, none / 2)


def test_only_edits_of_geometry_displace_detail(table):
    amounts = {"smile": 1.0, "age": 10.0, "yaw": 5.0, "light": 0.5, "gender": 0.2}
    assert table.moving(amounts) == {"smile": 1.0, "yaw": 5.0}


def test_the_shipped_table_says_what_the_catalogue_says(table):
    said = {edit.name: (edit.moves, edit.low, edit.high) for edit in table.edits}
    assert said == {w.name: (w.moves, w.low, w.high) for w in CATALOGUE}


# --- faces


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_every_edit_moves_what_it_names_together_with_others(table, studio, seed):
    before = read(studio, styles(seed))
    for names in (("smile", "yaw"), ("mouth_open", "eyes_open", "pitch")):
        offset = table.offset({name: MOVES[name][1] for name in names})
        after = read(studio, edit_styles(styles(seed), offset))
        for name in names:
            readout, _, least = MOVES[name]
            assert after[readout] - before[readout] > least, name


def test_yaw_turns_both_ways_by_about_what_it_says(table, studio):
    left, right = (
        read(studio, edit_styles(styles(11), table.offset({"yaw": amount})))["yaw"]
        for amount in (-12, 12)
    )
    assert 16 < right - left < 34


# --- between people


@pytest.fixture
def three() -> tuple[torch.Tensor, ...]:
    return tuple(torch.randn(3, 1, 23, 512, generator=torch.Generator().manual_seed(3)))


def test_interpolation_starts_and_ends_exactly(three):
    a, b, _ = three
    assert torch.equal(interpolate(a, b, 0), a) and torch.equal(interpolate(a, b, 1), b)
    assert torch.allclose(interpolate(a, b, 0.25), 0.75 * a + 0.25 * b, atol=1e-6)
    for t in (-0.1, 1.1, float("nan")):
        with pytest.raises(HscError, match="0 to 1"):
            interpolate(a, b, t)


def test_mixing_takes_whole_layers(three):
    a, b, _ = three
    before = a.clone()
    middle = mix(a, b, "middle")
    assert torch.equal(middle[:, :4], a[:, :4]) and torch.equal(middle[:, 10:], a[:, 10:])
    assert torch.equal(middle[:, 4:10], b[:, 4:10])
    assert torch.equal(mix(a, b, ("coarse", "middle", "fine")), b)
    assert torch.equal(mix(a, b, ()), a)
    assert torch.equal(a, before)
    with pytest.raises(HscError, match="coarse, middle, fine"):
        mix(a, b, "rough")


def test_the_average_face(three):
    assert torch.equal(average(three[:1]), three[0])
    assert torch.allclose(average(three), sum(three) / 3, atol=1e-6)
    with pytest.raises(HscError, match="none"):
        average([])
    with pytest.raises(HscError, match="shape"):
        average([three[0], three[1][:, :18]])
