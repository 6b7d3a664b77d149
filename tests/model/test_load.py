"""Several visitors at once, over a stand-in for the codec; with the real one: load.py."""

import io
import time
from typing import Any

import httpx
import numpy as np
import pytest
from fakes import FakeCodec
from load import crowd, in_order, own_face, untruth
from PIL import Image
from visitors import Visit, Visitor

from app.page import build, launch_options
from app.studio import Studio
from hsc.types import Inversion


class SlowCodec(FakeCodec):
    """Takes long enough for a queue to form."""

    def analyse(self, *args: Any, **options: Any) -> Inversion:
        time.sleep(0.4)
        return super().analyse(*args, **options)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        page = build(Studio(SlowCodec))
        _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
        yield address
        page.close()


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    """One picture a visitor, each unlike the others."""
    made = []
    for seed in range(6):
        small = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(small).resize((200, 200), Image.Resampling.NEAREST).save(buffer, "PNG")
        made.append(buffer.getvalue())
    return made


def test_everyone_is_served_in_order_and_gets_their_own(url: str, pictures: list[bytes]) -> None:
    visits = crowd(url, pictures, leaver=3)
    assert [v.output is not None for v in visits] == [True] * 3 + [False] + [True] * 2
    assert visits[3].started is None  # who left the queue cost nobody a wait
    assert in_order(visits) and own_face(pictures, visits)
    assert untruth(visits, slack=1.0) == 0
    assert max(position for _, position in visits[-1].positions) >= 2


def test_who_closes_the_page_while_waiting_is_not_served(url: str, pictures: list[bytes]) -> None:
    first, gone, last = (Visitor(url) for _ in range(3))
    upload = first.upload("face.png", pictures[0])
    calls = [v.join("compress", upload, level, "scn", 0, False)
             for v, level in ((first, 1.5), (gone, 2.5), (last, 3.5))]  # fmt: skip
    gone.wait(calls[1], until=lambda visit: bool(visit.positions))  # the stream is closed
    assert first.wait(calls[0]).output and last.wait(calls[2]).output


def test_a_file_is_nobody_elses_to_guess(url: str, pictures: list[bytes]) -> None:
    visitor = Visitor(url)
    made = visitor.call("compress", visitor.upload("me.png", pictures[1]), 2.0, "scn", 0, False)
    path = made.output[1]["path"]
    folder = path.split("/")[-2]
    assert len(folder) >= 32 and visitor.fetch(made.output[1])
    for guess in (path.replace(folder, "0" * len(folder)), path.rsplit("/", 2)[0], "/etc/passwd"):
        assert httpx.get(f"{url}gradio_api/file={guess}").status_code in (403, 404)


def test_a_full_queue_and_a_large_upload_are_refused(url: str) -> None:
    visitor = Visitor(url)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        visitor.upload("large.png", bytes(21 * 2**20))
    assert refused.value.response.status_code == 413


def test_what_the_measures_notice(pictures: list[bytes]) -> None:
    told = Visit(positions=[(0.0, 2)], started=9.0, ended=10.0)
    first, second = (Visit(started=start, ended=start + 1) for start in (5.0, 6.0))
    assert untruth([first, second, told]) == 0
    assert untruth([first, told]) == 1
    assert in_order([first, second]) and not in_order([second, first])
    swapped = [Visit(output=[b"", pictures[1]]), Visit(output=[b"", pictures[0]])]
    assert own_face(pictures[:2], swapped[::-1]) and not own_face(pictures[:2], swapped)
