"""The stages of training, each from the files of the stage before to weights of its own.

``exits`` and ``encoder`` need only the generator and pictures; ``latent_codecs`` trains what codes
what the encoder finds; ``semantics`` looks for edits and read-outs in w+. Their order: pairs,
preview, exit128, inversion, truncation, texture, identity, latents, semantic, feature, joint,
directions, gains.
"""

from hsc.research.options import TrainOptions
from hsc.research.stages.encoder import (
    identity,
    inversion,
    inversion_pairs,
    inversion_pictures,
    texture,
    truncation,
)
from hsc.research.stages.exits import exit128, pairs, preview
from hsc.research.stages.latent_codecs import feature, joint, latents, semantic
from hsc.research.stages.semantics import directions, gains, probe

__all__ = [
    "truncation",
    "directions",
    "feature",
    "texture",
    "gains",
    "exit128",
    "inversion",
    "inversion_pairs",
    "inversion_pictures",
    "joint",
    "latents",
    "identity",
    "pairs",
    "preview",
    "probe",
    "semantic",
]


def run(stage: str, options: TrainOptions) -> None:
    """Run one stage.

    Args:
        stage: its name, one of ``__all__`` with hyphens for underscores.
        options: data, budget and where results go.
    """
    from hsc.research.training.setting import Setting

    globals()[stage.replace("-", "_")](Setting.of(options))
