"""A domain without faces, end to end: drawn shapes, a StyleGAN2 of 64 px, files, edits, the page.

Nothing is learnt here in so few steps: what is tested is that the parts fit together.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hsc
from app.page import build
from app.studio import Studio
from app.tabs.about import html as about
from app.words import READ
from hsc.codec import Codec
from hsc.errors import BitstreamError, HscError, WeightsError
from hsc.research import stages
from hsc.research.data import shapes
from hsc.research.options import TrainOptions
from hsc.research.stages.domain import using
from hsc.research.training.log import read_log
from hsc.weights.model_id import ASSETS, VARIABLE, model_id, model_of

PX = 64
FEW = {
    "stylegan2.batch": "4", "stylegan2.style_dim": "16", "stylegan2.path_length": "2.0",
    "stylegan2.r1_every": "1",
    "pairs.shard": "8", "preview.pictures": "8", "preview.batch": "2", "exit128.pictures": "8",
    "exit128.batch": "2", "inversion.pair_batch": "2", "inversion.picture_batch": "4",
    "latents.synthetic": "60", "semantic.samples": "2", "feature.klt_pictures": "8",
    "feature.batch": "2", "principal.samples": "500", "principal.directions": "3",
}  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "SHAPES", 24)
        patch.delenv(VARIABLE, raising=False)
        stages.run("toy", TrainOptions(work=folder, steps=2, minutes=5, changes=FEW))
        assert VARIABLE not in os.environ
    return folder


@pytest.fixture(scope="module")
def codec(work: Path) -> Iterator[Codec]:
    with using(work / "model"):
        yield hsc.load("cpu")


@pytest.fixture(scope="module")
def file(codec: Codec) -> bytes:
    return codec.encode(shapes.draw(7, 100), level=3)


def test_shapes_are_drawn_alike_each_time(tmp_path: Path) -> None:
    assert shapes.draw(3, PX).tobytes() == shapes.draw(3, PX).tobytes()
    different = {shapes.draw(seed, PX).tobytes() for seed in range(8)}
    assert len(different) == 8


def test_the_recipe_makes_a_model(work: Path) -> None:
    model = model_of(work / "model")
    spec = model.config.generator
    assert (model.name, model.shows, model.noun, spec.image_px, spec.feature_px) == (
        "hsc-shapes", "drawn shapes", "shape", PX, 16,
    )  # fmt: skip
    assert model_id(work / "model").name.startswith("hsc-shapes-")
    assert model_id(work / "model") != model_id(ASSETS)
    log = read_log(work / "runs" / "inversion" / "log.csv")
    assert log == [] or "id" not in log[-1]
    with Image.open(work / "samples.png") as samples:
        assert samples.size == (8 * PX, 3 * PX)


def test_a_file_has_the_models_size(codec: Codec, file: bytes) -> None:
    said = hsc.describe(file)
    assert (said["width"], said["height"]) == (PX, PX)
    assert said["model"] == codec.model_name and said["layers"] == ["scn", "fcn"]
    assert said["bpp"] == pytest.approx(8 * len(file) / PX**2)
    assert codec.encode(shapes.draw(7, 100), level=3) == file
    for layers in ("scn", "fcn", "scn+fcn"):
        assert codec.decode(file, layers).size == (PX, PX)
    assert codec.preview(codec.open(file)).size == (PX, PX)
    assert codec.random_face(1).size == (PX, PX)


def test_another_process_decodes_the_same_picture(work, codec, file, tmp_path) -> None:
    (tmp_path / "a.hsc").write_bytes(file)
    command = [sys.executable, "-m", "hsc", "decode", "a.hsc", "a.png", "--edit", "pc1=1.5"]
    root = Path(hsc.__file__).parents[1]
    env = os.environ | {VARIABLE: str(work / "model"), "PYTHONPATH": str(root)}
    subprocess.run(command, check=True, cwd=tmp_path, env=env, capture_output=True)
    with Image.open(tmp_path / "a.png") as picture:
        other = np.asarray(picture.convert("RGB")).astype(int)
    here = np.asarray(codec.decode(file, edits={"pc1": 1.5})).astype(int)
    assert np.abs(other - here).max() <= 1
    assert np.abs(here - np.asarray(codec.decode(file)).astype(int)).max() > 1


def test_edits_are_principal_directions(codec: Codec, file: bytes) -> None:
    assert [edit.name for edit in codec.edit_names] == ["pc1", "pc2", "pc3"]
    directions = [codec.networks.edits.direction(edit.name)[0] for edit in codec.edit_names]
    assert abs(float(directions[0] @ directions[1])) < 1e-3 * float(directions[0].norm() ** 2)
    assert directions[0].norm() > directions[1].norm() > directions[2].norm()
    with pytest.raises(HscError, match="pc1, pc2, pc3"):
        codec.decode(file, edits={"smile": 1.0})
    between = codec.morph(file, codec.encode(shapes.draw(8, PX)), 0.5)
    assert codec.draw(between).size == (PX, PX)
    mixed = codec.mix(file, codec.encode(shapes.draw(8, PX)), "coarse")
    assert not np.array_equal(np.asarray(codec.draw(mixed)), np.asarray(codec.decode(file)))


def test_files_of_other_models_are_refused(codec: Codec) -> None:
    face = (ASSETS.parent / "examples" / "astronaut" / "face.hsc").read_bytes()
    with pytest.raises(BitstreamError, match="was made with model"):
        codec.decode(face)


def test_the_page_shows_what_the_model_can(codec: Codec, file: bytes) -> None:
    studio = Studio(lambda: codec)
    assert not studio.of_faces
    *_, result = studio.steps(shapes.draw(7, 100), 3)
    assert result.data == file and result.crop.size == (PX, PX)
    assert result.sizes().bpp == pytest.approx(8 * len(file) / PX**2)
    measured = studio.measures.measure(result.crop, result.picture_both)
    assert measured.identity is None and not measured.of_faces and measured.lpips is not None
    page = build(studio)
    labels = {block.label for block in page.blocks.values() if type(block).__name__ == "Tab"}
    assert {"Compress", "Edit", "Explore"} <= labels
    assert labels.isdisjoint({"Vision", "Photographs"})
    words = " ".join(str(block.value) for block in page.blocks.values() if hasattr(block, "value"))
    assert "<p>drawn shapes</p>" in words

    # what is sent to the browser speaks of shapes: in labels, texts and HTML, not in names
    sent = " ".join(
        _read(each["props"])
        for each in page.get_config_file()["components"]
        if each["props"].get("visible") is not False
    )
    assert "Choose a shape" in sent and "Two shapes" in sent
    told = re.findall(r".{0,40}\b(?:faces?|person|people|hair|skin)\b.{0,20}", sent, re.I)
    assert told == []
    running = about.running(codec, studio.model)
    assert codec.model_name in running and "drawn shapes, 64 x 64 pixels" in running


def _read(value: object, name: str = "value") -> str:
    """What a visitor reads of a component's properties."""
    if isinstance(value, dict):
        return " ".join(_read(v, k) for k, v in value.items() if k in READ)
    if isinstance(value, (list, tuple)):
        return " ".join(_read(each[0] if name == "choices" else each) for each in value)
    return re.sub(r"<[^>]*>", " ", value) if isinstance(value, str) else ""


def test_a_folder_that_is_no_model_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(WeightsError, match="HSC_MODEL="):
        hsc.load("cpu")
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(WeightsError, match="expected name, shows"):
        model_of()
