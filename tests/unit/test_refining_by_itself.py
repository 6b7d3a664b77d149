"""The search in the background: in steps, when nobody waits, one at a time, the best file kept."""

import threading
from collections.abc import Iterator

import pytest
from fakes import FakeCodec
from paths import ASTRONAUT

from app.cache import SharedCache
from app.executor import Cancelled, CancelToken
from app.page import build
from app.results import Compressed, CurrentFace, Progress
from app.services.measure import Distances, Measures
from app.services.refining import SHOWN_EVERY, STEPS, Refining, sharpening
from app.studio import Studio
from app.tabs.compress.events import CompressTab


@pytest.fixture
def plain(studio) -> Compressed:
    return studio.compress(ASTRONAUT, 2)


@pytest.fixture
def values() -> Iterator[float]:
    """LPIPS of the pictures that are compared, one after the other."""
    return iter((0.2, 0.15, 0.18, 0.1, 0.12))


@pytest.fixture
def refining(studio, values) -> Refining:
    cache = SharedCache()
    return Refining(
        studio.compression, Measures(cache), cache, lpips=lambda *_: next(values), quiet=0
    )


def test_the_best_file_is_shown_as_it_is_found(refining, plain, studio) -> None:
    results = list(refining.steps(plain))
    assert [r.refining.done for r in results[:-1]] == list(range(1, STEPS + 1))
    assert all(r.data == plain.data for r in results[: SHOWN_EVERY - 1])
    # .15 is better than the first picture, .18 is not better than .15, .1 is, .12 is not
    found = [results[n * SHOWN_EVERY - 1].refined for n in (1, 2, 3, 4)]
    assert found == [SHOWN_EVERY, SHOWN_EVERY, 3 * SHOWN_EVERY, 3 * SHOWN_EVERY]
    last = results[-1]
    assert last.refining is None and last.refined == 3 * SHOWN_EVERY and "refine" in last.seconds
    for result in results[SHOWN_EVERY - 1 :]:  # each is whole: its pictures are its file's
        assert result.data != plain.data
    assert last.picture_both.tobytes() == studio.decode(last.data).picture.tobytes()
    assert results[-2].refining.lpips == (0.2, 0.15, 0.18, 0.1, 0.12)


def test_what_was_found_is_remembered(refining, plain, studio, codec) -> None:
    *_, first = refining.steps(plain)
    calls = len(codec.calls)
    (again,) = refining.steps(plain)
    assert again.data == first.data and again.refined == first.refined
    assert len(codec.calls) == calls


def test_a_search_ends_when_it_is_cancelled_and_what_was_shown_stays_whole(
    refining, plain, codec
) -> None:
    results, enough = [], SHOWN_EVERY + 2
    for result in refining.steps(plain, lambda: len(results) >= enough):
        results.append(result)
    assert len(results) == enough and results[-1].refined == SHOWN_EVERY
    assert results[-1].picture_both and f"refine step {enough + 1}" not in codec.calls


def test_a_new_search_ends_the_one_before(refining, plain, studio) -> None:
    first = refining.steps(plain)
    next(first)
    other = studio.compress(ASTRONAUT, 5)
    second = refining.steps(other)
    next(second)
    assert list(first) == []
    assert next(second).level == 5


def test_it_gives_way_to_whoever_waits(studio) -> None:
    executor, begun, go = studio.executor, threading.Event(), threading.Event()

    def visitor() -> None:
        with executor.waited_for():
            begun.set()
            go.wait(60)

    thread = threading.Thread(target=visitor)
    thread.start()
    begun.wait(60)
    asked = []

    def given_up() -> bool:
        asked.append(None)
        return len(asked) > 2

    with pytest.raises(Cancelled):  # it did not begin while the visitor waited
        executor.in_background(lambda codec: pytest.fail("began"), given_up, 0)
    go.set()
    thread.join()
    assert executor.in_background(lambda codec: type(codec), lambda: False, 0) is FakeCodec
    # nor right after it
    asked.clear()
    executor.run(str)
    with pytest.raises(Cancelled):
        executor.in_background(lambda codec: pytest.fail("began"), given_up, 3600)


def test_how_it_sharpens_in_words() -> None:
    assert sharpening(Progress(5, 40)) == "step 5 of 40"
    assert sharpening(Progress(5, 40, (0.1,))) == "step 5 of 40, LPIPS 0.100 at 256 px"
    assert sharpening(Progress(20, 40, (0.1, 0.08, 0.09))) == (
        "step 20 of 40, LPIPS 0.100 → 0.080 at 256 px"
    )


def test_not_by_itself_where_calls_take_a_quota(studio, refining, monkeypatch) -> None:
    assert refining.possible
    monkeypatch.setattr("app.zerogpu.ENABLED", True)
    assert not refining.possible


@pytest.fixture
def tab(monkeypatch, tmp_path, values) -> CompressTab:
    """The Compress tab of a page that refines by itself."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    studio, made = Studio(FakeCodec, refine_by_itself=True), []
    studio.refining.quiet, studio.refining.lpips = 0, lambda *_: next(values)
    monkeypatch.setattr(
        studio.measures, "measure", lambda *_: Distances(30.0, 0.1, identity=0.1, faceres=0.2)
    )
    plainly = CompressTab.build

    def build_tab(self, opens) -> None:
        made.append(self)
        plainly(self, opens)

    monkeypatch.setattr(CompressTab, "build", build_tab)
    build(studio)
    return made[0]


def test_the_page_shows_how_it_sharpens_and_keeps_each_better_file(tab) -> None:
    view, result = tab.view, tab.studio.compress(ASTRONAUT, 2)
    assert view.by_itself and not view.refine.visible
    current = CurrentFace(result, "scn+fcn", result.file(), result.picture_both)
    updates = list(tab.sharpen(current, str(ASTRONAUT), CancelToken()))
    assert len(updates) == STEPS + 2
    shown = [update[view.current] for update in updates if view.current in update]
    assert [each.result.refined for each in shown] == [SHOWN_EVERY, 3 * SHOWN_EVERY]
    for each in shown:
        assert each.file != current.file and each.result.refining is None
        assert each.picture.tobytes() == tab.studio.decode(each.file).picture.tobytes()
    for update in updates:  # what comes with a better picture is of that picture
        assert (view.current in update) == (view.measures in update) == (view.viewer in update)
        assert view.note not in update or view.current in update
    assert "step 1 of" in updates[0][view.sharpening] and updates[0][view.stop].interactive
    assert "LPIPS 0.200 → 0.100" in updates[-1][view.sharpening]
    assert not updates[-1][view.stop].interactive


def test_stop_ends_the_search_and_what_shows_stays(tab) -> None:
    view, result = tab.view, tab.studio.compress(ASTRONAUT, 2)
    current = CurrentFace(result, "scn+fcn", result.file(), result.picture_both)
    token, updates = CancelToken(), []
    for update in tab.sharpen(current, str(ASTRONAUT), token):
        updates.append(update)
        if len(updates) == SHOWN_EVERY + 1:
            token.cancel()
    assert view.current in updates[SHOWN_EVERY - 1]
    assert len(updates) == SHOWN_EVERY + 2
    assert updates[-1].keys() == {view.sharpening, view.stop}
    assert not any("refine step 9" in call for call in tab.studio.codec.calls)


def test_what_shows_stays_while_it_is_shared_or_received(tab) -> None:
    view, blocks = tab.view, tab.page.blocks
    ends = {
        target
        for fn in blocks.fns.values()
        if fn.fn is CancelToken.cancel and view.search in fn.inputs
        for target, _ in fn.targets
    }
    (receive,) = (b for b in blocks.blocks.values() if getattr(b, "id", "") == "receive")
    assert {view.share_face._id, view.stop._id, receive._id} <= ends


def test_without_it_there_is_a_switch(studio) -> None:
    assert not studio.refines_by_itself
