"""What machines read off pictures: the networks against their source, and how read-outs compare."""

from functools import lru_cache

import numpy as np
import pytest
from paths import ASTRONAUT
from PIL import Image, ImageFilter

from hsc.metrics.identity import SAME_PERSON
from hsc.vision.agreement import SAME_PLACE, Observation, Observer, compare
from hsc.vision.segmentation import PersonSegmentation, overlap

# Means over 32 x 32 px blocks of what the published graph gives for the astronaut at 256 px, run
# by TensorFlow.js 4.22.0.
PUBLISHED = np.array([
    [0.000, 0.000, 0.184, 0.705, 0.304, 0.000, 0.000, 0.000],
    [0.000, 0.000, 0.526, 1.000, 0.644, 0.000, 0.000, 0.000],
    [0.001, 0.031, 0.600, 1.000, 0.162, 0.000, 0.000, 0.000],
    [0.007, 0.593, 1.000, 1.000, 0.734, 0.026, 0.000, 0.000],
    [0.427, 1.000, 1.000, 1.000, 1.000, 0.571, 0.000, 0.000],
    [0.644, 1.000, 1.000, 1.000, 0.970, 0.901, 0.590, 0.118],
    [0.850, 1.000, 1.000, 1.000, 1.000, 0.999, 1.000, 0.679],
    [0.888, 0.995, 0.991, 0.942, 0.998, 1.000, 1.000, 0.799],
])  # fmt: skip


@lru_cache(maxsize=1)
def astronaut() -> Image.Image:
    with Image.open(ASTRONAUT) as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def observer() -> Observer:
    return Observer.pretrained()


@pytest.fixture(scope="module")
def seen(observer: Observer) -> Observation:
    return observer.observe(astronaut())


def test_the_mask_is_that_of_the_published_network() -> None:
    mask = PersonSegmentation.pretrained().mask(astronaut())
    blocks = mask.reshape(8, 32, 8, 32).mean((1, 3))
    assert np.abs(blocks - PUBLISHED).max() < 0.005


def test_overlap_counts_pixels() -> None:
    left, right, none = (np.zeros((4, 4)) for _ in range(3))
    left[:, :3], right[:, 1:] = 0.9, 0.6
    assert overlap(left, left) == 1
    assert overlap(left, right) == 8 / 16
    assert overlap(left, none) == 0
    assert overlap(none, none) == 1


def test_a_face_is_read(seen: Observation) -> None:
    face = seen.face
    left, top, right, bottom = face.box
    assert left < face.landmarks[30, 0] < right and top < face.landmarks[30, 1] < bottom
    assert seen.mask[tuple((face.landmarks[30, ::-1] * 256).astype(int))] > 0.9
    assert face.expression == "happy" and sum(face.expressions.values()) == pytest.approx(1)
    assert 20 < face.age < 60


def test_the_same_face_smaller_reads_the_same(observer: Observer, seen: Observation) -> None:
    small = astronaut().resize((384, 384), Image.Resampling.LANCZOS)
    found = compare(seen, observer.observe(small))
    assert found.identity_l2 < SAME_PERSON / 2 and found.same_person
    assert found.landmark_error < SAME_PLACE
    assert found.mask_overlap > 0.95
    assert found.same_expression and abs(found.age_change) < 8


def test_a_face_that_is_not_found_is_not_compared(observer: Observer, seen: Observation) -> None:
    blurred = observer.observe(astronaut().filter(ImageFilter.GaussianBlur(40)))
    assert blurred.face is None
    found = compare(seen, blurred)
    assert found.identity_l2 is None and found.same_person is None
    assert found.landmark_error is None and found.age_change is None
    assert 0 <= found.mask_overlap <= 1
