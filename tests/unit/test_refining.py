"""Refining as the page offers it, over a stand-in codec: told step by step, given up in time."""

import threading

import pytest
from paths import ASTRONAUT

from app.results import Progress
from hsc.errors import HscError
from hsc.levels import REFINE_STEPS


@pytest.fixture
def plain(studio):
    return studio.compress(ASTRONAUT, 2)


def test_the_old_result_stays_until_the_better_one_is_there(studio, plain) -> None:
    results = list(studio.compression.refine(plain))
    searching = [result for result in results if result.refining]
    assert [r.refining for r in searching] == [
        Progress(step, REFINE_STEPS) for step in range(1, REFINE_STEPS + 1)
    ]
    assert all(r.data == plain.data and r.picture_both is plain.picture_both for r in searching)
    last = results[-1]
    assert last.refined == REFINE_STEPS and last.refining is None
    assert last.data != plain.data
    assert last.picture_both.tobytes() == studio.decode(last.data).picture.tobytes()
    assert {"refine", "find"} <= last.seconds.keys()


def test_a_refined_file_is_remembered(studio, plain, codec) -> None:
    first = list(studio.compression.refine(plain))[-1]
    calls = len(codec.calls)
    again = list(studio.compression.refine(plain))
    assert len(again) == 1 and again[0].data == first.data
    assert len(codec.calls) == calls


def test_levels_are_refined_apart(studio, plain) -> None:
    other = studio.compress(ASTRONAUT, 5)
    assert list(studio.compression.refine(plain))[-1].level == 2
    better = [list(studio.compression.refine(each))[-1] for each in (other, plain)]
    assert better[0].data != better[1].data


def test_a_search_that_nobody_waits_for_is_given_up(studio, plain, codec) -> None:
    going, steps = threading.Event(), []

    def refine(crop, latents, level, count, progress):
        for step in range(1000):
            steps.append(step)
            progress(step + 1, 1000)
            going.wait(0.01)
        return latents

    codec.refine = refine
    search = studio.compression.refine(plain)
    next(search)
    search.close()
    # the model is free again long before the thousandth step
    studio.executor.run(str)
    assert len(steps) < 900


def test_a_search_ends_when_something_else_is_asked_for(studio, plain) -> None:
    asked = []

    def given_up() -> bool:
        asked.append(None)
        return len(asked) > 3

    results = list(studio.compression.refine(plain, given_up))
    assert [result.refining for result in results] == [Progress(n, REFINE_STEPS) for n in (1, 2, 3)]
    *_, whole = studio.compression.refine(plain)
    assert whole.refined == REFINE_STEPS  # nothing half done was kept


def test_a_failing_search_says_why(studio, plain, codec) -> None:
    def refine(*_):
        raise HscError("Expected weights of the judge, found none.")

    codec.refine = refine
    with pytest.raises(HscError, match="weights of the judge"):
        list(studio.compression.refine(plain))
