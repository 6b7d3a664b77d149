"""The generator's faster arrangements draw what the network draws, and change no symbol."""

from dataclasses import replace

import pytest
import torch
from generated import face, styles, synthesis
from processors import ON_CPU, TYPES

import hsc
from hsc.codec import Codec
from hsc.errors import HscError
from hsc.generators import half_backend
from hsc.generators.backends import BACKENDS, VARIABLE, build_backend, resolve_backend
from hsc.generators.half_backend import GRAPHS, MAX_BATCH, HalfSynthesis
from hsc.generators.mobilestylegan.cpu_backend import CpuSynthesis
from hsc.metrics.picture import psnr
from hsc.numerics import precision

pytestmark = pytest.mark.usefixtures("quick_model_in_use")

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def two() -> torch.Tensor:
    return torch.cat([styles(1), styles(2)])


def closeness(drawn: torch.Tensor, expected: torch.Tensor) -> float:
    """Signal over error in decibels."""
    error = (drawn - expected).square().mean()
    return 10 * torch.log10(expected.square().mean() / error).item()


@pytest.mark.parametrize(("dtype", "least"), TYPES)
def test_a_picture_is_the_networks(dtype: torch.dtype, least: float) -> None:
    fast = CpuSynthesis(synthesis(), dtype)
    with torch.no_grad():
        picture = fast(styles(1))
    assert picture.shape == (1, 3, 1024, 1024) and picture.dtype == torch.float32
    assert psnr(picture.clamp(-1, 1), face(1)).item() > least


@pytest.mark.parametrize("px", [16, 64, 128])
def test_maps_on_the_way_are_the_networks(px: int) -> None:
    fast = CpuSynthesis(synthesis())
    with torch.no_grad():
        expected = synthesis().feature(two(), px)
        assert closeness(fast.feature(two(), px), expected) > 100
        low = synthesis().feature(two(), 8)
        assert closeness(fast.run(low, two(), 8, px), expected) > 100


def test_half_precision_is_enough() -> None:
    w_plus = styles(1)
    half_synthesis = HalfSynthesis(synthesis())
    largest: list[float] = []
    hooks = [
        module.register_forward_hook(lambda _, __, out: largest.append(out.abs().max().item()))
        for module in synthesis().modules()
    ]
    try:
        with torch.no_grad():
            feature = synthesis().feature(w_plus)
            assert torch.equal(half_synthesis.feature(w_plus), feature)
            expected = synthesis().run(feature, w_plus, 32, 64)
            assert closeness(half_synthesis.run(feature, w_plus, 32, 64), expected) > 45
            synthesis().image(feature, w_plus)
    finally:
        for hook in hooks:
            hook.remove()
    assert max(largest) < 65504 / 16  # the largest half, with room for stranger faces


def test_recordings_are_kept_by_size_and_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Recording:
        """In the place of a CUDA graph: draws means."""

        def __init__(self, _: object, feature: torch.Tensor, w_plus: torch.Tensor) -> None:
            made.append(len(feature))

        def replay(self, feature: torch.Tensor, w_plus: torch.Tensor) -> torch.Tensor:
            return (feature.mean((1, 2, 3)) + w_plus.mean((1, 2)))[:, None]

    monkeypatch.setattr(half_backend, "_Recording", Recording)
    drawer = HalfSynthesis(synthesis(), graphs=True)
    feature = torch.arange(40.0)[:, None, None, None].expand(40, 512, 32, 32)
    w_plus = torch.zeros(40, 23, 512)
    with torch.no_grad():
        drawn = drawer.image(feature, w_plus)
        assert drawn.flatten().tolist() == list(range(40))  # in order, over all parts
        assert made == [MAX_BATCH, 40 - 2 * MAX_BATCH]
        for size in (1, 2, 3, 8):  # one more than are kept: the one longest unused gives way
            drawer.image(feature[:size], w_plus[:size])
        assert made == [16, 8, 1, 2, 3] and GRAPHS == 4
        drawer.image(feature[:16], w_plus[:16])
        assert made == [16, 8, 1, 2, 3, 16]


def test_no_symbol_depends_on_how_pictures_are_drawn() -> None:
    networks = Codec.load("cpu", backend="reference").networks
    codecs = [
        Codec(replace(networks, synthesis=build_backend(networks.synthesis, name)))
        for name in ON_CPU
    ]
    exact, near, far = codecs[0], codecs[1], codecs[-1]
    picture = near.random_face(21)
    found, found_far = exact.analyse(picture), far.analyse(picture)
    files = [exact.compress(found, 2.7), far.compress(found_far, 2.7)]
    # an analysis that does not depend on the roughest of them does not depend on this one either
    files.append(near.compress(found, 2.7))
    assert files[0] == files[1] == files[2]


def test_which_backend_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert (resolve_backend(CPU), resolve_backend(CUDA)) == ("float32", "float16")
    monkeypatch.setenv(VARIABLE, "reference")
    assert resolve_backend(CPU) == resolve_backend(CUDA) == "reference"
    assert resolve_backend(CPU, "float32") == "float32"
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert resolve_backend(CPU, "auto") == "reference"
    with pytest.raises(HscError, match="float32"):
        resolve_backend(CPU, "bfloat16")


@pytest.mark.parametrize(
    ("instructions", "amx", "said", "expected"),
    [
        (True, False, "vendor_id : AuthenticAMD", True),
        (True, False, "vendor_id : GenuineIntel", False),
        (True, True, "vendor_id : GenuineIntel", True),
        (False, False, "vendor_id : AuthenticAMD", False),
    ],
)
def test_bfloat16_where_it_is_faster(
    instructions: bool, amx: bool, said: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: instructions)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(precision, "_processor", lambda: said)
    assert precision.computes_bfloat16(CPU) == expected
    assert precision.gradient_dtype(CPU) == (torch.bfloat16 if expected else torch.float32)
    assert not precision.computes_bfloat16(CUDA)
    assert precision.gradient_dtype(CUDA) == torch.bfloat16


@pytest.mark.parametrize(("device", "name"), [(CPU, "float16"), (CUDA, "float32"), (CPU, "int8")])
def test_backends_that_do_not_go_with_a_device(device: torch.device, name: str) -> None:
    with pytest.raises(HscError, match="auto"):
        resolve_backend(device, name)


def test_a_backend_is_what_its_name_says() -> None:
    assert build_backend(synthesis(), "reference") is synthesis()
    assert build_backend(synthesis(), "bfloat16").dtype == torch.bfloat16
    assert isinstance(build_backend(synthesis(), "float16"), HalfSynthesis)
    assert set(ON_CPU) < set(BACKENDS)
    codec = hsc.load("cpu", backend="float32")
    assert codec.backend == "float32" and isinstance(codec.networks.synthesis, CpuSynthesis)
