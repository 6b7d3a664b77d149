"""Domains: one choice among subjects, and a domain without a detector."""

import numpy as np
import pytest
from PIL import Image

from hsc import domains
from hsc.config import FACE_1024
from hsc.domains import DOMAINS, DetectorBox, align, domain, select
from hsc.domains.centre_crop import CentreCrop
from hsc.errors import NoFaceError, PhotoError, WeightsError


@pytest.fixture
def wide() -> Image.Image:
    """Black, with a white square in the middle."""
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = 255
    return Image.fromarray(pixels)


def test_the_shipped_generator_has_a_domain() -> None:
    assert domain(FACE_1024.domain).has_identity
    with pytest.raises(WeightsError, match="ffhq_face, centre_crop, got 'cars'"):
        domain("cars")


def test_the_centre_of_a_picture_is_a_domain_of_its_own(wide: Image.Image) -> None:
    centre = CentreCrop()
    assert not centre.has_identity
    assert centre.find(wide) == [(30, 0, 70, 40)]
    assert np.asarray(align(centre, wide, 20)).min() > 230  # the filter sees the edge
    assert align(centre, wide, 20).tobytes() == align(centre, wide, 20, find=False).tobytes()


@pytest.mark.parametrize("name", DOMAINS)
def test_every_domain_can_skip_the_search(name: str, wide: Image.Image) -> None:
    assert align(domain(name), wide, 16, find=False).size == (16, 16)


def test_a_subject_is_chosen_by_its_number() -> None:
    faces = domain("ffhq_face")
    assert select(faces, ["large", "small"], 1) == "small"
    with pytest.raises(NoFaceError, match="No face was found .* turned by 90, 180 or 270 degrees"):
        select(faces, [])
    with pytest.raises(NoFaceError, match="No subject was found in the picture: try another"):
        select(CentreCrop(), [])
    with pytest.raises(PhotoError, match="There is no face 2: the picture has faces 0 to 1"):
        select(faces, ["large", "small"], 2)
    with pytest.raises(PhotoError, match="only subject 0"):
        select(CentreCrop(), [(0.0, 0.0, 1.0, 1.0)], -1)


def bright(image: Image.Image) -> list[tuple[float, float, float, float]]:
    """A detector of white things, and one that it imagines."""
    box = image.convert("L").point(lambda value: 255 * (value > 128)).getbbox()
    return [(0.0, 0.0, 3.0, 3.0), box] if box else []


def test_any_detector_makes_a_domain(wide: Image.Image) -> None:
    cats = DetectorBox("cat", bright, margin=0.0)
    assert not cats.has_identity
    assert cats.find(wide) == [(30, 0, 70, 40), (0.0, 0.0, 3.0, 3.0)]
    assert np.asarray(align(cats, wide, 20)).min() > 230
    assert np.asarray(align(cats, wide, 20, which=1)).max() == 0
    with pytest.raises(NoFaceError, match="No cat was found"):
        align(cats, Image.new("RGB", (40, 40)), 20)


@pytest.mark.parametrize("box", [(0, 0, 10, 4), (95, 30, 100, 40), (-9, -9, 200, 90)])
def test_a_square_stays_inside_the_picture(wide: Image.Image, box: tuple[int, ...]) -> None:
    ramp = Image.linear_gradient("L").resize(wide.size).convert("RGB")
    cropped = np.asarray(DetectorBox("cat", bright).crop(ramp, box, 16))
    assert cropped.shape == (16, 16, 3)


def test_a_package_brings_a_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    cats = DetectorBox("cat", bright)

    class Point:
        def load(self) -> DetectorBox:
            return cats

    points = {("hsc.domains", "cats"): [Point()]}
    monkeypatch.setattr(domains, "DOMAINS", dict(DOMAINS))
    monkeypatch.setattr(domains, "entry_points", lambda group, name: points.get((group, name), []))
    assert domain("cats") is cats
    with pytest.raises(WeightsError, match="got 'cars'"):
        domain("cars")
