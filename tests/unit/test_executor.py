"""The codec is called in one thread on all cores, and what computes beside it takes one."""

import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from fakes import FakeCodec
from paths import ASTRONAUT

from app import executor
from app.executor import Executor, one_core
from app.protocols import FaceCodec
from app.results import Progress
from app.studio import Studio
from hsc.codec import Codec

MOST_FRAMES = 6
"""Of ours, from where the page asks to the codec's own method."""


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


def test_few_frames_lie_between_the_page_and_the_codec(codec, monkeypatch) -> None:
    """From `Compression.steps`, which a tab's handler iterates, to `Codec.compress`."""
    asked: list[list[str]] = []
    submit = executor._model_thread.submit

    def watched(*args, **options):
        asked.append(ours())
        return submit(*args, **options)

    def compress(latents, level):
        asked.append(ours())
        return FakeCodec.compress(codec, latents, level)

    def ours() -> list[str]:
        frames = traceback.extract_stack(sys._getframe(2))
        return [frame.name for frame in frames if "/app/" in frame.filename]

    codec.compress = compress
    monkeypatch.setattr(executor._model_thread, "submit", watched)
    studio = Studio(lambda: codec)

    for result in studio.steps(ASTRONAUT, 3, align=False):
        if result.data is not None:
            break
    assert asked == [["steps", "run", "_submit"], ["in_model_thread", "encode"]]
    handler = 1
    # `_submit` has returned when the call runs: `run` waits for it
    assert handler + len(asked[0]) - 1 + len(asked[1]) + 1 <= MOST_FRAMES


def test_the_codec_and_its_stand_in_are_what_the_services_need() -> None:
    """mypy compares the types; here are the names, of methods at least."""
    needed = {name for name, value in vars(FaceCodec).items() if callable(value)}
    needed = {name for name in needed if not name.startswith("_")}
    assert len(needed) > 9
    assert needed <= set(dir(FakeCodec)) and needed <= set(dir(Codec))
