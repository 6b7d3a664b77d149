"""The sidecar: what it says, what it refuses, and a face made again from nothing else."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from hsc import sidecar
from hsc.bitstream import Container, with_layers
from hsc.cli import main
from hsc.errors import BitstreamError, WeightsError
from hsc.images import marks
from hsc.weights.model_id import model_id

HOW = {"level": 1.0, "layers": "scn", "face": 0, "align": False}


def file(fcn: bytes | None = b"features") -> bytes:
    return Container(model_id().code, 3, b"semantics", fcn).pack()


def test_it_says_what_the_file_is_and_how_it_was_drawn(tmp_path):
    data = file()
    path = tmp_path / "face.json"
    path.write_text(json.dumps(sidecar.sidecar(data, edits={"smile": 1.0}, keep_details=0.5)))
    recipe = sidecar.read(path)
    assert recipe["file"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert recipe["file"]["bytes"]["total"] == len(data)
    assert recipe["draw"] == {"layers": "scn+fcn", "edits": {"smile": 1.0}, "keep_details": 0.5}
    assert recipe["source"] == {"kind": "photo"}
    sidecar.check(recipe, data)


def test_another_file_or_other_weights_are_refused():
    recipe = sidecar.sidecar(file())
    with pytest.raises(BitstreamError, match="not the file of the sidecar"):
        sidecar.check(recipe, file(b"others"))
    for name in ("fcn", "plausibility"):
        weights = recipe["model"]["weights"] | {name: "0" * 64}
        other = recipe | {"model": recipe["model"] | {"weights": weights}}
        with pytest.raises(WeightsError, match=name):
            sidecar.check(other, file())
    recipe["model"]["weights"]["correction"] = "0" * 64  # found by another encoder, drawn alike
    sidecar.check(recipe, file())


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": "other"}', "\x00"])
def test_what_is_no_sidecar_gives_one_sentence(tmp_path, content):
    path = tmp_path / "face.json"
    path.write_text(content)
    with pytest.raises(BitstreamError, match="not a sidecar") as error:
        sidecar.read(path)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.usefixtures("quick_model_in_use")
def test_a_generated_face_is_made_again_from_its_sidecar_alone(codec, tmp_path, capsys):
    data = with_layers(codec.encode(codec.random_face(5), 1, align=False), "scn")
    recipe = sidecar.sidecar(data, layers="scn", edits={"smile": 1.0}, encode=HOW, seed=5)
    (tmp_path / "face.json").write_text(json.dumps(recipe))
    assert main(["reproduce", str(tmp_path / "face.json"), str(tmp_path / "face.png")]) == 0
    with Image.open(tmp_path / "face.png") as picture:
        expected = codec.decode(data, "scn", {"smile": 1.0})
        assert np.array_equal(np.asarray(picture), np.asarray(expected))
    assert marks.read((tmp_path / "face.png").read_bytes()) == marks.of(expected)
    assert marks.of(codec.random_face(5)).source == marks.TRAINED
    assert f"{len(data)} bytes" in capsys.readouterr().out


def test_the_file_of_a_photo_has_to_be_there(tmp_path, capsys):
    (tmp_path / "face.json").write_text(json.dumps(sidecar.sidecar(file(), encode=HOW)))
    assert main(["reproduce", str(tmp_path / "face.json"), str(tmp_path / "face.png")]) == 2
    assert "add --file" in capsys.readouterr().err
