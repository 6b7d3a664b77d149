"""Edits are held back where their sum leaves the faces that the generator knows, and smoothly."""

import math
from itertools import pairwise

import pytest
import torch

from hsc.editing.plausibility import (
    FREE,
    GIVE,
    NOTHING_HELD,
    ROOM,
    SHARES,
    Held,
    Plausibility,
    share_within,
)
from hsc.errors import WeightsError

USUAL = Plausibility(torch.full((6,), 1.0), torch.full((6,), 0.25))


def feature(spread: float) -> torch.Tensor:
    """A feature map, (1, 6, 8, 8), whose channels vary by `spread` over the map."""
    noise = torch.randn(1, 6, 8, 8, generator=torch.Generator().manual_seed(0))
    return noise / noise.std((2, 3), keepdim=True) * spread


def straight(before: float, asked: float) -> list[float]:
    return [before + (asked - before) * share for share in SHARES]


def test_departure_counts_spreads_of_the_generators_own_faces() -> None:
    assert float(USUAL.departure(feature(1.0))) == pytest.approx(0, abs=1e-5)
    assert float(USUAL.departure(feature(1.5))) == pytest.approx(2, abs=1e-4)
    assert USUAL.departure(torch.cat([feature(1.25), feature(2)])).tolist() == pytest.approx([1, 4])


def test_it_is_measured_on_samples(tmp_path) -> None:
    samples = torch.cat([feature(spread) for spread in (0.75, 1.0, 1.25)])
    measured = Plausibility.of(samples)
    assert measured.mean.tolist() == pytest.approx([1.0] * 6)
    assert measured.spread.tolist() == pytest.approx([0.25] * 6)
    measured.save(tmp_path / "usual.safetensors")
    again = Plausibility.load(tmp_path / "usual.safetensors")
    assert torch.equal(again.mean, measured.mean) and torch.equal(again.spread, measured.spread)
    (tmp_path / "odd.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsError, match="hsc train plausibility"):
        Plausibility.load(tmp_path / "odd.safetensors")


def test_within_the_limit_nothing_is_held_back() -> None:
    assert share_within(2.0, straight(1.0, 2.0)) == 1
    # and just beyond it next to nothing
    assert share_within(2.0, straight(1.0, 2.001)) == pytest.approx(1, abs=1e-3)


def test_the_share_falls_smoothly_and_what_is_let_through_ends() -> None:
    shares, let_through = [], []
    for asked in torch.linspace(1.5, 12, 200).tolist():
        shares.append(share_within(2.0, straight(1.0, asked)))
        let_through.append(1 + (asked - 1) * shares[-1])
    assert all(0 < later <= sooner for sooner, later in pairwise(shares))
    assert max(abs(a - b) for a, b in pairwise(shares)) < 0.05
    assert let_through == sorted(let_through)  # who asks for more gets no less
    assert max(let_through) <= 2.0 + GIVE + 1e-9


def test_what_grows_late_is_held_back_late() -> None:
    late = [1.0, 1.0, 1.1, 1.4, 6.0]
    assert 0.75 < share_within(2.0, late) < 1
    assert share_within(2.0, [1.9, 5.0, 6.0, 7.0, 8.0]) < 0.25


def test_features_are_computed_only_where_something_is_to_decide() -> None:
    asked: list[float] = []

    def features(share: float) -> torch.Tensor:
        asked.append(share)
        return feature(1.0 + share * reach)

    reach = 0.2
    assert USUAL.held(feature(1.0), {"smile": 0.0}, features) == NOTHING_HELD and not asked
    mild = USUAL.held(feature(1.0), {"smile": 1.0}, features)
    assert mild.share == 1 and mild.plausibility == 1 and asked == [1.0]
    reach = 2.0
    wild = USUAL.held(feature(1.0), {"smile": 1.0}, features)
    assert asked[1:] == [1.0, *SHARES[1:-1]]
    assert wild.departure == pytest.approx(8) and wild.limit == FREE
    assert wild.plausibility == pytest.approx(FREE / 8)
    let_through = float(USUAL.departure(feature(1.0 + wild.share * reach)))
    assert FREE < let_through <= FREE + GIVE + 1e-4


def test_a_face_that_is_unusual_by_itself_keeps_its_edits() -> None:
    own = feature(1.6)  # departs by 2.4
    held = USUAL.held(own, {"smile": 1.0}, lambda share: feature(1.6 + 0.1 * share))
    assert held.limit == pytest.approx(2.4 + ROOM, abs=1e-4) and held.share == 1


def test_nothing_known_means_nothing_held() -> None:
    assert NOTHING_HELD.share == 1 and math.isinf(NOTHING_HELD.limit)
    assert Held(0.5, 4.0, 2.0).plausibility == 0.5
