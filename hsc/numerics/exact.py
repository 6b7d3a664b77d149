"""Network layers whose results are the same bits on every machine.

A decoder must repeat the encoder's entropy parameters exactly, and floating-point sums depend on
their order, which differs between processors and libraries. Here weights and activations lie on
binary grids and are held in float64. As long as no sum needs more than 53 bits, every product
and every partial sum is represented without rounding, so their order no longer matters: the
arithmetic is that of integers, at the speed of floating point.
"""

import copy
from typing import TypeVar

from torch import Tensor, nn

ACTIVATION_BITS = 10
WEIGHT_BITS = 14
ACTIVATION_LIMIT = 2.0**11
"""With 10 + 11 bits for activations, 14 + 4 for weights and 13 for 4,608 terms, sums take 52."""
WEIGHT_LIMIT = 2.0**4

Module = TypeVar("Module", bound=nn.Module)


def snap(x: Tensor, bits: int = ACTIVATION_BITS, limit: float = ACTIVATION_LIMIT) -> Tensor:
    """Round float64 values half up to multiples of 2**-bits, clamped to +-limit."""
    scale = 2.0**bits
    return x.clamp(-limit, limit).mul_(scale).add_(0.5).floor_().div_(scale)


class GridModule(nn.Module):
    """A network with one ``forward`` for float and exact arithmetic.

    Every activation passes through ``grid``, which is the identity in a float network and rounds in
    a copy made by ``exact_copy``.
    """

    exact = False

    def grid(self, x: Tensor) -> Tensor:
        """``x``, snapped in an exact network."""
        return snap(x) if self.exact else x


def exact_copy(module: Module) -> Module:
    """A copy of a module for exact arithmetic.

    Its parameters and buffers are float64 on the CPU, on the weights' grid.
    """
    module = copy.deepcopy(module).cpu().double().requires_grad_(False)
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.copy_(snap(tensor, WEIGHT_BITS, WEIGHT_LIMIT))
    for part in module.modules():
        if isinstance(part, GridModule):
            part.exact = True
    return module
