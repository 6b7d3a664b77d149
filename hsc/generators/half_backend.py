"""Any generator on a GPU: half precision, batches, and CUDA graphs."""

import copy
import threading
from collections import OrderedDict

import torch
from torch import Tensor, nn

from hsc.generators.base import Backend, SynthesisNetwork

MAX_BATCH = 16
"""Pictures rendered at once; larger batches are split."""
GRAPHS = 4
"""Graphs that are kept, one for each batch size; each occupies the memory of its activations."""


class HalfSynthesis(Backend):
    """G with activations above 32 px in half precision, channels last.

    Above 32 px half precision suffices: magnitudes stay within some hundreds.

    Args:
        synthesis: the generator, on the device where it is to run.
        graphs: record a CUDA graph for each batch size and replay it afterwards. CUDA must stay
            available in this process, so this is off on ZeroGPU, whose workers come and go.
    """

    def __init__(self, synthesis: SynthesisNetwork, graphs: bool = False) -> None:
        super().__init__(synthesis)
        self.half = copy.deepcopy(synthesis).half()
        nn.Module.to(self.half, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.graphs = graphs
        self._recorded: OrderedDict[int, _Recording] = OrderedDict()
        self._lock = threading.Lock()

    def run_above(self, x: Tensor, w_plus: Tensor, to_px: int) -> Tensor:
        return self.half.run(_inner(x), w_plus.half(), x.shape[-1], to_px).float()

    def image_of(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        parts = zip(feature.split(MAX_BATCH), w_plus.split(MAX_BATCH))
        return torch.cat([self._image(_inner(f), w.half()).float() for f, w in parts])

    def _image(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        if not self.graphs or feature.shape[-1] != self.spec.feature_px or torch.is_grad_enabled():
            return self.half.image(feature, w_plus)
        with self._lock:  # a graph has one set of input and output buffers
            recording = self._recorded.pop(len(feature), None)
            if recording is None:
                recording = _Recording(self.half, feature, w_plus)
            self._recorded[len(feature)] = recording  # the newest last
            if len(self._recorded) > GRAPHS:
                self._recorded.popitem(last=False)
            return recording.replay(feature, w_plus)


class _Recording:
    """A CUDA graph that renders a batch of one size."""

    def __init__(self, half: SynthesisNetwork, feature: Tensor, w_plus: Tensor) -> None:
        self.feature, self.w_plus = feature.clone(), w_plus.clone()
        # warm-up on another stream, as recording requires: libraries choose their kernels
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                half.image(self.feature, self.w_plus)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.picture = half.image(self.feature, self.w_plus)

    def replay(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        self.feature.copy_(feature)
        self.w_plus.copy_(w_plus)
        self.graph.replay()
        return self.picture.clone()


def _inner(x: Tensor) -> Tensor:
    """In half precision and the channels-last memory format."""
    return x.half().contiguous(memory_format=torch.channels_last)
