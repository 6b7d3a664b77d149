"""The order in which FCN's symbols are coded: each once, and none before what it leans on."""

import torch

from hsc.config import SHIPPED
from hsc.latent_codecs.feature_slices.prior import PASSES, SLICES, Pass, passes

LATENT_CHANNELS, LATENT_PX = SHIPPED.latent_channels, SHIPPED.latent_px


def test_every_symbol_is_coded_once() -> None:
    coded = torch.zeros(LATENT_CHANNELS, LATENT_PX, LATENT_PX)
    for now in PASSES:
        coded[now.channels] += now.cells
    assert torch.equal(coded, torch.ones_like(coded))


def test_halves_are_the_squares_of_a_checkerboard() -> None:
    first, second, whole = passes((3, 5), 1)
    assert (first.parity, second.parity, whole.parity) == (0, 1, None)
    assert (first.known, second.known, whole.known) == (0, 3, 3)
    assert torch.equal(first.cells, ~second.cells) and whole.cells.all()
    # the four neighbours of every square of one half are in the other half
    assert not (first.cells[1:] & first.cells[:-1]).any()
    assert not (first.cells[:, 1:] & first.cells[:, :-1]).any()


def test_what_is_put_is_what_was_taken() -> None:
    y = torch.randn(2, LATENT_CHANNELS, LATENT_PX, LATENT_PX)
    known = y[:, :0]
    for now in PASSES:
        assert known.shape[1] == now.known
        # other cells must not get through: they are not coded yet
        spoiled = torch.where(now.cells, y[:, now.channels], torch.inf)
        known = now.put(known, spoiled)
    assert torch.equal(known, y)


def test_a_pass_takes_its_own_cells() -> None:
    now = Pass(slice(2, 4), 1)
    y = torch.arange(5 * LATENT_PX**2).view(1, 5, LATENT_PX, LATENT_PX)
    taken = now.of(y)
    assert taken.shape == (1, 2, LATENT_PX**2 // 2)
    assert taken[0, 0, 0] == y[0, 2, 0, 1] and taken[0, 1, -1] == y[0, 3, -1, -2]


def test_slices_grow() -> None:
    assert list(SLICES) == sorted(SLICES)
