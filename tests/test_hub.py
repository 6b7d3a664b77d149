"""Weights from the Hub: the folder first, then the cache, then the network; hashes are checked."""

import hashlib
import json
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

import hsc
from hsc import hub
from hsc.errors import WeightsError

REVISION = "0123456789abcdef0123456789abcdef01234567"
CONTENT = {"scn.safetensors": b"semantics", "fcn.safetensors": b"features"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, bool]]:
    """Downloads that were asked for, with whether from the cache alone; fcn is in the cache."""
    made: list[tuple[str, bool]] = []

    def download(repo_id: str, filename: str, revision: str, local_files_only: bool = False) -> str:
        assert (repo_id, revision) == ("someone/faces", REVISION)
        made.append((filename, local_files_only))
        if local_files_only and filename.startswith("scn"):
            raise LocalEntryNotFoundError("not there")
        path = tmp_path / f"cached-{filename}"
        path.write_bytes(CONTENT[filename])
        return str(path)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    return made


def manifest(folder: Path, **changed: object) -> Path:
    files = {name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()}
    path = folder / "weights.json"
    path.write_text(
        json.dumps({"repo": "someone/faces", "revision": REVISION, "files": files} | changed)
    )
    return path


def test_what_is_missing_is_fetched_once(tmp_path: Path, calls: list) -> None:
    weights = tmp_path / "weights"
    said = hub.provide(manifest(tmp_path), weights)
    assert said.startswith("from someone/faces at 01234567")
    assert {p.name: p.read_bytes() for p in weights.iterdir()} == CONTENT
    scn, fcn = CONTENT
    assert calls == [(scn, True), (scn, False), (fcn, True)]
    assert hub.provide(manifest(tmp_path), weights) == said and len(calls) == 3


def test_what_is_there_is_used(tmp_path: Path, calls: list) -> None:
    assert hub.provide(tmp_path / "weights.json", tmp_path) == hub.LOCAL
    (tmp_path / "scn.safetensors").write_bytes(b"trained here")
    hub.provide(manifest(tmp_path), tmp_path)
    assert (tmp_path / "scn.safetensors").read_bytes() == b"trained here"
    assert calls == [("fcn.safetensors", True)]


def test_other_contents_are_refused(tmp_path: Path, calls: list) -> None:
    with pytest.raises(WeightsError, match="pinned"):
        hub.provide(manifest(tmp_path, files={"fcn.safetensors": "0" * 64}), tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize("changed", [{"revision": "main"}, {"files": 3}, {"revision": None}])
def test_a_manifest_must_pin(tmp_path: Path, calls: list, changed: dict) -> None:
    with pytest.raises(WeightsError, match="weights.json"):
        hub.provide(manifest(tmp_path, **changed), tmp_path / "weights")
    assert calls == []


def test_no_network_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(**_: object) -> str:
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(WeightsError, match="network"):
        hub.provide(manifest(tmp_path), tmp_path / "weights")


def test_the_codec_says_where_its_weights_are_from() -> None:
    assert hsc.load("cpu").weights == hub.LOCAL
