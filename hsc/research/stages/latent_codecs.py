"""Stages of the two layers: what codes what the encoder finds."""

import json
import math

import torch
from safetensors.torch import save_file

from hsc.config import FACE_1024
from hsc.generators.pretrained import load_generator, load_preview
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.research.data.faces import RealFaces, list_faces
from hsc.research.training.loop import Checkpoint, CsvLog, train
from hsc.research.training.mixed import MixedFaces
from hsc.research.training.pairs import pair_source
from hsc.research.training.rate import RatePrice
from hsc.research.training.setting import Setting, export, finished_encoder, resumed
from hsc.research.training.watch import Watch
from hsc.weights.loading import load_into, path_of

SYNTHETIC_LATENTS = 800


def latents(setting: Setting) -> None:
    """Cache what the averaged encoder finds in every training picture."""
    from hsc.research.training.latents import collect

    generator = load_generator(setting.device)
    collect(
        finished_encoder(setting.device),
        generator.synthesis,
        SelfRenderer.load(setting.device),
        RealFaces(setting.data),
        pair_source(setting.work / "pairs", setting.device),
        SYNTHETIC_LATENTS,
        setting.work / "latents",
        setting.device,
    )


def semantic(setting: Setting) -> None:
    """Fit SCN to the cached latents: closed form, a minute."""
    from hsc.latent_codecs.gaussian import build_tables
    from hsc.metrics.lpips import Lpips
    from hsc.research.training.latents import CachedLatents
    from hsc.research.training.semantic import fit, style_importance

    generator = load_generator("cpu")
    cached = CachedLatents(setting.work / "latents")
    z = torch.randn(8, FACE_1024.style_dim, generator=torch.Generator().manual_seed(0))
    w = generator.mapping(z, 0.8)
    importance = style_importance(generator.synthesis, Lpips.pretrained(), w)
    print("importance", " ".join(f"{v:.3f}" for v in importance.tolist()))
    weight = torch.full((len(cached),), 0.3)
    weight[: cached.real] = 1.0
    codec = SemanticCodec()
    fit(codec, cached.w_plus.float(), weight, generator.synthesis, importance)
    checkpoint = Checkpoint(setting.work / "scn", codec)
    checkpoint.save()
    export(checkpoint.ema, "scn")
    save_file(build_tables(), path_of("entropy"))


def feature(setting: Setting) -> None:
    """Warm FCN up on feature error, from the KLT."""
    from hsc.research.training.feature import CodedLatents, FeatureLoss
    from hsc.research.training.klt import start_from_klt
    from hsc.research.training.latents import CachedLatents

    device = setting.device
    codec = FeatureCodec()
    coded = CodedLatents(
        load_into(SemanticCodec(), path_of("scn")).to(device),
        load_generator(device).synthesis.bfloat16(),
        CachedLatents(setting.work / "latents"),
        device,
    )

    def start() -> None:
        start_feature_codec(codec, load_generator("cpu"))
        start_from_klt(codec.to(device), coded)

    checkpoint = resumed(setting, "fcn", codec, start)
    codec.to(device, memory_format=torch.channels_last).train()
    loss = FeatureLoss(codec, coded)
    _train_layer(setting, checkpoint, loss, groups_of(codec, 1e-3), setting.batch or 8)
    export(checkpoint.ema, "fcn")


def joint(setting: Setting) -> None:
    """Train FCN and what finds F, the encoder's head and its second look, through the generator."""
    from hsc.metrics.loss import PictureLoss, PictureWeights
    from hsc.metrics.lpips import Lpips
    from hsc.research.training.inversion import RenderLoss
    from hsc.research.training.joint import EncoderAndCodec, JointLoss, JointLosses
    from hsc.research.training.texture import SharpFaces
    from hsc.research.training.window_loss import WindowLoss

    device = setting.device
    fcn = load_into(FeatureCodec(), path_of("fcn")).requires_grad_(True)
    both = EncoderAndCodec(finished_encoder(device), fcn.to(device))
    checkpoint = Checkpoint(setting.work / "joint", both)
    if not setting.fresh:
        checkpoint.resume()
    both.to(device, memory_format=torch.channels_last)
    head = both.encoder.feature_head.requires_grad_(True)
    look = both.encoder.feature_feedback.requires_grad_(True)
    lpips, self_renderer = Lpips.pretrained().to(device), SelfRenderer.load(device)
    identity = self_renderer.identity
    fast = load_generator(device).synthesis.bfloat16().to(memory_format=torch.channels_last)
    weights = PictureWeights(l2=4.0)
    seen = RenderLoss(load_preview(device), PictureLoss(lpips, identity, weights), setting.draw)
    loss = JointLoss(
        both,
        load_into(SemanticCodec(), path_of("scn")).to(device),
        fast,
        self_renderer,
        MixedFaces(pair_source(setting.work / "pairs", device), RealFaces(setting.data), device),
        SharpFaces(list_faces(setting.data)),
        JointLosses(seen, WindowLoss(fast, lpips, colour=weights.l2)),
        device,
    )
    rates = ((head, 2e-4), (look, 8e-4))
    groups = [{"params": list(part.parameters()), "lr": rate} for part, rate in rates]
    watch = Watch(setting.data, loss.drawn, lpips, identity, checkpoint.folder, device)
    groups += groups_of(fcn, 4e-4)
    _train_layer(setting, checkpoint, loss, groups, setting.batch or 4, watch)
    for name, prefix in (("inversion", "encoder."), ("fcn", "fcn.")):
        state = {k: v for k, v in checkpoint.ema.items() if k.startswith(prefix)}
        export({k.removeprefix(prefix): v for k, v in state.items()}, name)


def groups_of(codec: FeatureCodec, rate: float) -> list[dict]:
    """Parameter groups of FCN: gains move faster than weights, the linear transforms hardly."""
    linear = [*codec.g_a.linear.parameters(), *codec.g_s.linear.parameters()]
    apart = {id(p) for p in (codec.log2_gain, *linear)}
    return [
        {"params": [p for p in codec.parameters() if id(p) not in apart], "lr": rate},
        {"params": [codec.log2_gain], "lr": 5 * rate},
        {"params": linear, "lr": rate / 40},
    ]


def _train_layer(
    setting: Setting, checkpoint: Checkpoint, loss, groups, batch: int, watch: Watch | None = None
) -> None:
    """Train with the prices of the last run, and keep them for the next one."""
    folder = checkpoint.folder
    price_file = folder / "price.json"
    if price_file.exists() and not setting.fresh:
        loss.price = RatePrice(tuple(json.loads(price_file.read_text())))
    log = CsvLog(folder / "log.csv")
    train(
        checkpoint, groups, lambda step, _: loss(batch, step), setting.budget, log,
        batch=batch, evaluate=watch,
    )  # fmt: skip
    price_file.write_text(json.dumps([math.exp(p) for p in loss.price.log_price]))


@torch.no_grad()
def start_feature_codec(codec: FeatureCodec, generator) -> None:
    """Statistics of F."""
    z = torch.randn(64, FACE_1024.style_dim, generator=torch.Generator().manual_seed(0))
    w = generator.mapping(z)
    features = generator.synthesis.feature(w[:, None].expand(-1, FACE_1024.styles, -1))
    codec.feature_std.copy_(features.std((0, 2, 3)))
