"""Domains: what the pictures of a generator show, and how a photo is cropped to match them."""

from importlib.metadata import entry_points
from typing import Any

from hsc.domains.base import Domain, align, select, tried_turns
from hsc.domains.centre_crop import CentreCrop
from hsc.domains.detector_box import DetectorBox
from hsc.domains.ffhq_face import FfhqFace
from hsc.errors import WeightsError

__all__ = ["DOMAINS", "DetectorBox", "Domain", "align", "domain", "select", "tried_turns"]

DOMAINS: dict[str, Domain[Any]] = {"ffhq_face": FfhqFace(), "centre_crop": CentreCrop()}
"""By the name that a ``GeneratorSpec`` has."""
GROUP = "hsc.domains"
"""Entry points by which an installed package brings more: a name, and a ``Domain``."""


def domain(name: str) -> Domain[Any]:
    """The domain of that name. Raises WeightsError when there is none."""
    for found in entry_points(group=GROUP, name=name):
        DOMAINS.setdefault(name, found.load())
    if name not in DOMAINS:
        raise WeightsError(
            f"expected a generator of a domain out of {', '.join(DOMAINS)}, got {name!r}: install "
            "the package that brings it, or the version of this program that wrote these weights."
        )
    return DOMAINS[name]
