"""The codec is called in one thread on all cores, and what computes beside it takes one."""

import re
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from fakes import FakeCodec
from paths import ASTRONAUT, ROOT
from visitors import Visitor

from app import executor
from app.executor import Executor, one_core
from app.page import build, launch_options
from app.protocols import FaceCodec
from app.results import Progress
from app.studio import Studio
from hsc.codec import Codec

MOST_FRAMES = 6
"""Of the app, from a handler on, in both threads."""
PAGE = re.compile(r"/app/(tabs|endpoints)/")


@pytest.fixture
def cores(monkeypatch) -> list[tuple[str, int]]:
    """How many cores are taken, and in which thread, on a machine that has four."""
    calls: list[tuple[str, int]] = []

    def take(threads: int) -> None:
        calls.append((threading.current_thread().name, threads))

    monkeypatch.setattr(executor, "_counted", lambda get: 4)
    monkeypatch.setattr(torch, "set_num_threads", take)
    return calls


@pytest.fixture
def run(codec):
    return Executor(lambda: codec).run


def test_calls_from_anywhere_run_in_one_thread_in_order(run) -> None:
    seen: list[int] = []

    def call(codec: FaceCodec, number: int) -> int:
        seen.append(number)
        return threading.get_ident()

    assert len({run(call, n) for n in range(3)}) == 1
    with ThreadPoolExecutor(4) as pool:
        threads = list(pool.map(lambda n: run(call, n), range(8)))
    assert len(set(threads)) == 1 and threads[0] != threading.get_ident()
    assert seen[:3] == [0, 1, 2] and sorted(seen[3:]) == list(range(8))


def test_what_a_call_raises_is_raised_where_it_was_made(run) -> None:
    def fail(codec: FaceCodec) -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        run(fail)
    assert run(lambda codec: 5) == 5


def test_the_codec_always_computes_on_all_cores(run, cores) -> None:
    run(bool)
    with one_core():
        run(bool)
    run(bool)
    assert [count for name, count in cores if name.startswith("model")] == [4, 4, 4]


def test_what_computes_beside_it_takes_one_core_meanwhile(cores) -> None:
    here = threading.current_thread().name
    with one_core():
        assert cores == [(here, 1)]
    with pytest.raises(ValueError), one_core():
        raise ValueError
    assert cores == [(here, 1), (here, 4)] * 2


def test_the_studio_computes_there() -> None:
    threads: set[str] = set()

    class Codec(FakeCodec):
        def random_face(self, seed: int, truncation: float = 0.7):
            threads.add(threading.current_thread().name)
            return seed

    studio = Studio(Codec)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(studio.random_face, range(6))) == list(range(6))
    assert len(threads) == 1 and threads.pop().startswith("model")


def test_a_long_call_reports_and_gives_its_value_last(codec) -> None:
    def count(codec: FaceCodec, report, upto: int) -> str:
        for number in range(upto):
            report(number + 1, upto)
        return "done"

    steps = Executor(lambda: codec).steps
    assert list(steps(count, lambda: False, 2)) == [Progress(1, 2), Progress(2, 2), "done"]
    assert list(steps(count, lambda: True, 2)) == []


def test_few_frames_lie_between_a_tab_and_the_codec(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    before, after = [], []
    submit = executor._model_thread.submit

    def watched(*args, **options):
        before.append(page_frames())  # of the visitor's thread, which waits for the codec's
        return submit(*args, **options)

    class Codec(FakeCodec):
        def compress(self, latents, level):
            after.append([frame.name for frame in app_frames()])
            return super().compress(latents, level)

    monkeypatch.setattr(executor._model_thread, "submit", watched)
    page = build(Studio(Codec))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        visitor = Visitor(url)
        photo = visitor.upload("me.png", ASTRONAUT.read_bytes())
        assert visitor.call("new_photo", photo, 2.0, True, True).error is None
        assert visitor.call("compress", photo, 3.0).error is None
    finally:
        page.close()
    for handler, level in (("new_photo", 2), ("compress", 3)):
        # `_submit` has returned when the call runs
        waiting = next(names for names in before if names[0] == handler)[:-1]
        calling = after.pop(0)
        frames = [*waiting, *calling]
        assert waiting[-2:] == ["steps", "run"] and calling[-1] == "encode", (frames, level)
        assert len(frames) <= MOST_FRAMES, frames


def page_frames() -> list[str]:
    """The app's frames from the handler on, which is the first of a tab or an endpoint."""
    frames = app_frames()
    first = next((n for n, f in enumerate(frames) if PAGE.search(f.filename)), len(frames))
    return [frame.name for frame in frames[first:]] or ["none"]


def app_frames() -> list[traceback.FrameSummary]:
    return [f for f in traceback.extract_stack() if f.filename.startswith(str(ROOT / "app"))]


def test_the_codec_and_its_stand_in_are_what_the_services_need() -> None:
    """mypy compares the types; here are the names, of methods at least."""
    needed = {name for name, value in vars(FaceCodec).items() if callable(value)}
    needed = {name for name in needed if not name.startswith("_")}
    assert len(needed) > 9
    assert needed <= set(dir(FakeCodec)) and needed <= set(dir(Codec))
