"""What visitors leave is deleted within an hour; nothing is sent out; nothing is unpickled."""

import ast
import json
import os
import re
import socket
import time
from pathlib import Path

import pytest
from fakes import FakeCodec
from gradio.route_utils import delete_files_created_by_app
from paths import ROOT
from visitors import Visitor, files_below

from app import cleanup, files, page
from app.page import build, launch_options
from app.services.examples import examples
from app.studio import Studio

SOURCES = [ROOT / "app.py", *(p for d in ("app", "hsc") for p in sorted((ROOT / d).rglob("*.py")))]
PICKLERS = {"pickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
RECIPES = ROOT / "hsc" / "metrics" / "recipes.py"
HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def url(folder: Path):
    studio = build(Studio(FakeCodec))
    _, address, _ = studio.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield address
    studio.close()


def test_everything_a_visitor_leaves_is_gone_within_an_hour(url: str, folder: Path) -> None:
    visitor = Visitor(url)
    photo = (ROOT / "assets/examples/astronaut.png").read_bytes()
    upload = visitor.upload("me.png", photo)  # through the API, and never looked at by the page
    made = visitor.call("compress", visitor.upload("me.jpg", photo), 2.0, "scn", 0, False)
    kept = files.keep_bytes(b"cancelled before anybody saw it", "face.hsc")
    left = files_below(folder)
    assert {Path(p) for p in (upload["path"], made.output[1]["path"], kept)} <= set(left)
    assert cleanup.LONGEST + cleanup.EVERY < HOUR and sum(page.DELETE) < HOUR
    assert cleanup.sweep(folder) == 0
    assert cleanup.sweep(folder, now=time.time() + cleanup.LONGEST + 1) == len(left)
    assert files_below(folder) == []
    # and the studio goes on
    again = visitor.call("compress", visitor.upload("me.png", photo), 2.0, "scn", 0, False)
    assert visitor.fetch(again.output[1])


def test_what_ships_with_the_page_outlives_every_sweep(folder: Path) -> None:
    """Examples and what else is shown from the start: all of it, and whoever sweeps."""
    studio = build(Studio(FakeCodec))
    assert files_below(folder) == []  # no copy of it is where visitors' files are swept
    _, address, _ = studio.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        visitor = Visitor(address)
        upload = Path(visitor.upload("me.png", b"of a visitor")["path"])
        cleanup.sweep(folder, now=time.time() + 24 * HOUR)
        delete_files_created_by_app(studio, None)  # Gradio's own, of any age
        assert not upload.exists()
        config = visitor.http.get("/config").json()
        shown = set(re.findall(r"/gradio_api/(file=[^\"'&?\\ ]+)", json.dumps(config)))
        assert len(shown) >= len(examples())
        for each in shown:
            assert visitor.http.get(f"/gradio_api/{each}").status_code == 200, each
    finally:
        studio.close()


def test_what_is_shown_again_stays(folder: Path) -> None:
    old, shown = (Path(files.keep_bytes(data, "a.hsc")) for data in (b"old", b"shown"))
    for path in (old, shown):
        os.utime(path, (1, 1))
    assert str(shown) == files.keep_bytes(b"shown", "a.hsc")
    assert shown.stat().st_mtime > time.time() - 60


def test_folders_go_when_they_are_empty_and_come_back(folder: Path) -> None:
    path = Path(files.keep_bytes(b"x", "a.hsc"))
    for late in (1, 2):  # a folder that has just lost its file waits for the next time
        cleanup.sweep(folder, now=time.time() + late * HOUR)
    assert not path.parent.exists()
    assert Path(files.keep_bytes(b"x", "a.hsc")) == path and path.read_bytes() == b"x"


def test_the_page_gets_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    monkeypatch.setattr(cleanup.tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{cleanup.PREFIX}killed" / "face.png"
    left.parent.mkdir()
    left.write_bytes(b"of a process that was killed")
    monkeypatch.setattr(cleanup, "LONGEST", -1)
    monkeypatch.setattr(cleanup.sweep, "__defaults__", (-1, None))
    own = cleanup.start()
    try:
        assert own.parent == tmp_path and os.environ["GRADIO_TEMP_DIR"] == str(own)
        waited = time.monotonic()
        while left.exists() and time.monotonic() - waited < 30:
            time.sleep(0.02)
        assert not left.exists()
    finally:
        del os.environ["GRADIO_TEMP_DIR"]


def test_no_call_leaves_this_machine(
    url: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    called: list[object] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def watched(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1")):
            called.append(address)
        connect(self, address)

    def watched_name(host: object, *rest: object, **options: object):
        if host not in (None, "localhost", "127.0.0.1", "::1"):
            called.append(host)
        return look_up(host, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", watched)
    monkeypatch.setattr(socket, "getaddrinfo", watched_name)
    visitor = Visitor(url)
    photo = (ROOT / "assets/examples/astronaut.png").read_bytes()
    assert visitor.call("compress", visitor.upload("a.png", photo), 1.0, "scn", 0, False).output
    away = {"path": "http://192.0.2.1/a.png", "meta": {"_type": "gradio.FileData"}}
    said = visitor.call("compress", away, 1.0, "scn", 0, False).error
    assert said == "Addresses are not fetched here: upload the file itself."
    assert called == []


def test_limits_are_set() -> None:
    studio = build(Studio(FakeCodec))
    assert launch_options()["max_file_size"] == "20mb"
    assert launch_options()["state_session_capacity"] <= 256
    assert studio._queue.max_size == 32
    assert studio.analytics_enabled is False
    assert not launch_options().get("share")


def test_nothing_is_unpickled() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if path.is_relative_to(ROOT / "hsc" / "research" / "convert") or path == RECIPES:
            # packages that carry weights as pickles are pinned by their hash and read once, by an
            # unpickler that knows tensors and arrays only
            loads = re.findall(r"torch\.load\([^)]*\)", text)
            assert all("weights_only=True" in load for load in loads), path
            assert not re.search(r"pickle\.loads?\(", text), path
            continue
        assert not imported(text) & PICKLERS, path
        assert not re.search(r"torch\.load\(|allow_pickle=True", text), path


def imported(source: str) -> set[str]:
    """The packages that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_weights_are_safetensors() -> None:
    assert {p.suffix for p in (ROOT / "assets" / "weights").iterdir()} == {".safetensors"}
