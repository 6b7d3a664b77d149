"""The stages of training. Each reads the files of earlier stages and writes weights of its own.

``generator`` and ``encoder`` need only the generator and pictures; ``latent_codecs`` trains SCN and
FCN; ``semantics`` finds edit directions and read-outs in w+. From nothing, their
order is: pairs, preview, exit128, inversion, truncation, texture, identity, latents, semantic,
feature, joint, decoder, preview-decoder, directions, gains. ``all`` goes on from committed weights,
see :func:`recipe`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from hsc.errors import HscError
from hsc.research import distributed
from hsc.research.options import TrainOptions
from hsc.research.stages import encoder, generator, latent_codecs, semantics
from hsc.research.training.config import SHARE, shipped
from hsc.research.training.setting import Setting

STAGES: Mapping[str, Callable[[Setting], None]] = {
    "pairs": generator.pairs,
    "preview": generator.preview,
    "exit128": generator.exit128,
    "inversion": encoder.inversion,
    "inversion-pairs": encoder.inversion_pairs,
    "inversion-pictures": encoder.inversion_pictures,
    "truncation": encoder.truncation,
    "texture": encoder.texture,
    "identity": encoder.identity,
    "latents": latent_codecs.latents,
    "semantic": latent_codecs.semantic,
    "feature": latent_codecs.feature,
    "joint": latent_codecs.joint,
    "decoder": generator.decoder,
    "preview-decoder": generator.preview_decoder,
    "directions": semantics.directions,
    "gains": semantics.gains,
    "probe": semantics.probe,
}
ALL = "all"
RECIPE = (
    "pairs", "decoder", "preview", "exit128", "truncation", "texture", "identity", "latents",
    "semantic", "feature", "joint", "gains",
)  # fmt: skip
"""What ``all`` runs: first what moves most, then what follows from it."""


def run(stage: str, options: TrainOptions) -> None:
    """Run one stage, or the whole recipe; with the other processes that ``torchrun`` started.

    Args:
        stage: a key of :data:`STAGES`, or ``all``.
        options: data, budget, hyperparameters and where results go.

    Raises:
        HscError: the configuration does not fit the stage.
    """
    with distributed.processes(options.device):
        if stage == ALL:
            recipe(options)
        else:
            STAGES[stage](Setting.of(stage, options))
            distributed.wait()  # for the files that the next stage reads


def recipe(options: TrainOptions) -> None:
    """Train every stage of :data:`RECIPE` from the checkpoints or committed weights.

    The minutes that are left are shared among the stages that are left, by the ``share`` of their
    configurations; a stage in closed form takes what it takes. No stage begins after the end.

    Args:
        options: ``changes`` have keys such as ``joint.batch``.
    """
    if options.config is not None:
        raise HscError("expected single stages with --config: for all, use --set STAGE.KEY=VALUE.")
    changes = _by_stage(options.changes)
    shares = {s: float(changes[s].get(SHARE, shipped(s)[SHARE])) for s in RECIPE}
    end = time.monotonic() + 60 * (options.minutes or 60.0)
    stages = [stage for stage in RECIPE if shares[stage] > 0]
    for index, stage in enumerate(stages):
        left = distributed.of_first((end - time.monotonic()) / 60)
        if left <= 0:
            print(f"the time is over before {', '.join(stages[index:])}", flush=True)
            return
        minutes = left * shares[stage] / sum(shares[s] for s in stages[index:])
        print(f"== {stage}, {minutes:.1f} minutes", flush=True)
        run(stage, replace(options, minutes=minutes, changes=changes[stage]))


def _by_stage(changes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """``stage.key`` -> stage -> key."""
    found: dict[str, dict[str, str]] = {stage: {} for stage in RECIPE}
    for name, value in changes.items():
        stage, dot, key = name.partition(".")
        if not dot or stage not in found:
            raise HscError(f"expected STAGE.KEY with a stage of {', '.join(RECIPE)}, got {name}.")
        found[stage][key] = value
    return found
