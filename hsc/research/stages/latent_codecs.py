"""Stages of the two layers, SCN and FCN."""

import copy
import json
import math

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hsc.codec import Codec
from hsc.errors import HscError
from hsc.generators.pretrained import (
    Generator,
    load_generator,
    load_preview,
    load_renderer,
)
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.gaussian import build_tables
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.metrics.loss import PictureLoss, PictureWeights
from hsc.metrics.lpips import Lpips
from hsc.research import distributed
from hsc.research.data.faces import NativeFaces, RealFaces, held_out_images, list_faces
from hsc.research.training.enhancement import (
    EnhancementConfig,
    ScalesLoss,
    code_files,
    covariance_of_changes,
    crops,
    initialise,
    scale_groups,
)
from hsc.research.training.feature import CodedLatents, FeatureConfig, FeatureLoss
from hsc.research.training.fine_styles import (
    FITTED_LEVELS,
    FREE_SIZES,
    SEARCHES,
    STEP_COSTS,
    FineStylesConfig,
    components_of_descents,
    drawn_by_file,
    fit_fine_styles,
    free_descent,
)
from hsc.research.training.inversion import RenderLoss
from hsc.research.training.joint import JointConfig, JointLoss, JointNetworks, JointWatch
from hsc.research.training.klt import start_from_klt
from hsc.research.training.latents import CachedLatents, LatentsConfig, collect
from hsc.research.training.log import CsvLog
from hsc.research.training.loop import Budget, Checkpoint, train
from hsc.research.training.mixed import MixedFaces
from hsc.research.training.pairs import pair_source
from hsc.research.training.rate import RatePrice
from hsc.research.training.semantic import SemanticConfig, fit, style_importance
from hsc.research.training.setting import (
    Setting,
    channels_last,
    export,
    fast_synthesis,
    finished_encoder,
    is_current,
    loaded,
    resumed,
    stamp,
)
from hsc.research.training.window_loss import WindowLoss
from hsc.weights.loading import path_of
from hsc.weights.model_id import FINETUNED


def latents(setting: Setting) -> None:
    """Cache S and F of every training picture, by the encoder's averaged weights."""
    collect(
        finished_encoder(setting.device),
        load_generator(setting.device).synthesis,
        SelfRenderer.load(setting.device),
        RealFaces(setting.data, setting.sizes.detail_px),
        pair_source(setting.work / "pairs", setting.device),
        setting.configured(LatentsConfig),
        setting.work / "latents",
        setting.device,
    )


@distributed.by_the_first
def semantic(setting: Setting) -> None:
    """Fit SCN to the cached latents: closed form, a minute."""
    config, generator = setting.configured(SemanticConfig), load_generator("cpu")
    cached = CachedLatents(setting.work / "latents")
    seeded = torch.Generator().manual_seed(0)
    z = torch.randn(config.samples, generator.spec.style_dim, generator=seeded)
    w = generator.mapping(z, config.truncation)
    importance = style_importance(generator.synthesis, Lpips.pretrained(), w)
    print("importance", " ".join(f"{v:.3f}" for v in importance.tolist()))
    weight = torch.full((len(cached),), config.synthetic_weight)
    weight[: cached.real] = 1.0
    codec = SemanticCodec(config=setting.sizes)
    fit(codec, cached.w_plus.float(), weight, generator.synthesis, importance)
    _keep_fine_styles(codec, "scn")
    checkpoint = Checkpoint(setting.work / "scn", codec)
    checkpoint.save()
    export(checkpoint.ema, "scn")
    save_file(build_tables(), path_of("entropy"))


def feature(setting: Setting) -> None:
    """Train FCN on feature error alone, starting from the KLT: a warm-up."""
    config, device, codec = (
        setting.configured(FeatureConfig),
        setting.device,
        FeatureCodec(setting.sizes),
    )
    _keep_fine_styles(codec, "fcn")
    coded = CodedLatents(
        loaded(SemanticCodec(config=setting.sizes), "scn", device),
        fast_synthesis(device),
        CachedLatents(setting.work / "latents"),
        device,
        setting.sizes.context_px,
    )

    def start() -> None:
        start_feature_codec(codec, load_generator("cpu"))
        start_from_klt(codec.to(device), coded, config.klt_pictures, config.klt_level)

    checkpoint = resumed(setting, "fcn", codec, start)
    channels_last(codec.to(device)).train()
    loss = FeatureLoss(codec, coded, config.feature)
    _train_layer(setting, checkpoint, loss, groups_of(codec, config.rate), config.batch)
    export(checkpoint.ema, "fcn", checkpoint.folder)


def joint(setting: Setting) -> None:
    """Train FCN, the encoder's feature head and feedback, and the decoder's last blocks.

    Where the model has no finetuned blocks, the generator renders files and stays as it is.
    """
    config, device = setting.configured(JointConfig), setting.device
    fcn = loaded(FeatureCodec(setting.sizes), "fcn", device).requires_grad_(True)
    synthesis = load_generator(device).synthesis
    finetuned = load_renderer(synthesis)
    has_finetuned = finetuned.synthesis is not synthesis
    networks = JointNetworks(
        finished_encoder(device), fcn, finetuned.synthesis if has_finetuned else None
    )
    checkpoint = Checkpoint(setting.work / "joint", networks)
    if not setting.fresh and is_current(checkpoint.folder, "inversion", "fcn", FINETUNED):
        checkpoint.resume()
    channels_last(networks.to(device))
    channels_last(finetuned.synthesis)
    encoder = networks.encoder
    head = [
        *encoder.feature_head.requires_grad_(True).parameters(),
        *encoder.detail_stem.requires_grad_(True).parameters(),
    ]
    feedback = encoder.feature_feedback.requires_grad_(True)
    lpips, self_renderer = Lpips.pretrained().to(device), SelfRenderer.load(device)
    weights = PictureWeights(l2=config.l2, statistics=config.statistics)
    picture_loss = PictureLoss(lpips, self_renderer.identity, weights)
    sizes = setting.sizes
    pairs = pair_source(setting.work / "pairs", device)
    loss = JointLoss(
        networks,
        loaded(SemanticCodec(config=sizes), "scn", device),
        fast_synthesis(device),
        finetuned.synthesis,
        self_renderer,
        MixedFaces(pairs, RealFaces(setting.data, sizes.input_px), device, config.real_share),
        NativeFaces(
            distributed.own(list_faces(setting.data)), config.least_px, sizes.generator.image_px
        ),
        RenderLoss(finetuned.preview or load_preview(device), picture_loss, setting.draw),
        WindowLoss.configured(channels_last(lpips), config),
        config,
        device,
    )
    groups = [
        {"params": head, "lr": config.head_rate},
        {"params": list(feedback.parameters()), "lr": config.feedback_rate},
        *groups_of(fcn, config.fcn_rate),
    ]
    if has_finetuned:
        last = list(networks.decoder.parameters())
        groups.append({"params": last, "lr": config.decoder_rate})
    held_out = held_out_images(
        setting.data, config.least_px, config.watched, sizes.generator.image_px
    )
    watch = JointWatch(loss, checkpoint, held_out)
    _train_layer(setting, checkpoint, loss, groups, config.batch, watch, config.evaluate_minutes)
    export(_part(checkpoint, "encoder."), "inversion")
    export(_part(checkpoint, "fcn."), "fcn")
    if has_finetuned:
        export(load_file(path_of(FINETUNED)) | _learnt_blocks(checkpoint), FINETUNED)
    stamp(checkpoint.folder, "inversion", "fcn", FINETUNED)


@distributed.by_the_first
def fine_styles(setting: Setting) -> None:
    """The fine styles of both layers, from descents of photographs: an hour."""
    config, sizes = setting.configured(FineStylesConfig), setting.sizes
    if not sizes.fine_components:
        raise HscError("expected a model with fine styles: this one has none.")
    paths, image_px = list_faces(setting.data), sizes.generator.image_px
    codec = Codec.load(str(setting.device))
    n = codec.networks
    w_std = codec.encoder.inversion.semantic_head.w_std
    affine = [layer.weight.detach() * w_std for layer in n.generator.style_layers()]
    layers: dict[str, SemanticCodec | FeatureCodec] = {"scn": n.scn, "fcn": n.fcn}
    chosen = config.layers.split("+")
    if unknown := set(chosen) - set(layers):
        raise HscError(f"expected layers of {', '.join(layers)}, got {', '.join(sorted(unknown))}.")
    for name in chosen:
        layer, levels = layers[name], FITTED_LEVELS[name]
        fine, searched = copy.deepcopy(layer.fine), []
        changes, w_plus = [], []
        pictures = crops(paths, config.least_px, image_px)
        for number, picture in zip(range(max(config.basis_pictures, config.searched)), pictures):
            drawn = drawn_by_file(codec, picture, levels[number % len(levels)], name)
            w_plus.append(drawn.w_plus[:, fine.first :] / w_std)
            changes.append(free_descent(drawn, fine.first, FREE_SIZES[name], w_std))
            if number < config.searched:
                searched.append(drawn)
        components = components_of_descents(
            torch.cat(changes), torch.cat(w_plus), affine[fine.first :], fine.components
        )
        fit_fine_styles(fine, w_std * components, searched, SEARCHES[name], STEP_COSTS[name])
        own = {f"fine.{key}": value for key, value in fine.state_dict().items()}
        export(layer.state_dict() | own, name)


def enhancement(setting: Setting) -> None:
    """FCN's enhancement slice: its basis in closed form, then its entropy model, on files."""
    config, device, sizes = setting.configured(EnhancementConfig), setting.device, setting.sizes
    if not sizes.enhancement_channels:
        raise HscError("expected a model with an enhancement slice: this one has none.")
    paths, image_px = distributed.own(list_faces(setting.data)), sizes.generator.image_px
    fcn = loaded(FeatureCodec(sizes), "fcn", torch.device("cpu"))
    assert fcn.enhancement is not None
    if setting.fresh or not fcn.enhancement.basis.any():
        pictures = crops(paths, config.least_px, image_px)
        codec = Codec.load(str(device))
        initialise(fcn, covariance_of_changes(codec, pictures, config.basis_pictures))
        export(fcn.state_dict(), "fcn")
        distributed.wait()
    files = setting.work / "enhancement" / "files"
    pictures = crops(paths, config.least_px, image_px)
    code_files(Codec.load(str(device)), pictures, config.files, files)
    distributed.wait()
    fcn = loaded(FeatureCodec(sizes), "fcn", device)
    assert fcn.enhancement is not None
    scales = fcn.enhancement.scales.requires_grad_(True)
    loss = ScalesLoss(fcn, sorted(files.glob("*.safetensors")), device)
    checkpoint = Checkpoint(files.parent, fcn)
    train(
        checkpoint,
        scale_groups(scales, config.rate),
        lambda *_: loss(config.batch),
        Budget(min(setting.steps, config.training_steps), setting.minutes),
        CsvLog(checkpoint.folder / "log.csv"),
        batch=config.batch,
        evaluate=loss.watch,
    )
    export(checkpoint.ema, "fcn")


def _keep_fine_styles(codec: SemanticCodec | FeatureCodec, name: str) -> None:
    """A layer that is made anew keeps the fine styles that its weights have."""
    if (shipped := path_of(name)).is_file():
        state = load_file(shipped)
        fine = {k.removeprefix("fine."): v for k, v in state.items() if k.startswith("fine.")}
        codec.fine.load_state_dict(fine, strict=False)


def _part(checkpoint: Checkpoint, prefix: str) -> dict[str, Tensor]:
    """The averaged weights of one of the networks, by its own names."""
    ema = checkpoint.ema.items()
    return {k.removeprefix(prefix): v for k, v in ema if k.startswith(prefix)}


def _learnt_blocks(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The averaged last blocks; noise maps are the generator's own and not trained."""
    return {k: v for k, v in _part(checkpoint, "decoder.").items() if not k.endswith(".noise")}


def groups_of(codec: FeatureCodec, rate: float) -> list[dict]:
    """Parameter groups of FCN: a higher rate for gains, a lower one for linear transforms."""
    linear = [*codec.g_a.linear.parameters(), *codec.g_s.linear.parameters()]
    apart = {id(p) for p in (codec.log2_gain, *linear)}
    return [
        {"params": [p for p in codec.parameters() if id(p) not in apart], "lr": rate},
        {"params": [codec.log2_gain], "lr": 5 * rate},
        {"params": linear, "lr": rate / 40},
    ]


def _train_layer(
    setting: Setting,
    checkpoint: Checkpoint,
    loss: FeatureLoss | JointLoss,
    groups: list[dict],
    batch: int,
    watch: JointWatch | None = None,
    evaluate_minutes: float = 15.0,
) -> None:
    """Train with the prices of the last run, and keep them for the next one."""
    folder = checkpoint.folder
    price_file = folder / "price.json"
    if price_file.exists() and not setting.fresh:
        prices = tuple(json.loads(price_file.read_text()))
        loss.price = RatePrice(prices, loss.price.scale)
    log = CsvLog(folder / "log.csv")
    train(
        checkpoint, groups, lambda step, _: loss(batch, step), setting.budget, log,
        batch=batch, evaluate=watch, evaluate_minutes=evaluate_minutes,
    )  # fmt: skip
    if distributed.is_first():
        price_file.write_text(json.dumps([math.exp(p) for p in loss.price.log_price]))


@torch.no_grad()
def start_feature_codec(codec: FeatureCodec, generator: Generator) -> None:
    """Statistics of F."""
    spec = generator.spec
    z = torch.randn(64, spec.style_dim, generator=torch.Generator().manual_seed(0))
    w = generator.mapping(z)
    features = generator.synthesis.feature(w[:, None].expand(-1, spec.styles, -1))
    codec.feature_std.copy_(features.std((0, 2, 3)))
