"""Faces made of several files: morphs, style mixes and averages, feature maps included."""

from dataclasses import replace

import pytest
import torch
from generated import styles, synthesis
from paths import stream

import hsc
from hsc.cli import main
from hsc.errors import HscError
from hsc.types import DecodedLatents


def opened(seed: int, detail: bool = True) -> DecodedLatents:
    """A face whose feature map says more than its semantics do."""
    w_plus = styles(seed)
    feature_s = synthesis().feature(w_plus)
    noise = torch.randn(feature_s.shape, generator=torch.Generator().manual_seed(seed))
    feature = feature_s + noise * 0.1 if detail else feature_s
    return DecodedLatents(w_plus, feature_s, feature, "scn+fcn")


@pytest.fixture(scope="module")
def three() -> list[DecodedLatents]:
    return [opened(seed) for seed in (1, 2, 3)]


def near(a: DecodedLatents, b: DecodedLatents) -> bool:
    pairs = (a.w_plus, b.w_plus), (a.feature, b.feature)
    return all(torch.allclose(one, other, atol=1e-4) for one, other in pairs)


def test_a_morph_starts_and_ends_at_the_files_themselves(codec, three):
    a, b, _ = three
    assert codec.morph(a, b, 0) is a and codec.morph(a, b, 1.0) is b
    assert near(codec.morph(a, b, 1e-6), a) and near(codec.morph(a, b, 1 - 1e-6), b)


def test_a_morph_half_way_is_the_same_from_either_side(codec, three):
    a, b, _ = three
    assert near(codec.morph(a, b, 0.5), codec.morph(b, a, 0.5))
    assert near(codec.morph(a, b, 0.5), codec.average([a, b]))
    with pytest.raises(HscError, match="0 to 1"):
        codec.morph(a, b, 1.5)


def test_mixing_takes_detail_with_the_middle_layer(codec, three):
    a, b, _ = three
    fine, middle = codec.mix(a, b, "fine"), codec.mix(a, b, ["coarse", "middle"])
    assert torch.allclose(fine.feature, a.feature, atol=1e-4)
    assert torch.equal(fine.w_plus[:, 10:], b.w_plus[:, 10:])
    assert torch.allclose(middle.feature, b.feature, atol=1e-4)
    assert torch.equal(middle.w_plus[:, 10:], a.w_plus[:, 10:])
    coarse = codec.mix(a, b, "coarse")
    drawn = synthesis().feature(coarse.w_plus)
    assert not torch.allclose(coarse.feature, drawn, atol=0.02)
    with pytest.raises(HscError, match="coarse, middle, fine"):
        codec.mix(a, b, "rough")


def test_a_mix_comes_by_degrees_and_keeps_its_detail_on_the_way(codec, three):
    a, b, _ = three
    assert codec.mix(a, b, "fine", 0) is a
    half = codec.mix(a, b, "fine", 0.5)
    assert torch.allclose(half.w_plus, (a.w_plus + codec.mix(a, b, "fine").w_plus) / 2, atol=1e-5)
    assert torch.allclose(half.feature, a.feature, atol=1e-4)
    assert lent(codec.mix(a, b, "middle", 0.5)).std() < 0.1 * lent(a).std()
    with pytest.raises(HscError, match="0 to 1"):
        codec.mix(a, b, "fine", 2)


def test_an_average_of_one_is_itself_and_of_none_is_refused(codec, three):
    assert near(codec.average([three[0]]), three[0])
    with pytest.raises(HscError, match="none"):
        codec.average([])


def lent(face: DecodedLatents) -> torch.Tensor:
    return face.feature - face.feature_s


def test_unrelated_details_are_not_added_up(codec, three):
    mean = codec.average(three)
    assert lent(mean).std() < 0.1 * min(lent(face).std() for face in three)
    a, b, _ = three
    half, quarter = codec.morph(a, b, 0.5), codec.morph(a, b, 0.25)
    assert lent(half).std() < 0.1 * lent(a).std()
    assert 0.3 < lent(quarter).std() / lent(a).std() < 0.7


def test_the_detail_that_faces_share_stays(codec, three):
    a, plain = three[0], opened(1, detail=False)
    for face in (codec.average([a, a, a]), codec.morph(a, replace(a), 0.4)):
        assert near(face, a)
    assert lent(codec.average([a, plain])).std() < 0.1 * lent(a).std()


def test_faces_without_detail_stay_without(codec):
    plain = codec.morph(opened(1, detail=False), opened(2, detail=False), 0.3)
    assert plain.feature is plain.feature_s


def test_a_morph_can_be_edited_and_drawn(codec, three):
    half = codec.morph(*three[:2], 0.5)
    still, turned = (codec.preview(half, edits) for edits in ({}, {"yaw": 15}))
    assert still.size == (256, 256) and still.tobytes() != turned.tobytes()


def test_blend_from_a_shell(codec, tmp_path, capfd, monkeypatch):
    picture = codec.random_face(1)
    data = stream("level1")
    (tmp_path / "a.hsc").write_bytes(data)
    (tmp_path / "b.hsc").write_bytes(data)
    a, b, out = (str(tmp_path / name) for name in ("a.hsc", "b.hsc", "out.png"))
    monkeypatch.setattr(hsc, "load", lambda device: codec)
    drawn = []
    monkeypatch.setattr(codec, "draw", lambda face, edits: drawn.append((face, edits)) or picture)
    assert main(["blend", out, a, b, "--at", "0.25", "--edit", "smile=1"]) == 0
    assert main(["blend", out, a, b, "--take", "fine", "--take", "coarse"]) == 0
    assert main(["blend", out, a, b, a]) == 0
    alone = codec.open(data)
    assert all(torch.allclose(face.feature, alone.feature, atol=1e-3) for face, _ in drawn)
    assert [edits for _, edits in drawn] == [{"smile": 1.0}, {}, {}]
    assert main(["blend", out, a, b, a, "--at", "0.5"]) == 2
    assert main(["blend", str(tmp_path / "out.txt"), a, b]) == 2
    assert "two files, got 3" in capfd.readouterr().err
