"""Stages of the inversion encoder."""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from hsc.config import FACE_1024
from hsc.generators.pretrained import load_exit128, load_generator, load_preview
from hsc.research.data.faces import RealFaces, to_unit
from hsc.research.training.loop import Checkpoint, CsvLog, train
from hsc.research.training.pairs import pair_source
from hsc.research.training.setting import Setting, export, finished_encoder, resumed
from hsc.research.training.watch import Watch

COLOUR_FACES = 24


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
    from hsc.metrics.loss import SEMANTIC_WEIGHTS, PictureLoss
    from hsc.metrics.lpips import Lpips
    from hsc.research.training.inversion import InversionLoss, RenderLoss

    device = setting.device
    generator = load_generator(device)
    synthesis = generator.synthesis
    fast = load_generator(device).synthesis.bfloat16()
    pairs = pair_source(setting.work / "pairs", device)
    encoder = InversionEncoder()
    checkpoint = resumed(
        setting, "inversion", encoder, lambda: start_encoder(encoder, generator, setting.work)
    )
    encoder.to(device, memory_format=torch.channels_last).train()
    lpips, identity = Lpips.pretrained().to(device), FaceIdentity.pretrained().to(device)
    draw = setting.draw
    both = RenderLoss(load_preview(device), PictureLoss(lpips, identity), draw)
    core = RenderLoss(load_exit128(device), PictureLoss(lpips, identity, SEMANTIC_WEIGHTS), draw)
    real = RealFaces(setting.data) if pictures else None
    loss = InversionLoss(encoder, synthesis, fast, pairs, real, both, core, device)
    batch = setting.batch or (8 if pictures else 16)
    rate = 1.0 if not pictures else 0.4
    encoder.backbone.freeze_early()
    trunk = [p for p in encoder.backbone.parameters() if p.requires_grad]
    heads = [p for n, p in encoder.named_parameters() if not n.startswith("backbone.")]
    groups = [{"params": heads, "lr": 6e-4 * rate}, {"params": trunk, "lr": 2e-4 * rate}]

    def step_loss(step: int, spent: float):
        if not pictures:
            return loss.pair_phase(batch)
        return loss.picture_phase(max(1, batch // 4), batch - max(1, batch // 4))

    log = CsvLog(setting.work / "inversion" / "log.csv")
    watch = Watch(setting.data, loss.drawn, lpips, identity, checkpoint.folder, device)
    train(checkpoint, groups, step_loss, setting.budget, log, batch=batch, evaluate=watch)
    export(checkpoint.ema, "inversion")


@torch.no_grad()
def start_encoder(encoder, generator, work: Path) -> None:
    """ImageNet trunk, and the statistics of w and F that the heads are scaled by."""
    from hsc.research.convert import run as import_weights

    path = work / "weights" / "efficientnet_lite0.safetensors"
    if not path.exists():
        import_weights("backbone", out=path.parent)
    encoder.backbone.load_pretrained(load_file(path))
    z = torch.randn(4096, FACE_1024.style_dim, generator=torch.Generator().manual_seed(0))
    mapping = generator.mapping
    w = mapping(z.to(next(mapping.parameters()).device))
    encoder.semantic_head.w_mean.copy_(w.mean(0))
    encoder.semantic_head.w_std.copy_(w.std(0))
    features = generator.synthesis.feature(w[:64, None].expand(-1, FACE_1024.styles, -1))
    encoder.feature_head.feature_std.copy_(features.std((0, 2, 3)))


def texture(setting: Setting) -> None:
    """The encoder's styles above the exits, at full resolution."""
    from hsc.inversion.self_renderer import SelfRenderer
    from hsc.metrics.lpips import Lpips
    from hsc.research.training.texture import TextureLoss, only_fine_styles, sharp_sets
    from hsc.research.training.window_loss import WindowLoss

    device, (encoder, checkpoint, fast) = setting.device, _held(setting)
    faces, strangers = sharp_sets(setting.data)
    seen = WindowLoss(fast, Lpips.pretrained().to(device))
    loss = TextureLoss(encoder, SelfRenderer.load(device), seen, faces, strangers, device)
    offset, *others = only_fine_styles(encoder.semantic_head)
    groups = [{"params": [offset], "lr": 6e-3}, {"params": others, "lr": 5e-4}]
    batch = setting.batch or 4
    log = CsvLog(setting.work / "inversion" / "texture.csv")
    train(
        checkpoint, groups, lambda *_: loss(batch), setting.budget, log,
        batch=batch, evaluate=loss.watch, evaluate_minutes=5.0,
    )  # fmt: skip
    export(checkpoint.ema, "inversion")


def identity(setting: Setting) -> None:
    """What the encoder corrects S by, looking at whom S draws."""
    from hsc.inversion.self_renderer import SelfRenderer
    from hsc.metrics.loss import PictureLoss, PictureWeights
    from hsc.metrics.lpips import Lpips
    from hsc.research.training.identity import IdentityLoss, measure_pyramid
    from hsc.research.training.inversion import RenderLoss
    from hsc.research.training.mixed import MixedFaces

    device, (encoder, checkpoint, fast) = setting.device, _held(setting)
    pairs = pair_source(setting.work / "pairs", device)
    faces, self_renderer = (
        MixedFaces(pairs, RealFaces(setting.data), device),
        SelfRenderer.load(device),
    )
    if not encoder.style_feedback.base.weight.any():
        measure_pyramid(encoder, faces)
        checkpoint = Checkpoint(checkpoint.folder, encoder)
    lpips = Lpips.pretrained().to(device)
    judge = PictureLoss(
        lpips, self_renderer.identity, PictureWeights(l2=2.0, lpips=1.0, identity=1.0)
    )
    small, large = (
        RenderLoss(head, judge, setting.draw)
        for head in (self_renderer.exit128, load_preview(device))
    )
    loss = IdentityLoss(encoder, fast, self_renderer, faces, small, large)
    look = encoder.style_feedback.requires_grad_(True)
    seeing = [p for n, p in look.named_parameters() if n.startswith("difference.")]
    others = [p for n, p in look.named_parameters() if not n.startswith("difference.")]
    groups = [{"params": seeing, "lr": 1e-3}, {"params": others, "lr": 3e-4}]
    batch = setting.batch or 16
    log = CsvLog(setting.work / "inversion" / "identity.csv")
    watch = Watch(
        setting.data, loss.drawn, lpips, self_renderer.identity, checkpoint.folder, device
    )
    train(
        checkpoint, groups, lambda step, _: loss(batch, step), setting.budget, log,
        batch=batch, evaluate=watch, evaluate_minutes=5.0,
    )  # fmt: skip
    export(checkpoint.ema, "inversion")


def _held(setting: Setting):
    """The encoder with nothing of it to be trained yet, its checkpoint, and the generator in
    bfloat16, channels last."""
    from hsc.inversion.encoder import InversionEncoder

    device, encoder = setting.device, InversionEncoder()
    checkpoint = resumed(setting, "inversion", encoder, _needs_encoder)
    encoder.to(device, memory_format=torch.channels_last).requires_grad_(False)
    fast = load_generator(device).synthesis.bfloat16().to(memory_format=torch.channels_last)
    return encoder, checkpoint, fast


def _needs_encoder() -> None:
    raise FileNotFoundError("no encoder to go on from: run `hsc train inversion` first")


def truncation(setting: Setting) -> None:
    """Choose the truncation of the encoder's last style on full pictures."""
    from hsc.research.training.truncation import best_truncation

    faces = RealFaces(setting.data).images
    chosen = to_unit(faces[:: max(1, len(faces) // COLOUR_FACES)]).to(setting.device)
    encoder = finished_encoder(setting.device)
    encoder.semantic_head.truncation[-1] = 1.0
    best, decibels = best_truncation(encoder, load_generator(setting.device).synthesis, chosen)
    print("truncation", " ".join(f"{c:g}: {db:.2f} dB" for c, db in decibels.items()))
    checkpoint = Checkpoint(setting.work / "inversion", encoder)
    checkpoint.resume()
    for state in (encoder.state_dict(), checkpoint.ema):
        state["semantic_head.truncation"][-1] = best
    checkpoint.save()
    export(checkpoint.ema, "inversion")
