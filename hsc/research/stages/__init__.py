"""The stages of training. Each reads the files of earlier stages and writes weights of its own.

``generator`` and ``encoder`` need only the generator and pictures; ``latent_codecs`` trains SCN and
FCN; ``semantics`` finds edit directions and read-outs in w+. From nothing, their
order is: pairs, preview, exit128, inversion, truncation, texture, identity, preview, exit128,
latents, semantic, feature, directions, decoder, preview-decoder, joint, correction, styles,
enhancement, gains, plausibility.
``all`` goes on from committed weights, see :func:`recipe`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch

from hsc.errors import HscError
from hsc.research import distributed
from hsc.research.data import shapes
from hsc.research.options import TrainOptions
from hsc.research.stages import domain, encoder, generator, latent_codecs, motion, semantics
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
    "correction": encoder.correction,
    "latents": latent_codecs.latents,
    "semantic": latent_codecs.semantic,
    "feature": latent_codecs.feature,
    "joint": latent_codecs.joint,
    "styles": latent_codecs.fine_styles,
    "enhancement": latent_codecs.enhancement,
    "decoder": generator.decoder,
    "preview-decoder": generator.preview_decoder,
    "directions": semantics.directions,
    "gains": semantics.gains,
    "plausibility": semantics.plausibility,
    "probe": semantics.probe,
    "stylegan2": domain.stylegan2,
    "principal": domain.principal,
}
ALL = "all"
DOMAIN, TOY, MOTION = "domain", "toy", "motion"
DOMAIN_SHARES = {
    "pairs": 1.0, "preview": 1.5, "exit128": 1.5, "inversion": 6.0, "latents": 1.0,
    "semantic": 0.5, "feature": 3.0, "principal": 0.1,
}  # fmt: skip
"""What ``domain`` runs, and the part of the minutes that each stage gets."""
GENERATOR_SHARE = 0.7
"""Part of the minutes of ``toy`` that its generator gets."""
SHAPES, SHAPES_PX = 1500, 64
RECIPE = (
    "pairs", "decoder", "preview-decoder", "preview", "exit128", "truncation", "texture",
    "identity", "latents", "semantic", "feature", "joint", "correction", "styles", "enhancement",
    "gains",
)  # fmt: skip
"""What ``all`` runs: first what moves most, then what follows from it."""


def run(stage: str, options: TrainOptions) -> None:
    """Run one stage, or the whole recipe; with the other processes that ``torchrun`` started.

    Args:
        stage: a key of :data:`STAGES`, ``all``, ``domain``, ``toy`` or ``motion``.
        options: data, budget, hyperparameters and where results go.

    Raises:
        HscError: the configuration does not fit the stage.
    """
    with distributed.processes(options.device):
        if stage == MOTION:
            motion.run(options)
        elif stage == ALL:
            recipe(options)
        elif stage == DOMAIN:
            new_domain(options)
        elif stage == TOY:
            toy(options)
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


def new_domain(options: TrainOptions) -> None:
    """Train all that a codec needs beside its generator, from nothing, on pictures of its domain.

    The folder that HSC_MODEL names has a generator, as ``hsc import-weights stylegan2`` or the
    stage ``stylegan2`` write it. Identity, finetuned blocks and measured edits are not among it.

    Args:
        options: ``changes`` have keys such as ``inversion.pair_batch``; ``steps`` are of each
            stage.
    """
    domain.chosen()
    changes = _by_stage(options.changes, tuple(DOMAIN_SHARES))
    end = time.monotonic() + 60 * (options.minutes or 60.0)
    stages = list(DOMAIN_SHARES)
    for index, stage in enumerate(stages):
        left = max(0.05, (end - time.monotonic()) / 60)
        minutes = left * DOMAIN_SHARES[stage] / sum(DOMAIN_SHARES[s] for s in stages[index:])
        print(f"== {stage}, {minutes:.1f} minutes", flush=True)
        run(stage, replace(options, minutes=minutes, changes=changes[stage]))


def toy(options: TrainOptions) -> None:
    """The whole of a small domain, to see that everything works: shapes, generator, codec.

    Its pictures, checkpoints and model are in the work folder; the model in ``model`` there.

    Args:
        options: ``changes`` have keys such as ``stylegan2.batch``.
    """
    work, minutes = options.work, options.minutes or 12.0
    pictures = shapes.write(work / "pictures", SHAPES, SHAPES_PX)
    changes = _by_stage(options.changes, ("stylegan2", *DOMAIN_SHARES))
    about = {
        "name": "hsc-shapes", "shows": "drawn shapes", "noun": "shape", "licence": "CC0-1.0",
    }  # fmt: skip
    options = replace(options, data=[pictures], work=work / "runs")
    with domain.using(work / "model"):
        print("== stylegan2", flush=True)
        part = replace(
            options, minutes=minutes * GENERATOR_SHARE, changes=about | changes.pop("stylegan2")
        )
        run("stylegan2", part)
        rest = {f"{stage}.{key}": v for stage, own in changes.items() for key, v in own.items()}
        part = replace(options, minutes=minutes * (1 - GENERATOR_SHARE), changes=rest)
        new_domain(part)
        domain.sheet(work / "samples.png", torch.device("cpu"))
    print(f"a model in {work / 'model'}: use it with HSC_MODEL={work / 'model'}", flush=True)


def _by_stage(
    changes: Mapping[str, str], stages: Sequence[str] = RECIPE
) -> dict[str, dict[str, str]]:
    """``stage.key`` -> stage -> key."""
    found: dict[str, dict[str, str]] = {stage: {} for stage in stages}
    for name, value in changes.items():
        stage, dot, key = name.partition(".")
        if not dot or stage not in found:
            raise HscError(f"expected STAGE.KEY with a stage of {', '.join(stages)}, got {name}.")
        found[stage][key] = value
    return found
