"""Edits: the shipped table, the algebra of offsets, what they do to faces, and several people."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from generated import small_renderer, styles, synthesis
from paths import ROOT, stream
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import hsc
from hsc.cli import main
from hsc.codec import Codec
from hsc.editing import (
    Edit,
    EditTable,
    edit_feature,
    edit_styles,
)
from hsc.editing.apply import detail_weight, restore_contrast
from hsc.editing.blend import average, interpolate, mix
from hsc.editing.motion import motion, warp
from hsc.editing.table import KINDS, MOVE, NO_GAINS, PRINCIPAL_GROUP
from hsc.errors import HscError, WeightsError
from hsc.research.edit_discovery.catalogue import CATALOGUE, SKIN
from hsc.research.edit_discovery.effects import SampleRenderer, to_pil
from hsc.vision.appearance import appearance
from hsc.vision.face_readouts import aligned_landmarks, geometry
from hsc.vision.segmentation import PersonSegmentation
from hsc.weights.loading import path_of

MUST_HAVE = (
    *("smile", "mouth_open", "eyes_open", "brow", "yaw", "pitch", "age", "gender", "beard"),
    *("makeup", "glasses", "hair_light", "hair_warm", "hair_length", "light", "warmth"),
)
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
def renderer() -> SampleRenderer:
    return small_renderer()


def read(renderer: SampleRenderer, w_plus: torch.Tensor) -> dict[str, float]:
    (picture,) = renderer.render(w_plus)
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
        EditTable.load(ROOT / "assets" / "weights" / "preview.safetensors")


# --- a user's own direction


def test_a_direction_of_ones_own_is_an_edit_like_any_other(tmp_path):
    table = EditTable.load()
    shipped = table.edits
    whole = 0.1 * torch.randn(23, 512, generator=torch.Generator().manual_seed(0))
    np.save(tmp_path / "mine.npy", whole.numpy())
    edit = table.add_direction("mine", tmp_path / "mine.npy", low=-2, high=2)
    assert table.edits == (*shipped, edit) and (edit.low, edit.high) == (-2, 2)
    assert torch.equal(table.offset({"mine": 1.0}), whole)
    both = table.offset({"mine": -0.5, "smile": 1})
    assert torch.allclose(both, table.direction("smile") - 0.5 * whole, atol=1e-6)
    assert table.of_kind({"mine": 1.0}, MOVE) == {"mine": 1.0}
    with pytest.raises(HscError, match="mine from -2 to 2"):
        table.offset({"mine": 2.1})
    table.add_direction("alike", np.ones(512))
    assert torch.equal(table.direction("alike"), torch.ones(23, 512))
    assert EditTable.load().edits == shipped


@pytest.mark.parametrize(
    ("name", "direction", "limits", "message"),
    [
        ("smile", np.ones(512), (-1, 1), "new name"),
        ("a b", np.ones(512), (-1, 1), "new name"),
        ("mine", np.ones((18, 512)), (-1, 1), r"shape \(512,\) or \(23, 512\), got \(18, 512\)"),
        ("mine", np.ones(512, dtype=int), (-1, 1), "floating-point"),
        ("mine", np.full(512, np.nan), (-1, 1), "finite"),
        ("mine", np.zeros(512), (-1, 1), "not all of them 0"),
        ("mine", np.ones(512), (1, 2), "0 in it"),
        ("mine", np.ones(512), (-1, float("inf")), "0 in it"),
    ],
)
def test_a_direction_that_does_not_fit_is_refused(name, direction, limits, message):
    table = EditTable.load()
    before = table.edits
    with pytest.raises(HscError, match=message):
        table.add_direction(name, direction, *limits)
    assert table.edits == before


def test_a_file_that_is_no_direction_is_refused(tmp_path):
    table = EditTable.load()
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "noise.npy").write_bytes(b"noise")
    for name in ("objects.npy", "noise.npy", "none.npy"):
        with pytest.raises(HscError, match=r"expected a \.npy file"):
            table.add_direction("mine", tmp_path / name)


def test_the_command_line_takes_a_direction_of_ones_own(codec, tmp_path, monkeypatch):
    # with edits of its own, because one is added
    codec = Codec(replace(codec.networks, edits=EditTable.load()))
    monkeypatch.setattr(hsc, "load", lambda **_: codec)
    np.save(tmp_path / "mine.npy", codec.networks.edits.direction("yaw").numpy())
    data = stream("level1")
    (tmp_path / "a.hsc").write_bytes(data)
    out = tmp_path / "b.png"
    given = ["--direction", f"{tmp_path / 'mine.npy'},-20,20", "--edit", "mine=10"]
    assert main(["decode", str(tmp_path / "a.hsc"), str(out), *given]) == 0
    with Image.open(out) as picture:
        edited = np.asarray(picture).astype(int)
    plain = np.asarray(codec.decode(data)).astype(int)
    assert np.abs(edited - plain).mean() > 2
    # the shipped edit is of another kind, by which detail follows it, but the face turns alike
    turned = np.asarray(codec.decode(data, edits={"yaw": 10.0})).astype(int)
    assert np.abs(edited - turned).mean() < np.abs(edited - plain).mean()
    assert codec.edit_names[-1].name == "mine" and codec.edit_names[-1].low == -20


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


def test_a_gain_makes_up_for_the_detail_that_holds(table):
    stronger = table.with_gains({"smile": (1.5, 1.5, 2.0, 2.0), "yaw": (1.2,) * 4})
    for amount, gain in ((1.5, 2.0), (-1.0, 1.5)):  # both are ends of the range
        alone, held = (stronger.offset({"smile": amount}, held) for held in (0, 1))
        assert torch.equal(alone, table.offset({"smile": amount}))
        assert torch.allclose(held, gain * alone, atol=1e-5)
        half = stronger.offset({"smile": amount}, 0.5)
        assert torch.allclose(half, (alone + held) / 2, atol=1e-5)
    amounts = {"smile": 0.5, "yaw": -5.0}
    turned = dict(reversed(amounts.items()))
    assert torch.equal(stronger.offset(amounts, 1), stronger.offset(turned, 1))
    assert not stronger.offset({"smile": 0, "yaw": 0.0}, 1).any()
    with pytest.raises(HscError, match="smile from"):
        stronger.offset({"smile": 1.6}, 1)


def test_a_gain_may_differ_at_half_of_the_range_and_at_its_end():
    edit = one_edit(low=-10.0, high=20.0, gains=(0.8, 1.4, 1.6, 1.0))
    known = {-10: 0.8, -5: 1.4, -1: 1.4, 2: 1.6, 10: 1.6, 20: 1.0}
    assert {amount: pytest.approx(edit.gain(amount, 1.0)) for amount in known} == known
    added = [amount * edit.gain(amount, 1.0) for amount in range(-10, 21)]
    assert added == sorted(added)  # more is never less
    assert edit.gain(20, 0.5) == 1.0 and edit.gain(-10, 0.5) == pytest.approx(0.9)


def saved_with(table: EditTable, path: Path, change: Callable[[dict], object]) -> None:
    """Save a table and change every row of it in the file."""
    table.save(path)
    with safe_open(path, "pt") as file:
        rows = json.loads(file.metadata()["table"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for row in rows:
        change(row)
    save_file(tensors, path, {"table": json.dumps(rows)})


def test_gains_are_saved_and_tables_from_before_them_are_read(table, tmp_path):
    path = tmp_path / "edits.safetensors"
    table.with_gains({"smile": (1.5, 1.5, 2.0, 1.8)}).save(path)
    again = EditTable.load(path)
    assert {e.name: e.gains for e in again.edits}["smile"] == (1.5, 1.5, 2.0, 1.8)
    saved_with(table, path, lambda row: row.pop("gains"))
    assert {e.gains for e in EditTable.load(path).edits} == {NO_GAINS}


@pytest.mark.parametrize("gains", [[1.2, 1.5], [1.0] * 5, ["1", "1", "1", "1"], 1.5])
def test_a_table_with_gains_of_another_kind_is_refused(table, tmp_path, gains):
    path = tmp_path / "edits.safetensors"
    saved_with(table, path, lambda row: row.update(gains=gains))
    with pytest.raises(WeightsError, match="get the file of this version"):
        EditTable.load(path)


@pytest.mark.parametrize("amount", [1e9, -1e9, float("nan"), float("inf"), "1", None, True])
def test_amounts_out_of_range_are_refused(table, amount):
    with pytest.raises(HscError, match=r"smile from -?[0-9.]+ to"):
        table.offset({"smile": amount})


def test_both_ends_of_the_range_are_allowed(table):
    for edit in table.edits:
        assert table.offset({edit.name: edit.low}).any() == (edit.low != 0)
        assert table.offset({edit.name: edit.high}).any()


def test_an_unknown_name_is_refused_with_the_valid_ones(table):
    with pytest.raises(HscError, match=r"smile, .*'frown'"):
        table.offset({"smile": 1, "frown": 1})


def test_only_edits_that_are_not_zero_are_of_a_kind(table):
    amounts = {"smile": 1.0, "age": 10.0, "yaw": 5.0, "pitch": 0.0, "warmth": 0.5}
    kinds = {kind: table.of_kind(amounts, kind) for kind in KINDS}
    assert kinds == {
        "turn": {"yaw": 5.0}, "look": {"age": 10.0}, "move": {"smile": 1.0}, "stay": {"warmth": 0.5}
    }  # fmt: skip


def test_the_shipped_table_says_what_the_catalogue_says(table):
    said = {e.name: (e.kind, e.low, e.high, e.group) for e in table.edits}
    bonus = {name for name, (*_, group) in said.items() if group == PRINCIPAL_GROUP}
    assert bonus == {f"pc{number}" for number in range(1, 9)}
    specs = {w.name: (w.kind, w.low, w.high, w.group) for w in CATALOGUE}
    assert {name: said[name] for name in said if name not in bonus} == specs


def test_no_edit_is_free_to_move_skin():
    for spec in CATALOGUE:
        assert {spec.constraints[name] for name in SKIN} == {0.0}


# --- the feature map under an edit


def blobs(shift: float = 0.0) -> torch.Tensor:
    """A disc of 128 random features on an empty map, (1, 128, 32, 32), moved to the right."""
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0) - shift, indexing="ij")
    disc = torch.sigmoid(8 - ((x - 14) ** 2 + (y - 16) ** 2).sqrt())
    waves = torch.rand(2, 128, generator=torch.Generator().manual_seed(0)) * 1.2
    return (disc * torch.sin(waves[0, :, None, None] * x + waves[1, :, None, None] * y))[None]


def test_motion_is_found_and_undone():
    before, after = blobs(), blobs(1.5)
    flow = motion(before, after)
    assert (flow[0, 0, 12:20, 12:20] + 1.5).abs().max() < 0.2
    assert flow[0, 1, 12:20, 12:20].abs().max() < 0.2
    unmoved, moved = ((x - after).square().mean() for x in (before, warp(before, flow)))
    assert moved < unmoved / 20
    assert not motion(before, before).any()
    assert torch.allclose(warp(before, torch.zeros(1, 2, 32, 32)), before, atol=1e-5)


def carried(table, detail_of, amounts, keep_details=1.0):
    """F_edit less what the semantics draw, for a detail made from G_F(S)."""
    w_plus, std = styles(3), load_file(path_of("fcn"))["feature_std"].float()
    feature_s = synthesis().feature(w_plus)
    detail = detail_of(feature_s)
    hat = feature_s + detail if detail.any() else feature_s
    weight = detail_weight(hat is not feature_s, keep_details)
    edited = edit_feature(
        table, amounts, synthesis().feature, std, w_plus, feature_s, hat, keep_details
    )
    return edited - synthesis().feature(edit_styles(w_plus, table.offset(amounts, weight)))


def constant(feature):
    return torch.full_like(feature, 0.5)


def test_no_edit_leaves_the_feature_untouched(table):
    w_plus = styles(3)
    feature_s = synthesis().feature(w_plus)
    hat = feature_s + 1
    for amounts in ({}, {"smile": 0.0, "yaw": 0}):
        arguments = table, amounts, synthesis().feature, torch.ones(512), w_plus, feature_s, hat
        assert edit_feature(*arguments, keep_details=0) is hat


def test_without_a_feature_layer_an_edit_is_the_semantics_own(table):
    assert not carried(table, torch.zeros_like, {"smile": 1.0, "yaw": 9.0, "age": 5.0}).any()


def test_edits_of_colour_keep_all_detail(table):
    kept = carried(table, constant, {"hair_light": 0.5, "warmth": 0.5})
    assert torch.allclose(kept, torch.full_like(kept, 0.5), atol=1e-5)


def test_detail_gives_way_where_something_appears_and_only_there(table):
    kept = carried(table, constant, {"mouth_open": 1.5})[0].mean(0)
    assert kept[20:25, 13:19].min() < 0.2  # the mouth
    assert kept[:8].min() > 0.3  # the hair


def test_what_passes_in_a_clip_is_kept_where_an_edit_takes_what_lasts(table):
    """A frame's own detail at the mouth, with and without a word on what of it lasts."""
    w_plus, std = styles(3), load_file(path_of("fcn"))["feature_std"].float()[:, None, None]
    feature_s = synthesis().feature(w_plus)
    lasting = torch.full_like(feature_s, 0.5)
    spoken = torch.zeros_like(feature_s)
    spoken[..., 18:27, 10:22] = 0.1
    arguments = table, {"mouth_open": 1.5}, synthesis().feature, std[:, 0, 0], w_plus, feature_s

    def heard(known):
        still, speaks = (
            edit_feature(*arguments, feature_s + lasting + passing, lasting=known)
            for passing in (torch.zeros_like(spoken), spoken * std)
        )
        return ((speaks - still) / std)[0, :, 21:24, 13:19].mean()

    assert heard(lasting) > 0.08 > 0.03 > heard(None)
    whole = edit_feature(*arguments, feature_s + lasting, lasting=lasting)
    assert torch.equal(whole, edit_feature(*arguments, feature_s + lasting))


def test_detail_turns_along_with_the_head(table):
    def across(feature):
        return torch.arange(32.0).expand_as(feature) - 15.5

    left, right = (carried(table, across, {"yaw": yaw})[0].mean(0) for yaw in (-15.0, 15.0))
    # turned to the right, the middle of the face shows what was further left
    assert (left - right)[18:24, 14:18].mean() > 0.7


def test_keeping_less_detail_gives_way_wherever_the_edit_touches(table):
    kept = [carried(table, constant, {"age": 10.0}, keep).mean() for keep in (0, 0.5, 1)]
    assert kept[0] < kept[1] < kept[2] and kept[0] < 0.1


def test_the_less_detail_is_kept_the_less_gain_it_needs():
    assert detail_weight(True, 1.0) == 1 and detail_weight(True, 0.0) == 0 == detail_weight(
        False, 1.0
    )
    assert 0 < detail_weight(True, 0.3) < detail_weight(True, 0.6) < 1


def test_a_picture_that_lost_contrast_gets_it_back_and_none_on_top():
    before = torch.randn(1, 8, 32, 32, generator=torch.Generator().manual_seed(1))
    shift = torch.arange(8.0)[:, None, None]
    assert torch.allclose(restore_contrast(before, before * 0.8 + shift), before + shift, atol=0.05)
    louder = before * 1.3
    assert torch.equal(restore_contrast(before, louder), louder)
    flat = before * 0.1
    assert (
        flat.std() < restore_contrast(before, flat).std() < 0.2
    )  # noise is not blown up to a picture
    assert torch.allclose(restore_contrast(before, before * 0.8, weight=0.0), before * 0.8)


def test_an_edited_picture_of_a_person_keeps_its_contrast(table):
    w_plus, std = styles(3), load_file(path_of("fcn"))["feature_std"].float()
    feature_s = synthesis().feature(w_plus)
    hat = feature_s + 0.7 * std[:, None, None] * torch.randn(feature_s.shape)
    edited = edit_feature(table, {"age": 20.0}, synthesis().feature, std, w_plus, feature_s, hat)
    assert (edited.std((2, 3)) / hat.std((2, 3))).median() > 0.97


def test_the_feature_follows_the_gain_only_where_there_is_detail(table):
    stronger = table.with_gains({"smile": (2.0,) * 4})
    w_plus, std = styles(3), load_file(path_of("fcn"))["feature_std"].float()
    feature_s = synthesis().feature(w_plus)

    def edited(table, amount, hat, keep=1.0):
        g_f = synthesis().feature
        return edit_feature(table, {"smile": amount}, g_f, std, w_plus, feature_s, hat, keep)

    for amount, gained in ((0.5, 1.0), (-0.25, -0.5)):
        plain = edited(table, amount, feature_s)
        assert torch.equal(edited(stronger, amount, feature_s), plain)
        same = edited(stronger, amount, feature_s.clone())  # a feature map that adds nothing
        expected = restore_contrast(feature_s, edited(table, gained, feature_s))
        assert torch.allclose(same, expected, atol=1e-4)
        assert torch.allclose(edited(stronger, amount, feature_s.clone(), 0.0), plain, atol=1e-4)


def test_edits_in_any_order_carry_the_same_feature(table):
    amounts = {"yaw": 8.0, "smile": 0.5, "age": 5.0}
    turned = dict(reversed(amounts.items()))
    assert torch.equal(carried(table, constant, amounts), carried(table, constant, turned))


# --- faces


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_every_edit_moves_what_it_names_together_with_others(table, renderer, seed):
    before = read(renderer, styles(seed))
    for names in (("smile", "yaw"), ("mouth_open", "eyes_open", "pitch")):
        offset = table.offset({name: MOVES[name][1] for name in names})
        after = read(renderer, edit_styles(styles(seed), offset))
        for name in names:
            readout, _, least = MOVES[name]
            assert after[readout] - before[readout] > least, name


def test_yaw_turns_both_ways_by_about_what_it_says(table, renderer):
    left, right = (
        read(renderer, edit_styles(styles(11), table.offset({"yaw": amount})))["yaw"]
        for amount in (-12, 12)
    )
    assert 16 < right - left < 34


@pytest.mark.parametrize(
    "name, amount, least", [("hair_light", 0.5, 4.0), ("warmth", 1.0, 4.0), ("makeup", 0.5, 0.5)]
)
def test_colours_change_and_skin_does_not(table, renderer, name, amount, least):
    def seen(w_plus: torch.Tensor) -> dict[str, float]:
        (picture,) = renderer.render(w_plus)
        image = to_pil(picture)
        return appearance(image, aligned_landmarks(image), person.mask(image))

    person = PersonSegmentation.pretrained()
    before = seen(styles(11))
    after = seen(edit_styles(styles(11), table.offset({name: amount})))
    assert after[name] > before[name] + least
    assert np.linalg.norm([after[skin] - before[skin] for skin in SKIN]) < 8


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
