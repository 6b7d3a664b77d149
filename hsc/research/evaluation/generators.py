"""The generator alone, w+ to 1024 px: each backend and OpenVINO, turn by turn in one process."""

import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.errors import HscError
from hsc.generators.backends import build_backend, resolve_backend
from hsc.generators.base import SynthesisNetwork
from hsc.generators.pretrained import load_generator
from hsc.metrics.picture import psnr

WARM_UP = 2


@dataclass(frozen=True)
class RenderTiming:
    """What one way of running the generator took, in milliseconds.

    Attributes:
        psnr: against the reference network, in decibels.
        setting_up: once, in seconds: rearranging weights, or converting and compiling.
    """

    label: str
    median: float
    least: float
    psnr: float
    setting_up: float


@torch.no_grad()
def compare(backends: list[str], rounds: int) -> list[RenderTiming]:
    """Time one face on the CPU, a round of every candidate at a time.

    Args:
        backends: names of ``hsc.generators.backends``.

    Raises:
        HscError: a backend does not run here, or OpenVINO is not installed.
    """
    generator = load_generator("cpu")
    z = torch.randn(1, generator.spec.style_dim, generator=torch.Generator().manual_seed(1))
    w_plus = generator.mapping(z, 0.7)[:, None].repeat(1, generator.spec.styles, 1)  # (1, 23, 512)
    expected = generator.synthesis(w_plus).clamp(-1, 1)
    candidates: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {}
    for name in backends:
        started = time.perf_counter()
        renderer = build_backend(generator.synthesis, resolve_backend(torch.device("cpu"), name))
        candidates[f"hsc, {name}"] = renderer, time.perf_counter() - started
    started = time.perf_counter()
    draw, precision = in_openvino(generator.synthesis, w_plus)
    candidates[f"OpenVINO, {precision}"] = draw, time.perf_counter() - started
    laps: dict[str, list[float]] = {label: [] for label in candidates}
    pictures = {}
    for _ in range(WARM_UP + rounds):
        for label, (render, _) in candidates.items():
            lap = time.perf_counter()
            pictures[label] = render(w_plus)
            laps[label].append(1000 * (time.perf_counter() - lap))
    return [
        RenderTiming(
            label,
            statistics.median(laps[label][WARM_UP:]),
            min(laps[label][WARM_UP:]),
            psnr(pictures[label].clamp(-1, 1), expected).item(),
            setting_up,
        )
        for label, (_, setting_up) in candidates.items()
    ]


def in_openvino(
    synthesis: SynthesisNetwork, w_plus: Tensor
) -> tuple[Callable[[Tensor], Tensor], str]:
    """The same network with the same weights, converted and compiled for this processor.

    Returns:
        A function that renders w+ (1, 23, 512), and the precision that OpenVINO chose.
    """
    try:
        import openvino
    except ImportError as error:
        raise HscError("OpenVINO is not installed: run `pip install openvino` first.") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of loops, which are constant here
        model = openvino.convert_model(synthesis, example_input=w_plus, input=list(w_plus.shape))
    threads = {"INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = openvino.Core().compile_model(model, "CPU", threads)
    request = compiled.create_infer_request()
    precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()

    def draw(styles: Tensor) -> Tensor:
        request.infer([styles.numpy()])
        return torch.from_numpy(request.get_output_tensor().data.copy())

    return draw, precision
