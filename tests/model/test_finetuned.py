"""Finetuned blocks above F: they change pictures of whole files, and nothing that is coded."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from generated import styles, synthesis, uneven_decoder
from paths import stream
from PIL import Image
from processors import TYPES
from safetensors.torch import load_file, save_file

from hsc import sidecar
from hsc.batch import render_batch
from hsc.bitstream import with_layers
from hsc.codec import Codec
from hsc.errors import WeightsError
from hsc.generators.half_backend import HalfSynthesis
from hsc.generators.mobilestylegan.cpu_backend import CpuSynthesis
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.generators.pretrained import load_finetuned, upper_tensors
from hsc.images.tensors import to_picture
from hsc.metrics.picture import psnr
from hsc.weights.loading import ASSETS
from hsc.weights.model_id import FINETUNED, path_of


def link_original(folder: Path) -> None:
    """The weights that ship, but for their finetuned blocks."""
    for path in ASSETS.glob("*.safetensors"):
        if path.stem != FINETUNED:
            (folder / path.name).symlink_to(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights that ship, with blocks above F that differ a little from the generator's."""
    folder = tmp_path_factory.mktemp("weights")
    link_original(folder)
    uneven_decoder(folder / f"{FINETUNED}.safetensors")
    return folder


@pytest.fixture(scope="module")
def finetuned(folder: Path) -> Synthesis:
    return load_finetuned(synthesis(), path_of(FINETUNED, folder)).synthesis


@pytest.fixture(scope="module")
def codec(folder: Path) -> Codec:
    return Codec.load("cpu", folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    folder = tmp_path_factory.mktemp("original")
    link_original(folder)
    return Codec.load("cpu", folder)


@pytest.fixture(scope="module")
def data() -> bytes:
    return stream("level2.7")


def same(a: Image.Image, b: Image.Image) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def test_files_and_their_model_stay_what_they_are(codec: Codec, plain: Codec) -> None:
    """But for the correction of F, which looks at what the file draws."""
    assert codec.model_id == plain.model_id
    face = codec.random_face(21)
    assert same(face, plain.random_face(21))
    files = [each.compress(each.analyse(face, correct=False), 2.5) for each in (codec, plain)]
    assert files[0] == files[1]


def test_whole_files_are_rendered_by_them(codec: Codec, plain: Codec, data: bytes) -> None:
    opened, edits = plain.open(data), {"smile": 0.8}
    assert not same(codec.draw(opened), plain.draw(opened))
    assert not same(codec.draw(opened, edits), plain.draw(opened, edits))
    # without an exit of their own, previews come from that of the generator's own blocks
    assert same(codec.preview(opened), plain.preview(opened))


def test_previews_come_from_their_own_exit_where_they_have_one(
    codec: Codec, data: bytes, tmp_path: Path
) -> None:
    path = uneven_decoder(tmp_path / "decoder.safetensors", preview=True)
    finetuned = load_finetuned(codec.networks.generator, path)
    assert finetuned.preview is not None
    networks = replace(codec.networks, renderer_preview=finetuned.preview)
    own, whole, alone = Codec(networks), codec.open(data), codec.open(data, "scn")
    assert not same(own.preview(whole), codec.preview(whole))
    assert same(own.preview(alone), codec.preview(alone))
    with torch.no_grad():
        feature = networks.renderer.run(whole.feature, whole.w_plus, 32, 128)
        expected = to_picture(finetuned.preview(feature, whole.w_plus))
    assert same(own.preview(whole), expected)


def test_semantics_alone_are_rendered_as_the_generator_does(
    codec: Codec, plain: Codec, data: bytes
) -> None:
    cut, edits = with_layers(data, "scn"), {"age": 10.0}
    for file, layers in ((cut, "scn+fcn"), (data, "scn")):
        assert same(codec.decode(file, layers), plain.decode(file, layers))
    assert same(codec.decode(cut, "scn", edits), plain.decode(cut, "scn", edits))


def test_a_batch_may_have_both(codec: Codec, data: bytes) -> None:
    whole, alone = codec.open(data), codec.open(data, "scn")
    apart = [codec.draw(latents) for latents in (whole, alone, whole)]
    decoder = SimpleNamespace(  # of a GPU, where several are rendered at once
        networks=SimpleNamespace(device=SimpleNamespace(type="cuda")),
        apply_edits=codec.decoder.apply_edits,
        render=codec.decoder.render,
    )
    pairs = [(latents, {}) for latents in (whole, alone, whole)]
    together = render_batch(decoder, pairs, 1.0, preview=False)
    assert all(same(a, b) for a, b in zip(apart, together, strict=True))


def test_what_gives_f_is_shared_and_the_generator_unchanged(finetuned: Synthesis) -> None:
    generator = synthesis()
    assert finetuned.const is generator.const and finetuned.blocks["32"] is generator.blocks["32"]
    assert finetuned.blocks["64"] is not generator.blocks["64"]
    before, after = upper_tensors(generator), upper_tensors(finetuned)
    assert before.keys() == after.keys()
    assert not any(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(finetuned.blocks["64"].conv1.noise, generator.blocks["64"].conv1.noise)
    assert not any(p.requires_grad for p in finetuned.parameters())


@pytest.mark.parametrize(("dtype", "least"), TYPES)
def test_backends_render_the_same(finetuned: Synthesis, dtype: torch.dtype, least: float) -> None:
    with torch.no_grad():
        w_plus = styles(1)
        feature = finetuned.feature(w_plus)
        expected = finetuned.image(feature, w_plus).clamp(-1, 1)
        rendered = CpuSynthesis(finetuned, dtype).image(feature, w_plus)
        assert psnr(rendered.clamp(-1, 1), expected).item() > least
        half = HalfSynthesis(finetuned).run(feature, w_plus, 32, 64)
        exact = finetuned.run(feature, w_plus, 32, 64)
        error = (half - exact).square().mean() / exact.square().mean()
        assert -10 * torch.log10(error).item() > 45


def test_other_tensors_are_refused(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "odd.safetensors"
    with pytest.raises(WeightsError, match="something else"):
        load_finetuned(synthesis(), path)
    tensors = load_file(path_of(FINETUNED, folder))
    save_file(tensors | {"blocks.32.up.affine.bias": torch.zeros(512)}, path)
    with pytest.raises(WeightsError, match="above F only"):
        load_finetuned(synthesis(), path)
    save_file({name: tensors[name] for name in sorted(tensors)[1:]}, path)
    with pytest.raises(WeightsError, match="something else"):
        load_finetuned(synthesis(), path)
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="something else"):
        load_finetuned(synthesis(), path)


def test_a_recipe_says_which_blocks_rendered(data: bytes, folder: Path, monkeypatch) -> None:
    before = sidecar.sidecar(data)
    monkeypatch.setattr("hsc.sidecar.path_of", lambda name: path_of(name, folder))
    recipe = sidecar.sidecar(data)
    assert recipe["model"]["weights"][FINETUNED] != before["model"]["weights"].get(FINETUNED)
    sidecar.check(recipe, data)
    with pytest.raises(WeightsError, match=FINETUNED):
        sidecar.check(before, data)  # the same file, and another picture of it
    alone = before | {"draw": before["draw"] | {"layers": "scn"}}
    alone["model"] = {**before["model"], "weights": dict(before["model"]["weights"])}
    alone["model"]["weights"].pop(FINETUNED, None)
    sidecar.check(alone, data)  # semantics alone look as they did
