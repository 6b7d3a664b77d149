"""Faults that users of face codecs report, on a real photograph, as far as a read-out can judge.

Bounds are loose: they catch a codec that forgets, not one that is a little worse.
"""

from types import SimpleNamespace

import pytest

from hsc.research.evaluation import faults
from hsc.vision.face_readouts import FaceReader

LEVELS = (1.0, 3.0)
NO_EVALUATOR = SimpleNamespace(original=lambda image: image, compare=lambda *_: {})


@pytest.fixture(scope="module")
def rows(codec, photo):
    """What came of every kind, by kind and level."""
    tried = faults.try_face(codec, NO_EVALUATOR, FaceReader.load(), photo, LEVELS)
    return {(row["what"], row["level"]): row for row in tried}


@pytest.mark.parametrize("level", LEVELS)
def test_colours_stay(rows, level):
    for kind in faults.COLOURS:
        row = rows[kind, level]
        dark = kind.startswith("dark")  # is lighter afterwards, by less than half of the way
        assert row["colour"] < (14 if dark else 8) and abs(row["chroma"]) < 5, kind
        assert abs(row["lightness"]) < (14 if dark else 4), kind
    assert rows["grey", level]["chroma"] < 2.5


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_on_or_behind_a_face_stays(rows, level):
    """Earrings, frames, a microphone, a mask, lettering: most of each, and little else changes."""
    for kind in faults.PAINTED:
        assert 0.5 < rows[kind, level]["kept"] < 1.3, kind
        assert rows[kind, level]["elsewhere"] < 9, kind


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_appears(rows, level):
    """No glasses on a bare face, no beard, no lighter skin; nor with age."""
    plain = rows["as it is", level]
    assert abs(plain["glasses"]) < 0.4 and abs(plain["beard"]) < 6 and abs(plain["skin_light"]) < 4
    aged = [row for (kind, at), row in rows.items() if kind.startswith("age") and at == level]
    assert len(aged) == 2
    for row in aged:
        assert abs(row["glasses"]) < 0.5 and row["beard"] < 8 and abs(row["skin_light"]) < 5
