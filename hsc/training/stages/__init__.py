"""The stages of training, each from the files of the stage before to weights of its own.

``exits`` and ``encoder`` need only the generator and pictures; ``layers`` trains what codes what
the encoder finds; ``meaning`` looks for it in the semantics.
"""

from hsc.training.stages.encoder import (
    colour,
    fine,
    inversion,
    inversion_pairs,
    inversion_pictures,
    likeness,
)
from hsc.training.stages.exits import glance, pairs, preview
from hsc.training.stages.layers import feature, joint, latents, semantic
from hsc.training.stages.meaning import directions, gains, probe

__all__ = [
    "colour",
    "directions",
    "feature",
    "fine",
    "gains",
    "glance",
    "inversion",
    "inversion_pairs",
    "inversion_pictures",
    "joint",
    "latents",
    "likeness",
    "pairs",
    "preview",
    "probe",
    "semantic",
]
