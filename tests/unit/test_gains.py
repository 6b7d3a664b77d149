"""How much stronger edits must be where a file's detail holds on: the search for a gain."""

import numpy as np
import pytest

from hsc.editing.table import Edit
from hsc.research.edit_discovery.catalogue import CATALOGUE
from hsc.research.edit_discovery.gains import (
    LEAST,
    MOST,
    MOST_AT_END,
    gains_of,
    solve_gain,
    trimmed_mean,
)
from hsc.research.edit_discovery.renderer import has_room

AGE = next(spec for spec in CATALOGUE if spec.name == "age")


@pytest.mark.parametrize("meant", [10.0, -0.04])
@pytest.mark.parametrize("share, gain", [(1.0, 1.0), (0.625, 1.6), (0.8, 1.25), (1.25, 0.8)])
def test_an_edit_that_does_a_share_needs_the_rest(meant, share, gain):
    assert solve_gain(lambda g: share * meant * g, meant) == pytest.approx(gain)


def test_an_edit_that_levels_off_needs_more_and_one_that_grows_needs_less():
    levelling = solve_gain(lambda g: 0.75 * g**0.7, 1.0)
    growing = solve_gain(lambda g: 0.6 * g**1.5, 1.0)
    assert 1 / 0.75 < levelling <= MOST
    assert 0.75 * levelling**0.7 == pytest.approx(1.0, abs=0.05)
    assert 1 < growing < 1 / 0.6


@pytest.mark.parametrize("moved", [lambda g: 0.0, lambda g: -0.3 * g, lambda g: 0.1 * g])
def test_an_edit_that_does_next_to_nothing_is_not_driven_out_of_bounds(moved):
    assert solve_gain(moved, 1.0) == pytest.approx(MOST)
    assert solve_gain(moved, 1.0, most=1.2) == pytest.approx(1.2)


def test_an_edit_that_does_far_too_much_is_held_within_bounds():
    assert solve_gain(lambda g: 5 * g, 1.0) == pytest.approx(LEAST)


@pytest.mark.parametrize("least, most", [(1.1, 1.4), (0.7, 0.9), (1.2, 1.2)])
def test_a_gain_is_looked_for_within_other_bounds_too(least, most):
    assert least <= solve_gain(lambda g: 0.8 * g, 1.0, least, most) <= most


@pytest.mark.parametrize("power", [1.0, 1.6, 3.0])
def test_an_edit_before_which_detail_gives_way_needs_less_at_the_end(power):
    def moved(amount: float, gain: float) -> float:
        """Years read when half of them are held at ten, and the less the more there are."""
        return float(np.sign(amount) * 10 * 0.6 * abs(gain * amount / 10) ** power)

    low, below, above, high = gains = gains_of(AGE, moved)
    assert low == pytest.approx(high) and below == pytest.approx(above)
    assert 1 < below <= MOST and low <= min(below, MOST_AT_END)
    edit = Edit("age", "", "", AGE.low, AGE.high, 1.0, "", (0, 1), gains=gains)
    added = [edit.gain(amount, 1.0) * amount for amount in range(-20, 21)]
    assert (np.diff(added) > 0).all()  # more is never less


def test_one_read_out_gone_wrong_does_not_count_for_all():
    years = np.array([8.0, 12, 9, 11, 10, 54, np.nan])
    assert trimmed_mean(years) == pytest.approx(10.5)
    assert trimmed_mean(years[:2]) == 10


def test_room_is_on_the_side_that_an_edit_leads_away_from():
    smiles = np.array([-9.0, 1.0, 20.0, np.nan, 5.0])
    assert has_room(smiles, 0.5).tolist() == [True, True, False, False, False]
    assert has_room(smiles, -0.5).tolist() == [False, False, True, False, True]


def test_edits_are_measured_within_their_range():
    for spec in CATALOGUE:
        low, high = spec.measured_at
        assert spec.low <= low < 0 < high <= spec.high
        assert spec.calibrated or (low, high) == (spec.low, spec.high)
