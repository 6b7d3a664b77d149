"""Domains: what the pictures of a generator show, and how a photo is cropped to match them."""

from typing import Any

from hsc.domains.base import Domain, align, select, tried_turns
from hsc.domains.centre_crop import CentreCrop
from hsc.domains.ffhq_face import FfhqFace
from hsc.errors import WeightsError

__all__ = ["DOMAINS", "Domain", "align", "domain", "select", "tried_turns"]

DOMAINS: dict[str, Domain[Any]] = {"ffhq_face": FfhqFace(), "centre_crop": CentreCrop()}
"""By the name that a ``GeneratorSpec`` has."""


def domain(name: str) -> Domain[Any]:
    """The domain of that name. Raises WeightsError when there is none."""
    if name not in DOMAINS:
        raise WeightsError(
            f"expected a generator of a domain out of {', '.join(DOMAINS)}, got {name!r}: use the "
            "version of this program that wrote these weights."
        )
    return DOMAINS[name]
