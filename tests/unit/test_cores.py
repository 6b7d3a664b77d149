"""The model computes in one thread on all cores, and what computes beside it on one."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from fakes import FakeCodec

from app.service import Studio
from app.services import cores


@pytest.fixture
def taken(monkeypatch) -> list[tuple[str, int]]:
    """How many cores are taken, and in which thread, on a machine that has four."""
    calls: list[tuple[str, int]] = []

    def take(threads: int) -> None:
        calls.append((threading.current_thread().name, threads))

    monkeypatch.setattr(cores, "_counted", lambda get: 4)
    monkeypatch.setattr(torch, "set_num_threads", take)
    return calls


def test_calls_from_anywhere_run_in_one_thread_in_order() -> None:
    seen: list[int] = []

    def call(number: int) -> int:
        seen.append(number)
        return threading.get_ident()

    assert len({cores.in_turn(lambda n=n: call(n)) for n in range(3)}) == 1
    with ThreadPoolExecutor(4) as pool:
        threads = list(pool.map(lambda n: cores.in_turn(lambda: call(n)), range(8)))
    assert len(set(threads)) == 1 and threads[0] != threading.get_ident()
    assert seen[:3] == [0, 1, 2] and sorted(seen[3:]) == list(range(8))


def test_what_a_call_raises_is_raised_where_it_was_made() -> None:
    def fail() -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        cores.in_turn(fail)
    assert cores.in_turn(lambda: 5) == 5


def test_the_model_always_computes_on_all_cores(taken) -> None:
    cores.in_turn(lambda: None)
    with cores.beside():
        cores.in_turn(lambda: None)
    cores.in_turn(lambda: None)
    assert [threads for name, threads in taken if name.startswith("model")] == [4, 4, 4]


def test_what_computes_beside_it_takes_one_core_meanwhile(taken) -> None:
    here = threading.current_thread().name
    with cores.beside():
        assert taken == [(here, 1)]
    with pytest.raises(ValueError), cores.beside():
        raise ValueError
    assert taken == [(here, 1), (here, 4)] * 2


def test_the_studio_computes_there(monkeypatch) -> None:
    threads: set[str] = set()

    class Codec(FakeCodec):
        def random_face(self, seed: int):
            threads.add(threading.current_thread().name)
            return seed

    studio = Studio(Codec)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(studio.random_face, range(6))) == list(range(6))
    assert len(threads) == 1 and threads.pop().startswith("model")
