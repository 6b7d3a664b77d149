"""A CUDA device that is not there: its tensors say ``cuda`` and are computed on the CPU.

What goes wrong on a GPU and not on a CPU is mostly a matter of where tensors are: one that was
left on the CPU, one that is read without being fetched, launches recorded while something comes
from the CPU. That can be tested anywhere: here every operation sees where its operands are, as on
a GPU, and refuses the ones that a GPU refuses. How fast a GPU is and how it rounds remain to be
seen on one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from processors import has_bfloat16
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

CUDA = torch.device("cuda", 0)
aten = torch.ops.aten
FETCHING = (aten._to_copy.default, aten.copy_.default)
READING = (aten._local_scalar_dense.default, aten.nonzero.default)
INDEXING = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default)
WIDENED = (
    aten.convolution.default, aten.convolution_backward.default,
    aten.mm.default, aten.addmm.default, aten.bmm.default,
)  # fmt: skip
SLOW = (torch.half,) if has_bfloat16() else (torch.half, torch.bfloat16)
"""What is widened, and the types that it is slow in on this CPU; a GPU too adds up their products
in single precision."""


class Misplaced(RuntimeError):
    """What a GPU would have refused."""


class OnGpu(Tensor):
    """A tensor whose values are in ``values``, on the CPU, and that says it is on a GPU."""

    values: Tensor

    @staticmethod
    def __new__(cls, values: Tensor) -> OnGpu:
        made = Tensor._make_wrapper_subclass(
            cls,
            values.size(),
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            # for PyTorch's core, which has no guard of CUDA devices where it is built without them
            device="meta",
            requires_grad=values.requires_grad,
        )
        made.values = values
        return made

    @property
    def device(self) -> torch.device:
        return CUDA

    is_cuda = True
    is_meta = False
    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise Misplaced(f"{func} outside of the stand-in")


@dataclass
class Launch:
    """One recorded operation: what to compute again and where its results lie."""

    func: Any
    args: Any
    kwargs: Any
    out: Any


@dataclass
class Recording:
    """In the place of ``torch.cuda.CUDAGraph``."""

    launches: list[Launch] = field(default_factory=list)

    def replay(self) -> None:
        for launch in self.launches:
            again = _computed(launch.func, launch.args, launch.kwargs)
            for old, new in zip(_tensors(launch.out), _tensors(again), strict=True):
                if old.data_ptr() != new.data_ptr():  # neither in place nor a view
                    old.copy_(new)


class StandIn(TorchDispatchMode):
    """While it is entered, ``cuda`` is a device like any other.

    Attributes:
        recording: what operations are added to, if any.
        launched: the number of operations so far that had operands on the device.
    """

    def __init__(self) -> None:
        super().__init__()
        self.recording: Recording | None = None
        self.launched = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        there = [t for t in _tensors((args, kwargs)) if isinstance(t, OnGpu)]
        self._check(func, args, kwargs, bool(there))
        target = kwargs.get("device")
        on_gpu = torch.device(target).type != "cpu" if target is not None else bool(there)
        if func is aten.copy_.default:
            on_gpu = isinstance(args[0], OnGpu)
        if target is not None:
            kwargs["device"] = "cpu"
        plain, plain_kwargs = _plain(args), _plain(kwargs)
        out = _computed(func, plain, plain_kwargs)
        if on_gpu or there:
            self.launched += 1
            if self.recording is not None:
                self.recording.launches.append(Launch(func, plain, plain_kwargs, out))
        if not on_gpu:
            return out
        wrapped = tree_map(lambda t: OnGpu(t) if isinstance(t, Tensor) else t, out)
        return return_and_correct_aliasing(func, args, kwargs, wrapped) if there else wrapped

    def _check(self, func: Any, args: Any, kwargs: dict, any_there: bool) -> None:
        tensors = _tensors((args, kwargs))
        if self.recording is not None:
            mixed = any_there and any(not isinstance(t, OnGpu) and t.ndim for t in tensors)
            fetched = kwargs.get("device") is not None and func in FETCHING
            if mixed or fetched or func in READING:
                raise Misplaced(f"{func} waits for the CPU while launches are recorded")
        if not any_there or func in FETCHING:
            return
        if func in INDEXING and isinstance(args[0], OnGpu):
            tensors = [args[0], *_tensors(args[2:])]  # indexes may be anywhere
        # a GPU takes single numbers from the CPU, nothing else
        if strangers := [t for t in tensors if not isinstance(t, OnGpu) and t.ndim]:
            shapes = ", ".join(str(tuple(t.shape)) for t in strangers)
            raise Misplaced(f"{func} got operands on the GPU and on the CPU (of shape {shapes})")


def _computed(func: Any, args: Any, kwargs: Any) -> Any:
    """What an operation makes of tensors on the CPU."""
    if func not in WIDENED or (dtype := args[0].dtype) not in SLOW:
        return func(*args, **kwargs)
    args = tree_map(lambda x: x.float() if isinstance(x, Tensor) else x, args)
    out = func(*args, **kwargs)
    return tree_map(lambda x: x.to(dtype) if isinstance(x, Tensor) else x, out)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_flatten(tree)[0] if isinstance(leaf, Tensor)]


def _plain(tree: Any) -> Any:
    return tree_map(lambda leaf: leaf.values if isinstance(leaf, OnGpu) else leaf, tree)


LOWERED = {F.conv2d, F.conv_transpose2d, F.linear, torch.matmul, Tensor.matmul, torch.bmm}
"""What autocast computes in its own precision."""


class _Calls(TorchFunctionMode):
    """What PyTorch's core does for the device and not for operations: ``cuda`` is its first one,
    and autocast converts what convolutions and products are given."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        args, kwargs = args, dict(kwargs or {})
        if func is not torch.device:
            args, kwargs = tree_map(_numbered, (args, kwargs))
        if func in LOWERED and torch.is_autocast_enabled("cuda"):
            dtype = torch.get_autocast_dtype("cuda")
            args, kwargs = tree_map(lambda x: _lowered(x, dtype), (args, kwargs))
        return func(*args, **kwargs)


def _lowered(value: Any, dtype: torch.dtype) -> Any:
    on_gpu = isinstance(value, Tensor) and value.device.type == "cuda"
    return value.to(dtype) if on_gpu and value.is_floating_point() else value


def _numbered(value: Any) -> Any:
    if isinstance(value, torch.device) or (isinstance(value, str) and value == "cuda"):
        return CUDA if torch.device(value).type == "cuda" else value
    return value


class _Stream:
    def wait_stream(self, other: _Stream) -> None:
        pass


@contextmanager
def stand_in_gpu(patch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A machine that has a GPU, for as long as it is entered."""
    mode = StandIn()

    @contextmanager
    def graph(recording: Recording) -> Iterator[None]:
        mode.recording = recording
        try:
            yield
        finally:
            mode.recording = None

    @contextmanager
    def stream(_: _Stream) -> Iterator[None]:
        yield

    replaced: dict[str, Callable] = {
        "is_available": lambda: True,
        "is_bf16_supported": lambda *_, **__: True,
        "_lazy_init": lambda: None,
        "synchronize": lambda *_: None,
        "current_device": lambda: 0,
        "current_stream": lambda *_: _Stream(),
        "Stream": _Stream,
        "stream": stream,
        "CUDAGraph": Recording,
        "graph": graph,
    }
    for name, value in replaced.items():
        patch.setattr(torch.cuda, name, value)
    overwrite = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with _Calls(), mode:
            yield mode
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(overwrite)
