"""Health and metrics of a studio, over HTTP too, with calls that end in each possible way."""

import re
import threading
import time

import httpx
import pytest
from fakes import FakeCodec
from visitors import Visitor

from app.counts import CallCounts, Waits
from app.executor import Cancelled, Executor
from app.page import build, launch_options
from app.studio import Studio
from hsc.errors import HscError


def encode(codec: FakeCodec, error: type[Exception] | None = None) -> None:
    if error:
        raise error("no")


def test_calls_are_counted_by_their_end() -> None:
    executor = Executor(FakeCodec)
    executor.run(encode)
    for error in (HscError, KeyError, Cancelled):
        with pytest.raises(error):
            executor.run(encode, error)
    assert executor.calls.ended() == {
        ("encode", outcome): 1 for outcome in ("done", "refused", "failed", "cancelled")
    }
    assert executor.calls.waiting == 0 and executor.calls.seconds()["encode"] >= 0


def test_a_wait_is_in_every_bucket_above_it() -> None:
    waits = Waits()
    for seconds in (0.1, 1.5, 500.0):
        waits.add(seconds)
    lines = waits.lines("w")
    assert lines[:3] == ['w_bucket{le="0.5"} 1', 'w_bucket{le="1"} 1', 'w_bucket{le="2"} 2']
    assert lines[-3:] == ['w_bucket{le="+Inf"} 3', "w_sum 501.6", "w_count 3"]


def test_calls_that_wait_are_seen() -> None:
    calls = CallCounts(Cancelled)
    calls.queued()
    assert calls.waiting == 1
    with calls.running("draw"):
        assert calls.waiting == 0


def figures(url: str) -> dict[str, float]:
    answer = httpx.get(f"{url}metrics").raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    # names and labels that Prometheus takes
    sample = re.compile(r'[a-z_]+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? \S+')
    assert all(sample.fullmatch(line) for line in lines)
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_a_studio_tells_how_it_does_and_nothing_of_its_visitors(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    go = threading.Event()

    def load() -> FakeCodec:
        go.wait(60)
        return FakeCodec()

    page = build(Studio(load))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        assert httpx.get(f"{url}healthz").status_code == 503
        visitor = Visitor(url)
        photo = visitor.upload("private-name.png", _png())
        calls = [visitor.join("compress", photo, level, "scn", 0, False) for level in (1.0, 2.0)]
        while figures(url)["hsc_queue_length"] == 0:
            time.sleep(0.05)
        assert figures(url)["hsc_ready"] == 0
        go.set()
        assert visitor.wait(calls[0]).output
        assert httpx.get(f"{url}healthz").text == "ok\n"
        known = figures(url)
        assert known["hsc_ready"] == 1
        assert known["hsc_faces_coded_total"] >= 1 and known["hsc_errors_total"] == 0
        assert known["hsc_queue_wait_seconds_count"] >= 1
        text = httpx.get(f"{url}metrics").text
        assert not any(word in text for word in ("private", visitor.session, "127.0.0.1", ".png"))
    finally:
        go.set()
        page.close()


def test_a_model_that_cannot_be_loaded_is_no_studio(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))

    def load() -> FakeCodec:
        raise HscError("weights of /home/someone are missing")

    executor = Executor(load)
    with pytest.raises(HscError):
        _ = executor.codec
    assert executor.error == "weights of /home/someone are missing"
    assert Executor(FakeCodec).codec.model_name == "fake"


def _png() -> bytes:
    from steps import png

    return png(FakeCodec().random_face(3))["buffer"]
