"""The colour of skin under edits: where it is seen, and that it stays, by another measure too."""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from generated import small_renderer, styles, synthesis
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from hsc.editing.skin import CELLS, Skin
from hsc.editing.table import EditTable
from hsc.errors import WeightsError
from hsc.research.edit_discovery.effects import SampleRenderer
from hsc.research.edit_discovery.renderer import EditRenderer, skin_shift
from hsc.research.edit_discovery.skin_finding import find_skin
from hsc.vision.segmentation import PersonSegmentation
from hsc.weights.loading import ASSETS, path_of

CHEEK, CORNER = (20, 12), (1, 1)
VISIBLE = 2.3
"""Distance in CIE L*a*b* that is just visible."""


@pytest.fixture(scope="module")
def table() -> EditTable:
    return EditTable.load()


@pytest.fixture(scope="module")
def renderer() -> SampleRenderer:
    return small_renderer(SimpleNamespace(person=PersonSegmentation.pretrained()))


@lru_cache(maxsize=4)
def feature(seed: int) -> torch.Tensor:
    return synthesis().feature(styles(seed))


def mean_colour(skin: Skin, feature: torch.Tensor, w_plus: torch.Tensor) -> torch.Tensor:
    colours = skin.colours(synthesis(), feature, w_plus)
    share = skin.mask(feature)[:, :, CELLS[0], CELLS[1]]
    return ((share * colours).sum((2, 3)) / share.sum((2, 3)))[0]


# --- seen in the features


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_cheeks_are_skin_and_the_corner_of_a_picture_is_not(table, seed):
    mask = table.skin.mask(feature(seed))[0, 0]
    assert mask[CHEEK] > 0.8 and mask[CORNER] < 0.2
    assert mask.min() >= 0 and mask.max() <= 1


def test_what_is_the_same_is_left_exactly_as_it_is(table):
    face = feature(11), styles(11)
    assert torch.equal(table.skin.restore(synthesis(), face, face), face[0])


def test_what_the_skin_gained_is_taken_back_and_nothing_else(table):
    skin, plain, w_plus = table.skin, feature(11), styles(11)
    for gained in torch.tensor([[8.0, 0.0, 0.0], [-6.0, 3.0, -4.0]]):
        tanned = plain + skin.mask(plain) * (gained @ skin.tones)[:, None, None]
        kept = skin.restore(synthesis(), (plain, w_plus), (tanned, w_plus))
        before, after, still = (mean_colour(skin, f, w_plus) for f in (plain, tanned, kept))
        assert (after - before).norm() > 0.5 * gained.norm()
        assert (still - before).norm() < 1
        back = (kept - tanned)[0].abs().amax(0)
        assert back[CORNER] < 0.2 * back.max()


def test_skin_that_is_out_of_sight_is_left_alone(table):
    blank = torch.zeros(1, 512, 32, 32)
    kept = table.skin.restore(synthesis(), (blank, styles(11)), (blank + 0.1, styles(11)))
    assert kept.isfinite().all()


def test_skin_is_found_from_a_few_faces_already(renderer):
    found = find_skin(renderer, count=10)
    mask = found.mask(feature(11))[0, 0]
    assert mask[CHEEK] > 0.6 and mask[CORNER] < 0.3
    lighter = feature(11) + found.mask(feature(11)) * (5 * found.tones[0])[:, None, None]
    gained = mean_colour(found, lighter, styles(11)) - mean_colour(found, feature(11), styles(11))
    assert gained[0] > 2.5


# --- kept in pictures


def seen(renderer: SampleRenderer, picture: torch.Tensor):
    return EditRenderer.skin_colour(SimpleNamespace(reader=renderer.reader), picture)


@pytest.mark.parametrize("seed", [11, 12])
def test_no_edit_of_looks_changes_the_colour_of_skin(table, renderer, seed):
    (plain,) = renderer.render(styles(seed))
    before = seen(renderer, plain)
    for name in ("age", "gender", "makeup", "hair_light", "hair_warm", "warmth"):
        edit = next(edit for edit in table.edits if edit.name == name)
        for amount in (edit.low, edit.high):
            (picture,) = renderer.edited(styles(seed), table, {name: amount})
            moved = np.linalg.norm(skin_shift(before, seen(renderer, picture)))
            assert moved < 2 * VISIBLE, (name, amount, moved)


def test_age_would_change_it_by_more(table, renderer):
    (plain,) = renderer.render(styles(11))
    bare = EditTable(table.edits, {e.name: table.direction(e.name) for e in table.edits})
    moved = {}
    for kind in (table, bare):
        pictures = (next(renderer.edited(styles(11), kind, {"age": a})) for a in (-20.0, 20.0))
        moved[kind] = sum(
            np.linalg.norm(skin_shift(seen(renderer, plain), seen(renderer, p))) for p in pictures
        )
    assert moved[table] < 0.6 * moved[bare]


def test_a_person_keeps_the_colour_of_skin_at_any_age(codec, renderer):
    file = ASSETS.parent / "examples" / "astronaut" / "face.hsc"
    opened = codec.open(file.read_bytes())

    def seen_at(**edits: float):
        feature, w_plus = codec.decoder.apply_edits(opened, edits)
        return seen(renderer, codec.decoder.render(feature, w_plus, preview=True)[0].clamp(-1, 1))

    before = seen_at()
    for edits in ({"age": -20.0}, {"age": 20.0}, {"age": 15.0, "smile": -0.5, "yaw": 6.0}):
        assert np.linalg.norm(skin_shift(before, seen_at(**edits))) < 2 * VISIBLE, edits
    ordered = {"age": 15.0, "smile": -0.5}
    turned = dict(reversed(ordered.items()))
    one, other = (codec.decoder.apply_edits(opened, edits)[0] for edits in (ordered, turned))
    assert torch.equal(one, other)
    assert codec.decoder.apply_edits(opened, dict.fromkeys(ordered, 0.0))[0] is opened.feature


# --- kept in a file


def test_skin_is_saved_with_the_edits(table, tmp_path):
    table.with_gains({"age": (1.0,) * 4}).save(tmp_path / "edits.safetensors")
    again = EditTable.load(tmp_path / "edits.safetensors").skin
    for name, tensor in table.skin.tensors().items():
        assert torch.equal(again.tensors()[name], tensor)


def test_a_table_with_half_of_what_keeps_skin_is_refused(table, tmp_path):
    path = tmp_path / "edits.safetensors"
    with safe_open(path_of("edits"), "pt") as file:
        rows = file.metadata()
    tensors = load_file(path_of("edits"))
    del tensors["skin.tones"]
    save_file(tensors, path, rows)
    with pytest.raises(WeightsError, match="get the file of this version"):
        EditTable.load(path)
    save_file({n: t for n, t in tensors.items() if not n.startswith("skin.")}, path, rows)
    assert EditTable.load(path).skin is None
