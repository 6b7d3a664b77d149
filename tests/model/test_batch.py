"""Many pictures in one call are the pictures of many calls."""

import numpy as np
import pytest
from paths import stream
from PIL import Image

from hsc.codec import Codec
from hsc.errors import BitstreamError, HscError


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return [stream("level1"), stream("level2")]


def same(a: Image.Image, b: Image.Image) -> bool:
    return a.size == b.size and np.array_equal(np.asarray(a), np.asarray(b))


def test_one_file_under_many_edits(codec: Codec, files: list[bytes]) -> None:
    name = codec.edit_names[0].name
    edits = [{}, {name: 0.5}, {name: -0.5}]
    strip = codec.decode_many(files[0], edits=edits, preview=True)
    opened = codec.open(files[0])
    assert len(strip) == 3
    assert all(same(a, codec.preview(opened, edit)) for a, edit in zip(strip, edits))
    assert not same(strip[1], strip[2])


def test_many_files(codec: Codec, files: list[bytes]) -> None:
    grid = codec.decode_many(files)
    assert all(same(a, codec.decode(data)) for a, data in zip(grid, files))
    name = codec.edit_names[0].name
    each = codec.decode_many(files, "scn", [{name: 0.5}, {}], preview=True)
    assert same(each[1], codec.decode_many(files[1], "scn", preview=True)[0])
    assert not same(each[0], codec.decode_many(files[0], "scn", preview=True)[0])
    assert codec.decode_many([]) == []


def test_what_a_strip_refuses(codec: Codec, files: list[bytes]) -> None:
    with pytest.raises(HscError, match="1 for 2"):
        codec.decode_many(files, edits=[{}])
    with pytest.raises(BitstreamError):
        codec.decode_many([files[0], b"HSC"])
    with pytest.raises(HscError, match="keep_details"):
        codec.decode_many(files, keep_details=2)
