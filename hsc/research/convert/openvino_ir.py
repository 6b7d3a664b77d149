"""Reading constants out of an OpenVINO IR v10 pair without OpenVINO."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hsc.errors import WeightsError


@dataclass
class Node:
    """One operation of the graph: its type, name, input node ids in port order and attributes."""

    kind: str
    name: str
    inputs: list[str] = field(default_factory=list)
    data: dict[str, str] = field(default_factory=dict)


class IrGraph:
    """The nodes of an IR file by id, in file order, with access to float constants.

    Args:
        xml: path of the ``.xml``; the ``.bin`` is expected beside it.
    """

    def __init__(self, xml: Path) -> None:
        root = ET.parse(xml).getroot()
        layers, links = root.find("layers"), root.find("edges")
        if layers is None or links is None:
            raise WeightsError(f"expected a graph in {xml.name}, found none.")
        self.blob = xml.with_suffix(".bin").read_bytes()
        self.nodes: dict[str, Node] = {}
        for layer in layers:
            data = layer.find("data")
            attributes = {} if data is None else dict(data.attrib)
            self.nodes[layer.attrib["id"]] = Node(
                layer.attrib["type"], layer.attrib["name"], data=attributes
            )
        for edge in sorted(links, key=lambda e: int(e.attrib["to-port"])):
            self.nodes[edge.attrib["to-layer"]].inputs.append(edge.attrib["from-layer"])

    def is_float_constant(self, node_id: str) -> bool:
        node = self.nodes[node_id]
        return node.kind == "Const" and node.data.get("element_type") == "f32"

    def constant(self, node_id: str) -> np.ndarray:
        """The value of a float32 constant, in its declared shape."""
        data = self.nodes[node_id].data
        shape = [int(n) for n in data["shape"].split(",") if n.strip()]
        start = int(data["offset"])
        raw = self.blob[start : start + int(data["size"])]
        return np.frombuffer(raw, np.float32).reshape(shape).copy()

    def users(self, node_id: str) -> list[str]:
        return [i for i, node in self.nodes.items() if node_id in node.inputs]

    def named(self, name: str) -> np.ndarray:
        """The float constant called ``name``.

        Raises:
            KeyError: the graph has no such constant.
        """
        for node_id, node in self.nodes.items():
            if node.name == name and self.is_float_constant(node_id):
                return self.constant(node_id)
        raise KeyError(f"no float constant named {name!r} in the graph")
