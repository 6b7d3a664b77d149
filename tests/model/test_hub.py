"""Weights from the Hub: the folder first, then the cache, then the network; hashes are checked."""

import functools
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import pytest
from hostile import complaint
from huggingface_hub.errors import LocalEntryNotFoundError

import hsc
from hsc.errors import WeightsError
from hsc.weights import hub

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


class StandIn(BaseHTTPRequestHandler):
    """A Hub of one repository with one commit, as the real client asks it."""

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(CONTENT.get(self.path.rpartition("/")[2], b""))

    def _answer(self, body: bytes) -> None:
        repo, _, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        wrong = (
            "RepoNotFound" if repo != "someone/faces"
            else "RevisionNotFound" if revision != REVISION
            else "EntryNotFound" if name not in CONTENT
            else None
        )  # fmt: skip
        self.send_response(404 if wrong else 200)
        if wrong:
            self.send_header("X-Error-Code", wrong)
        else:
            self.send_header("X-Repo-Commit", REVISION)
            self.send_header("ETag", f'"{hashlib.sha256(CONTENT[name]).hexdigest()}"')
        self.send_header("Content-Length", str(0 if wrong else len(CONTENT[name])))
        self.end_headers()
        self.wfile.write(b"" if wrong else body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The real client, talking to a stand-in for the Hub on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(
        huggingface_hub,
        "hf_hub_download",
        functools.partial(
            huggingface_hub.hf_hub_download,
            endpoint=f"http://127.0.0.1:{server.server_port}",
            cache_dir=tmp_path / "cache",
            token=False,
        ),
    )
    yield server
    server.shutdown()
    server.server_close()


def test_the_real_client_fetches_once_and_then_needs_no_network(stand_in, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    assert "hashes checked" in hub.provide(manifest(tmp_path), weights)
    assert {p.name: p.read_bytes() for p in weights.iterdir()} == CONTENT
    stand_in.shutdown()
    stand_in.server_close()
    hub.provide(manifest(tmp_path), tmp_path / "again")  # from the cache
    assert {p.name for p in (tmp_path / "again").iterdir()} == set(CONTENT)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"repo": "someone/else"}, "no someone/else that one may read"),
        ({"revision": "f" * 40}, "no commit ffffffff in someone/faces"),
        ({"files": {"eyes.safetensors": "0" * 64}}, "no eyes.safetensors in someone/faces at 0123"),
        ({"files": {"scn.safetensors": "0" * 64}}, "pinned contents of scn.safetensors"),
    ],
)
def test_what_the_hub_lacks_or_has_otherwise_is_one_sentence(
    stand_in, tmp_path: Path, changed: dict, words: str
) -> None:
    with pytest.raises(WeightsError) as refused:
        hub.provide(manifest(tmp_path, **changed), tmp_path / "weights")
    assert words in str(refused.value) and complaint(str(refused.value)) is None
    assert not (tmp_path / "weights").exists()


def test_no_network_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(**_: object) -> str:
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(WeightsError, match="network"):
        hub.provide(manifest(tmp_path), tmp_path / "weights")


def test_the_codec_says_where_its_weights_are_from() -> None:
    assert hsc.load("cpu").weights == hub.LOCAL
