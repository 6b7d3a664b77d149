"""Where bits went, and where faces lie: computed from real files of the shipped model."""

import numpy as np
import pytest
import torch
from paths import stream

from hsc.analysis.bit_allocation import allocate_bits, code_length, style_shares
from hsc.analysis.latent_map import LatentMap
from hsc.bitstream import Container, describe, unpack, with_layers
from hsc.bitstream.rans import CdfTables, encode_symbols
from hsc.errors import HscError


@pytest.fixture(scope="module")
def streams() -> list[bytes]:
    """Files of generated faces at three levels, made by the model that ships."""
    return [stream(name) for name in ("level1", "level2.7", "level6")]


@pytest.fixture(scope="module")
def latent_map(codec) -> LatentMap:
    return LatentMap(codec.networks.mapping, codec.networks.edits)


def test_bits_add_up_to_the_layers(codec, streams) -> None:
    for data in streams:
        found, parts = allocate_bits(codec.networks, data), describe(data)["bytes"]
        assert found.styles.shape == (23,) and found.positions.shape == (16, 16)
        for bits, layer in ((found.scn, parts["scn"]), (found.fcn, parts["fcn"])):
            assert abs(bits / 8 - layer) <= 8 + 0.02 * layer
            assert bits / 8 < layer + 0.5


def test_a_file_without_fcn_spends_nothing_there(codec, streams) -> None:
    whole, alone = streams[1], with_layers(streams[1], "scn")
    found = allocate_bits(codec.networks, alone)
    assert found.positions is None and found.fcn == 0
    assert np.array_equal(found.styles, allocate_bits(codec.networks, whole).styles)


def test_a_file_of_another_model_is_refused(codec, streams) -> None:
    mine = unpack(streams[0])
    other = Container(mine.model_id ^ 1, mine.level, mine.scn, mine.fcn).pack()
    with pytest.raises(HscError, match="made with model"):
        allocate_bits(codec.networks, other)


def test_the_components_share_themselves_out(codec) -> None:
    shares = style_shares(codec.networks.scn)
    assert shares.min() >= 0
    assert shares.sum(1) == pytest.approx(1)


def test_code_length_counts_escapes() -> None:
    tables = CdfTables([[0, 16384, 49152, 65535, 65536]], [5], [-1])
    symbols = np.array([-1, 0, 1, 0, 0])
    assert code_length(symbols, np.zeros(5, int), tables)[:2] == pytest.approx([2, 1])
    # far outside the table, where escapes cost nearly everything
    far = np.random.default_rng(0).integers(-(2**15), 2**15, 500)
    indexes = np.zeros(500, int)
    real = len(encode_symbols(far, indexes, tables))
    assert code_length(far, indexes, tables).sum() / 8 == pytest.approx(real, abs=9)


def test_generated_faces_are_those_of_their_seeds(codec, latent_map) -> None:
    w_plus = latent_map.generated([3, 11])
    picture = codec.networks.synthesis(w_plus[1:].to(codec.device))
    pixels = ((picture[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    difference = np.abs(np.asarray(codec.random_face(11)).astype(int) - pixels).max()
    assert difference <= 1


def test_principal_axes_have_unit_spread(latent_map) -> None:
    with torch.no_grad():
        z = torch.randn(2000, 512, generator=torch.Generator().manual_seed(9))
        w_plus = latent_map.mapping(z).cpu()[:, None].expand(-1, 23, -1)
    places = latent_map.places(w_plus, "axis1", "axis2")
    assert places.mean(0).abs().max() < 0.1
    assert places.std(0).numpy() == pytest.approx([1, 1], abs=0.1)
    assert abs(np.corrcoef(places.T.numpy())[0, 1]) < 0.1
    assert latent_map.explained == sorted(latent_map.explained, reverse=True)


def test_an_edit_moves_a_face_by_its_amount(latent_map) -> None:
    face = latent_map.generated([7])
    before = latent_map.places(face, "age", "axis1")
    after = latent_map.places(latent_map.edited(face, {"age": 10}), "age", "axis1")
    assert (after - before)[0, 0].item() == pytest.approx(10, abs=1e-3)


@pytest.mark.parametrize(
    ("x", "y"), [("axis1", "axis2"), ("axis1", "age"), ("smile", "mouth_open")]
)
def test_a_face_at_a_place_lies_there(latent_map, x, y) -> None:
    start = latent_map.generated([4])
    face = latent_map.face_at((0.4, -0.7), x, y, start)
    assert latent_map.places(face, x, y)[0].tolist() == pytest.approx([0.4, -0.7], abs=1e-3)
    back = latent_map.face_at(tuple(latent_map.places(start, x, y)[0].tolist()), x, y, face)
    assert (back - start).abs().max() < 1e-3


def test_no_axis_shares_its_name_with_an_edit_along_another(codec, latent_map) -> None:
    names, edits = list(latent_map.axes), {edit.name for edit in codec.edit_names}
    assert names[:6] == [f"axis{n}" for n in range(1, 7)]
    assert edits.isdisjoint(names[:6]) and not any(name.startswith("pc") for name in names)
    assert not any("rincipal" in axis.label for axis in latent_map.axes.values())
    for number in range(1, 7):
        # the edit along nearly the same direction leads the same way
        face = latent_map.edited(latent_map.mean, {f"pc{number}": 1.0})
        assert latent_map.places(face, f"axis{number}", "age")[0, 0] > 0.5


def test_the_old_spelling_of_an_axis_means_what_it_meant(latent_map) -> None:
    for number in range(1, 7):
        assert latent_map.axis(f"pc{number}") is latent_map.axes[f"axis{number}"]
    with pytest.raises(HscError, match="axis6"):
        latent_map.axis("pc7")


def test_odd_axes_are_refused(latent_map) -> None:
    with pytest.raises(HscError, match="axis1"):
        latent_map.places(latent_map.mean, "axis1", "beauty")
    with pytest.raises(HscError, match="different"):
        latent_map.face_at((0, 0), "age", "age", latent_map.mean)
