"""The page's words for likeness: of two recognisers the stricter one's, or both sentences."""

import numpy as np
import pytest
from paths import ASTRONAUT
from PIL import Image

from app.cache import SharedCache
from app.services.measure import (
    DLIB,
    FACERES,
    LIKENESS_WORDS,
    Distances,
    Measures,
    Recogniser,
    likeness,
)
from app.tabs.compress import html as compress_html
from app.tabs.vision.html import _years
from hsc.metrics import identity, identity_faceres
from hsc.metrics.evaluator import COMPARE, Evaluator
from hsc.metrics.identity_faceres import FaceRes


def test_the_stricter_recogniser_has_the_word() -> None:
    assert likeness(Distances()) is None
    agreed = likeness(Distances(identity=0.1, faceres=0.2))
    assert agreed and agreed.words == "The same person" and agreed.same and not agreed.differ
    for one, other in ((0.1, 0.8), (0.5, 0.2)):
        said = likeness(Distances(identity=one, faceres=other))
        assert said and said.words == LIKENESS_WORDS[2] and not said.same
        assert "dlib says" in said.differ and "FaceRes says" in said.differ
        assert "the same person" in said.differ and "perhaps another person" in said.differ


def test_where_one_recogniser_was_asked_the_words_say_so() -> None:
    said = likeness(Distances(identity=0.1))
    assert said and said.differ == "Only one recogniser was asked, dlib."


@pytest.mark.parametrize("recogniser", [DLIB, FACERES], ids=lambda each: each.name)
def test_limits_rise_and_end_at_the_recognisers_own(recogniser: Recogniser) -> None:
    limits = recogniser.likely, recogniser.possible, recogniser.stranger
    assert list(limits) == sorted(limits)
    assert [recogniser.band(limit) for limit in (0, *limits)] == [0, 1, 2, 3]
    own = {DLIB: identity.SAME_PERSON, FACERES: identity_faceres.SAME_PERSON}
    assert recogniser.stranger == own[recogniser]


def test_the_second_recogniser_ships_and_tells_faces_apart() -> None:
    network = FaceRes.pretrained()
    with Image.open(ASTRONAUT) as file:
        face = file.convert("RGB").resize((512, 512))
    one, soft, flipped = (
        network.describe(each)
        for each in (face, face.resize((256, 256)), face.transpose(Image.Transpose.FLIP_TOP_BOTTOM))
    )
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-4)
    assert np.linalg.norm(one - soft) < FACERES.likely
    assert np.linalg.norm(one - flipped) > FACERES.possible


def test_both_distances_are_measured_and_shown(studio) -> None:
    with Image.open(ASTRONAUT) as image:
        crop = studio.prepare(image).crop
    measured = Measures(SharedCache()).measure(crop, crop.resize((64, 64)).resize(crop.size))
    assert 0 < measured.faceres < 2 and 0 < measured.identity < 1
    shown = compress_html.measures(measured)
    said = likeness(measured)
    assert said and said.words in shown
    assert f"dlib {measured.identity:.2f} · FaceRes {measured.faceres:.2f}" in shown
    differing = compress_html.measures(Distances(20, 0.1, 0.1, 0.8))
    assert "The recognisers differ" in differing


def test_a_recogniser_that_is_not_asked_for_is_not_loaded() -> None:
    assert "identity_faceres" in COMPARE
    assert not hasattr(Evaluator(figures=("psnr_256",)), "faceres")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (None, ""), (-0.3, "as the original"), (0.4, "as the original"), (-1.2, "-1 year"),
        (7.6, "+8 years"),
    ],
)  # fmt: skip
def test_a_change_of_age_that_rounds_to_nothing_has_no_sign(change, words) -> None:
    assert _years(change) == words
