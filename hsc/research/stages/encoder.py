"""Stages of the inversion encoder."""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from hsc.generators.base import SynthesisNetwork
from hsc.generators.pretrained import (
    Generator,
    load_exit128,
    load_generator,
    load_preview,
    load_renderer,
)
from hsc.images.tensors import to_unit
from hsc.inversion.backbone import Backbone
from hsc.inversion.correction import CORRECTION, FeatureCorrection
from hsc.inversion.encoder import InversionEncoder
from hsc.inversion.self_renderer import SelfRenderer
from hsc.metrics.loss import SEMANTIC_WEIGHTS, PictureLoss, PictureWeights
from hsc.metrics.lpips import Lpips
from hsc.research import distributed
from hsc.research.convert import run as import_weights
from hsc.research.data.faces import NativeFaces, RealFaces, held_out_images, list_faces
from hsc.research.training.coded_pool import FrozenCodec
from hsc.research.training.correction import (
    START_PRICES,
    CorrectionConfig,
    CorrectionLoss,
    CorrectionWatch,
)
from hsc.research.training.identity import IdentityConfig, IdentityLoss, measure_pyramid
from hsc.research.training.inversion import InversionConfig, InversionLoss, RenderLoss
from hsc.research.training.log import CsvLog
from hsc.research.training.loop import Checkpoint, train
from hsc.research.training.mixed import MixedFaces
from hsc.research.training.pairs import pair_source
from hsc.research.training.rate import random_level
from hsc.research.training.setting import (
    Setting,
    channels_last,
    export,
    fast_synthesis,
    finished_encoder,
    is_current,
    resumed,
)
from hsc.research.training.texture import (
    TextureConfig,
    TextureLoss,
    first_style,
    only_fine_styles,
)
from hsc.research.training.truncation import TruncationConfig, best_truncation
from hsc.research.training.watch import Watch
from hsc.research.training.window_loss import WindowLoss
from hsc.weights.loading import load_into
from hsc.weights.model_id import ASSETS, chosen_folder, path_of


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
    device, config = setting.device, setting.configured(InversionConfig)
    generator = load_generator(device)
    synthesis = generator.synthesis
    fast = fast_synthesis(device)
    pairs = pair_source(setting.work / "pairs", device)
    encoder = InversionEncoder(setting.sizes)
    checkpoint = resumed(
        setting, "inversion", encoder, lambda: start_encoder(encoder, generator, setting.work)
    )
    channels_last(encoder.to(device)).train()
    lpips, identity = Lpips.pretrained().to(device), setting.identity
    draw = setting.draw
    both = RenderLoss(load_preview(device), PictureLoss(lpips, identity), draw)
    core = RenderLoss(load_exit128(device), PictureLoss(lpips, identity, SEMANTIC_WEIGHTS), draw)
    input_px = setting.sizes.input_px
    real = RealFaces(setting.data, input_px) if pictures else None
    loss = InversionLoss(encoder, synthesis, fast, pairs, real, both, core, config, device)
    batch = config.picture_batch if pictures else config.pair_batch
    factor = config.picture_factor if pictures else 1.0
    encoder.backbone.freeze_early()
    trunk = [p for p in encoder.backbone.parameters() if p.requires_grad]
    heads = [p for n, p in encoder.named_parameters() if not n.startswith("backbone.")]
    groups = [
        {"params": heads, "lr": config.head_rate * factor},
        {"params": trunk, "lr": config.trunk_rate * factor},
    ]

    def step_loss(step: int, spent: float) -> tuple[Tensor, dict[str, float]]:
        if not pictures:
            return loss.pair_phase(batch)
        synthetic = max(1, batch // config.synthetic_part)
        return loss.picture_phase(synthetic, batch - synthetic)

    log = CsvLog(setting.work / "inversion" / "log.csv")
    watch = Watch(setting.data, loss.rendered, lpips, identity, checkpoint.folder, device, input_px)
    train(checkpoint, groups, step_loss, setting.budget, log, batch=batch, evaluate=watch)
    export(checkpoint.ema, "inversion", checkpoint.folder)


@torch.no_grad()
def start_encoder(encoder: InversionEncoder, generator: Generator, work: Path) -> None:
    """The trunk, and the statistics of w and F that the heads are scaled by."""
    if chosen_folder():  # a model of its own: the shipped encoder's trunk is past ImageNet
        encoder.backbone = load_into(Backbone(), path_of("inversion", ASSETS), "backbone.")
        encoder.backbone.requires_grad_(True)
    else:
        path = work / "weights" / "efficientnet_lite0.safetensors"
        if distributed.is_first() and not path.exists():
            import_weights("backbone", out=path.parent)
        distributed.wait()
        encoder.backbone.load_pretrained(load_file(path))
    spec = generator.spec
    z = torch.randn(4096, spec.style_dim, generator=torch.Generator().manual_seed(0))
    mapping = generator.mapping
    w = mapping(z.to(next(mapping.parameters()).device))
    encoder.semantic_head.w_mean.copy_(w.mean(0))
    encoder.semantic_head.w_std.copy_(w.std(0))
    features = generator.synthesis.feature(w[:64, None].expand(-1, spec.styles, -1))
    encoder.feature_head.feature_std.copy_(features.std((0, 2, 3)))


def texture(setting: Setting) -> None:
    """The encoder's styles above the exits, at full resolution."""
    config, device = setting.configured(TextureConfig), setting.device
    encoder, checkpoint, fast = _frozen(setting)
    loss = TextureLoss(
        encoder,
        SelfRenderer.load(device),
        fast,
        WindowLoss(Lpips.pretrained().to(device), config.colour, config.detail),
        NativeFaces(
            distributed.own(list_faces(setting.data)),
            config.least_px,
            setting.sizes.generator.image_px,
        ),
        held_out_images(setting.data, config.least_px, config.watched),
        device,
        config.closeness,
    )
    offset, *others = only_fine_styles(encoder.semantic_head, first_style(setting.sizes))
    groups = [
        {"params": [offset], "lr": config.offset_rate},
        {"params": others, "lr": config.rate},
    ]
    train(
        checkpoint,
        groups,
        lambda *_: loss(config.batch),
        setting.budget,
        CsvLog(setting.work / "inversion" / "texture.csv"),
        batch=config.batch,
        evaluate=loss.watch,
        evaluate_minutes=config.evaluate_minutes,
    )
    export(checkpoint.ema, "inversion", checkpoint.folder)


def identity(setting: Setting) -> None:
    """The encoder's style feedback, which compares what S renders with the photograph."""
    config, device = setting.configured(IdentityConfig), setting.device
    encoder, checkpoint, fast = _frozen(setting)
    pairs = pair_source(setting.work / "pairs", device)
    faces = MixedFaces(
        pairs, RealFaces(setting.data, setting.sizes.input_px), device, config.real_share
    )
    self_renderer = SelfRenderer.load(device)
    if not encoder.style_feedback.base.weight.any():
        measure_pyramid(encoder, faces, config.statistics)
        checkpoint = Checkpoint(checkpoint.folder, encoder)
    lpips = Lpips.pretrained().to(device)
    weights = PictureWeights(config.l2, config.lpips, config.identity)
    picture_loss = PictureLoss(lpips, self_renderer.identity, weights)
    small, large = (
        RenderLoss(head, picture_loss, setting.draw)
        for head in (self_renderer.exit128, load_preview(device))
    )
    loss = IdentityLoss(encoder, fast, self_renderer, faces, small, large, config)
    feedback = encoder.style_feedback.requires_grad_(True)
    difference = [p for n, p in feedback.named_parameters() if n.startswith("difference.")]
    others = [p for n, p in feedback.named_parameters() if not n.startswith("difference.")]
    groups = [
        {"params": difference, "lr": config.difference_rate},
        {"params": others, "lr": config.rate},
    ]
    watch = Watch(
        setting.data, loss.rendered, lpips, self_renderer.identity, checkpoint.folder, device
    )
    train(
        checkpoint,
        groups,
        lambda step, _: loss(config.batch, step),
        setting.budget,
        CsvLog(setting.work / "inversion" / "identity.csv"),
        batch=config.batch,
        evaluate=watch,
        evaluate_minutes=config.evaluate_minutes,
    )
    export(checkpoint.ema, "inversion", checkpoint.folder)


def _frozen(setting: Setting) -> tuple[InversionEncoder, Checkpoint, SynthesisNetwork]:
    """The frozen encoder, its checkpoint, and the generator of :func:`fast_synthesis`."""
    device, encoder = setting.device, InversionEncoder(setting.sizes)
    checkpoint = resumed(setting, "inversion", encoder, _needs_encoder)
    channels_last(encoder.to(device)).requires_grad_(False)
    return encoder, checkpoint, fast_synthesis(device)


def _needs_encoder() -> None:
    raise FileNotFoundError("no encoder to go on from: run `hsc train inversion` first")


@distributed.by_the_first
def truncation(setting: Setting) -> None:
    """Choose the truncation of the encoder's last style on full pictures: a few forward passes."""
    config = setting.configured(TruncationConfig)
    faces = RealFaces(setting.data, setting.sizes.input_px).images
    chosen = to_unit(faces[:: max(1, len(faces) // config.faces)]).to(setting.device)
    encoder = finished_encoder(setting.device)
    encoder.semantic_head.truncation[-1] = 1.0
    synthesis = load_generator(setting.device).synthesis
    best, decibels = best_truncation(encoder, synthesis, chosen, config.candidates)
    print("truncation", " ".join(f"{c:g}: {db:.2f} dB" for c, db in decibels.items()))
    checkpoint = Checkpoint(setting.work / "inversion", encoder)
    if is_current(checkpoint.folder, "inversion"):
        checkpoint.resume()
    for state in (encoder.state_dict(), checkpoint.ema):
        state["semantic_head.truncation"][-1] = best
    checkpoint.save()
    export(checkpoint.ema, "inversion", checkpoint.folder)


def correction(setting: Setting) -> None:
    """Train the correction of F, on photographs at their own size, with all else frozen."""
    config, device, sizes = setting.configured(CorrectionConfig), setting.device, setting.sizes
    network = FeatureCorrection(sizes)
    network.price.copy_(torch.tensor(START_PRICES))
    checkpoint = resumed(setting, CORRECTION, network, lambda: None, config.decay)
    renderer = load_renderer(load_generator(device).synthesis).synthesis
    paths = distributed.own(list_faces(setting.data))
    loss = CorrectionLoss(
        channels_last(network.to(device)),
        FrozenCodec.finished(device),
        channels_last(renderer).requires_grad_(False),
        WindowLoss.configured(channels_last(Lpips.pretrained().to(device)), config),
        NativeFaces(paths, config.least_px, sizes.generator.image_px),
        config,
        device,
    )
    if bool((network.scale == 1).all()):
        loss.measure_scale(config.scale_batches)
        checkpoint = Checkpoint(checkpoint.folder, network, config.decay)
    held_out = held_out_images(
        setting.data, config.least_px, config.watched, sizes.generator.image_px
    )

    def step_loss(step: int, spent: float) -> tuple[Tensor, dict[str, float]]:
        value, figures = loss(config.batch, random_level())
        if step % config.price_every == 0:
            figures |= loss.adjust_price()
        return value, figures

    train(
        checkpoint,
        [{"params": list(network.parameters()), "lr": config.rate}],
        step_loss,
        setting.budget,
        CsvLog(checkpoint.folder / "log.csv"),
        batch=config.batch,
        evaluate=CorrectionWatch(loss, checkpoint, held_out),
        evaluate_minutes=config.evaluate_minutes,
    )
    export(checkpoint.ema, CORRECTION, checkpoint.folder, keep=("scale", "price"))
