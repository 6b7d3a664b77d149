"""Photographs by the codec itself: a group of generated faces, there and back."""

import numpy as np
import pytest
from fakes import FakeCodec
from PIL import Image, ImageFilter

import hsc
from hsc import photograph
from hsc.photograph.invented import group


@pytest.fixture(scope="module")
def codec():
    return hsc.load("cpu")


@pytest.fixture(scope="module")
def faces(codec):
    return [codec.random_face(seed) for seed in (3, 7, 11)]


def test_two_faces_there_and_back(codec, faces):
    picture, squares = group(faces[:2], 2, 2, 330)
    coded = photograph.encode(codec, picture, 3, background_bytes=3000)
    assert len(coded.found) == len(squares) == 2
    for square in squares:
        assert min(np.hypot(f.square.x - square.x, f.square.y - square.y) for f in coded.found) < 15
    assert coded.data == photograph.unpack(coded.data).pack()
    shown = photograph.decode(codec, coded.data)
    error = np.asarray(shown.picture, float) - np.asarray(picture, float)
    assert np.abs(error).mean() < 8
    for face in shown.drawn:
        x, y, r = round(face.square.x), round(face.square.y), round(face.square.side * 0.15)
        assert np.abs(error[y - r : y + r, x - r : x + r]).mean() < 14
    # no seam: what is smooth of the error has no step, least of all along a square
    smooth = Image.fromarray(np.clip(error + 128, 0, 255).astype(np.uint8))
    smooth = np.asarray(smooth.filter(ImageFilter.GaussianBlur(4)), float)
    assert np.abs(np.diff(smooth, axis=0)).max() < 9 and np.abs(np.diff(smooth, axis=1)).max() < 9

    smiling = photograph.decode(codec, coded.data, edits={1: {"smile": 1.5}})
    changed = np.abs(np.asarray(smiling.picture, int) - np.asarray(shown.picture)).max(-1)
    untouched, edited = shown.drawn[0].square, shown.drawn[1].square
    x, y, r = round(untouched.x), round(untouched.y), round(untouched.side * 0.3)
    assert changed[y - r : y + r, x - r : x + r].max() == 0
    x, y = round(edited.x), round(edited.y + edited.side * 0.2)
    assert changed[y - 20 : y + 20, x - 20 : x + 20].mean() > 4


def test_twenty_faces_are_found_numbered_and_coded(faces):
    picture, squares = group(faces, 20, 5, 220)
    steps = []
    coder = FakeCodec()
    coded = photograph.encode(
        coder, picture, 1, background_bytes=2500, progress=lambda *step: steps.append(step)
    )
    assert len(coded.found) == len(squares) == 20
    sides = [face.square.side for face in coded.found]
    assert sides == sorted(sides, reverse=True)
    assert [done for done, total, _ in steps] == list(range(21))
    for square in squares:
        assert min(np.hypot(f.square.x - square.x, f.square.y - square.y) for f in coded.found) < 15
    shown = photograph.decode(coder, coded.data)
    assert len(shown.drawn) == 20 and shown.picture.size == picture.size
