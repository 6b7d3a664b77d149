"""The stages of training, each from the files of the stage before to weights of its own."""

import json
import math
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from hsc.generator.pretrained import load_generator, load_preview
from hsc.levels import LEVELS
from hsc.training.faces import RealFaces, SyntheticPairs, to_unit
from hsc.training.loop import Checkpoint, CsvLog, train
from hsc.training.setting import Setting, export
from hsc.weights import ASSETS, load_into, path_of

SYNTHETIC_LATENTS = 800
PREVIEW_PICTURES = 640
COLOUR_FACES = 24


def pairs(setting: Setting) -> None:
    """Draw synthetic pairs, a shard of 200 a step."""
    from hsc.training.pairs import render

    render(load_generator(setting.device), setting.work / "pairs", setting.budget, setting.device)


def preview(setting: Setting) -> None:
    """Distil the 256-px exit."""
    from hsc.generator.preview import PreviewHead
    from hsc.training.preview import PreviewLoss

    head = PreviewHead()
    checkpoint = Checkpoint(setting.work / "preview", head)
    resumed = not setting.fresh and checkpoint.resume()
    head.to(setting.device, memory_format=torch.channels_last)
    loss = PreviewLoss(
        head,
        load_generator(setting.device).synthesis.bfloat16(),
        SyntheticPairs(setting.work / "pairs"),
        PREVIEW_PICTURES,
        setting.device,
    )
    if not resumed:
        loss.start_linear()
    batch = setting.batch or 16
    groups = [{"params": list(head.parameters()), "lr": 2e-3}]
    log = CsvLog(setting.work / "preview" / "log.csv")
    train(checkpoint, groups, lambda *_: loss(batch), setting.budget, log, batch=batch)
    export(setting.work, "preview", ASSETS)


def inversion(setting: Setting) -> None:
    """Both phases of the encoder: a third of the time on pairs, the rest on pictures."""
    third = max(1, setting.steps // 3)
    inversion_pairs(replace(setting, steps=third, minutes=setting.minutes / 3))
    resumed = replace(setting, fresh=False)
    inversion_pictures(replace(resumed, steps=2 * third, minutes=setting.minutes * 2 / 3))


def inversion_pairs(setting: Setting) -> None:
    """Phase one of the encoder: regression of S and F on synthetic pairs."""
    _inversion(setting, pictures=False)


def inversion_pictures(setting: Setting) -> None:
    """Phase two of the encoder: both renders against the pictures."""
    _inversion(setting, pictures=True)


def _inversion(setting: Setting, pictures: bool) -> None:
    from hsc.inversion.encoder import InversionEncoder
    from hsc.metrics.identity import FaceIdentity
    from hsc.metrics.lpips import Lpips
    from hsc.training.inversion import InversionLoss, InversionWeights, PictureLoss

    device = setting.device
    generator = load_generator(device)
    synthesis = generator.synthesis
    fast = load_generator(device).synthesis.bfloat16()
    pairs = SyntheticPairs(setting.work / "pairs")
    encoder = InversionEncoder()
    checkpoint = _resumed(
        setting, "inversion", encoder, lambda: start_encoder(encoder, generator, setting.work)
    )
    encoder.to(device, memory_format=torch.channels_last).train()
    weights = InversionWeights()
    losses = PictureLoss(
        Lpips.pretrained().to(device), FaceIdentity.pretrained().to(device), weights
    )
    head = load_preview(device) if pictures else None
    real = RealFaces(setting.data) if pictures else None
    loss = InversionLoss(encoder, synthesis, fast, head, pairs, real, losses, device)
    batch = setting.batch or (8 if pictures else 16)
    rate = 1.0 if not pictures else 0.4
    encoder.backbone.freeze_early()
    trunk = [p for p in encoder.backbone.parameters() if p.requires_grad]
    heads = [p for n, p in encoder.named_parameters() if not n.startswith("backbone.")]
    groups = [{"params": heads, "lr": 6e-4 * rate}, {"params": trunk, "lr": 2e-4 * rate}]

    def step_loss(step: int, spent: float):
        if not pictures:
            return loss.pair_phase(batch)
        return loss.picture_phase(batch // 4, batch - batch // 4, with_s=step % 2 == 1)

    log = CsvLog(setting.work / "inversion" / "log.csv")
    train(checkpoint, groups, step_loss, setting.budget, log, batch=batch)
    export(setting.work, "inversion", ASSETS)


def _resumed(
    setting: Setting, name: str, network: nn.Module, start: Callable[[], None]
) -> Checkpoint:
    """A network's checkpoint: from the work folder, else the shipped weights, else ``start``."""
    checkpoint = Checkpoint(setting.work / name, network)
    if not setting.fresh and checkpoint.resume():
        return checkpoint
    if path_of(name).exists() and not setting.fresh:
        network.load_state_dict(load_file(path_of(name)))
    else:
        start()
    # made anew, because its average starts from the weights that it is given
    return Checkpoint(setting.work / name, network)


@torch.no_grad()
def start_encoder(encoder, generator, work: Path) -> None:
    """ImageNet trunk, and the statistics of w and F that the heads are scaled by."""
    from hsc.importing import run as import_weights

    path = work / "weights" / "efficientnet_lite0.safetensors"
    if not path.exists():
        import_weights("backbone", Namespace(package=None, out=path.parent))
    encoder.backbone.load_pretrained(load_file(path))
    z = torch.randn(4096, 512, generator=torch.Generator().manual_seed(0))
    mapping = generator.mapping
    w = mapping(z.to(next(mapping.parameters()).device))
    encoder.semantic_head.w_mean.copy_(w.mean(0))
    encoder.semantic_head.w_std.copy_(w.std(0))
    features = generator.synthesis.feature(w[:64, None].expand(-1, 23, -1))
    encoder.feature_head.feature_std.copy_(features.std((0, 2, 3)))


def colour(setting: Setting) -> None:
    """Choose the truncation of the encoder's last style on full pictures."""
    from hsc.training.colour import best_truncation

    faces = RealFaces(setting.data).images
    chosen = to_unit(faces[:: max(1, len(faces) // COLOUR_FACES)]).to(setting.device)
    encoder = _finished_encoder(setting)
    encoder.semantic_head.truncation[-1] = 1.0
    best, decibels = best_truncation(encoder, load_generator(setting.device).synthesis, chosen)
    print("truncation", " ".join(f"{c:g}: {db:.2f} dB" for c, db in decibels.items()))
    checkpoint = Checkpoint(setting.work / "inversion", encoder)
    checkpoint.resume()
    for state in (encoder.state_dict(), checkpoint.ema):
        state["semantic_head.truncation"][-1] = best
    checkpoint.save()
    export(setting.work, "inversion", ASSETS)


def directions(setting: Setting) -> None:
    """Find the directions of the edits in the generator's own samples."""
    from hsc.editing.directions import find_directions

    find_directions(setting)


def probe(setting: Setting) -> None:
    """Fit the linear read-outs of the semantics."""
    from hsc.training.probe import run

    run(setting)


def latents(setting: Setting) -> None:
    """Cache what the averaged encoder finds in every training picture."""
    from hsc.training.latents import collect

    generator = load_generator(setting.device)
    collect(
        _finished_encoder(setting),
        generator.synthesis,
        RealFaces(setting.data),
        SyntheticPairs(setting.work / "pairs"),
        SYNTHETIC_LATENTS,
        setting.work / "latents",
        setting.device,
    )


def semantic(setting: Setting) -> None:
    """Fit SCN to the cached latents: closed form, a minute."""
    from hsc.entropy.gaussian import build_tables
    from hsc.metrics.lpips import Lpips
    from hsc.scn.semantic_codec import SemanticCodec
    from hsc.training.latents import CachedLatents
    from hsc.training.semantic import fit, style_importance

    generator = load_generator("cpu")
    cached = CachedLatents(setting.work / "latents")
    z = torch.randn(8, 512, generator=torch.Generator().manual_seed(0))
    w = generator.mapping(z, 0.8)
    importance = style_importance(generator.synthesis, load_preview(), Lpips.pretrained(), w)
    print("importance", " ".join(f"{v:.3f}" for v in importance.tolist()))
    weight = torch.full((len(cached),), 0.3)
    weight[: cached.real] = 1.0
    codec = SemanticCodec()
    fit(codec, cached.w_plus.float(), weight, generator.synthesis, importance)
    Checkpoint(setting.work / "scn", codec).save()
    export(setting.work, "scn", ASSETS)
    save_file(build_tables(), ASSETS / "entropy.safetensors")


def feature(setting: Setting) -> None:
    """Warm FCN up on feature error."""
    _feature(setting, pictures=False)


def joint(setting: Setting) -> None:
    """Train FCN through the frozen generator for what people see."""
    _feature(setting, pictures=True)


def _feature(setting: Setting, pictures: bool) -> None:
    from hsc.fcn.feature_codec import FeatureCodec
    from hsc.metrics.identity import FaceIdentity
    from hsc.metrics.lpips import Lpips
    from hsc.scn.semantic_codec import SemanticCodec
    from hsc.training.feature import FeatureLoss, RatePrice
    from hsc.training.inversion import InversionWeights, PictureLoss
    from hsc.training.latents import CachedLatents

    device = setting.device
    codec = FeatureCodec()
    checkpoint = _resumed(
        setting, "fcn", codec, lambda: start_feature_codec(codec, load_generator("cpu"))
    )
    codec.to(device, memory_format=torch.channels_last).train()
    losses = PictureLoss(
        Lpips.pretrained().to(device), FaceIdentity.pretrained().to(device), InversionWeights()
    )
    loss = FeatureLoss(
        codec,
        load_into(SemanticCodec(), path_of("scn")).to(device),
        load_generator(device).synthesis.bfloat16(),
        CachedLatents(setting.work / "latents"),
        device,
        load_preview(device) if pictures else None,
        losses if pictures else None,
    )
    price_file = setting.work / "fcn" / "price.json"
    if price_file.exists() and not setting.fresh:
        loss.price = RatePrice(tuple(json.loads(price_file.read_text())))
    batch = setting.batch or (4 if pictures else 8)
    gains = [codec.log2_gain]
    others = [p for n, p in codec.named_parameters() if n != "log2_gain"]
    rate = 4e-4 if pictures else 1e-3
    groups = [{"params": others, "lr": rate}, {"params": gains, "lr": 5 * rate}]
    run = loss.pictures if pictures else loss.features
    log = CsvLog(setting.work / "fcn" / "log.csv")
    train(checkpoint, groups, lambda step, _: run(batch, step), setting.budget, log, batch=batch)
    price_file.write_text(json.dumps([math.exp(p) for p in loss.price.log_price]))
    export(setting.work, "fcn", ASSETS)


@torch.no_grad()
def start_feature_codec(codec, generator) -> None:
    """Statistics of F, and gains that spread over the levels."""
    z = torch.randn(64, 512, generator=torch.Generator().manual_seed(0))
    w = generator.mapping(z)
    features = generator.synthesis.feature(w[:, None].expand(-1, 23, -1))
    codec.feature_std.copy_(features.std((0, 2, 3)))
    log2_gain = torch.linspace(-2.0, 1.5, len(LEVELS))[:, None]
    codec.log2_gain.copy_(log2_gain.expand_as(codec.log2_gain))


def _finished_encoder(setting: Setting):
    from hsc.inversion.encoder import InversionEncoder

    average = setting.work / "inversion" / "ema.safetensors"
    path = average if average.exists() else path_of("inversion")
    return load_into(InversionEncoder(), path).to(
        setting.device, memory_format=torch.channels_last
    )
