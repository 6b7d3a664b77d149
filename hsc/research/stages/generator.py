"""Stages of the generator's own: pairs that it renders, its early exits, its blocks above F."""

from dataclasses import dataclass
from itertools import chain

from safetensors.torch import load_file

from hsc.editing.table import EditTable
from hsc.generators.exits import ExitHead
from hsc.generators.pretrained import FINETUNED_PREVIEW, load_finetuned, load_generator
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import gradient_dtype
from hsc.research import distributed
from hsc.research.data.faces import (
    NativeFaces,
    RealFaces,
    SyntheticPairs,
    held_out_images,
    list_faces,
)
from hsc.research.training import pairs as synthetic
from hsc.research.training.coded_pool import FrozenCodec
from hsc.research.training.decoder import (
    BlocksAboveFeature,
    DecoderConfig,
    DecoderLoss,
    DecoderWatch,
    edit_directions,
)
from hsc.research.training.log import CsvLog
from hsc.research.training.loop import Checkpoint, train
from hsc.research.training.preview import (
    ExitPictures,
    PreviewConfig,
    PreviewLoss,
    gathered,
    of_files,
    of_pairs,
    of_photographs,
)
from hsc.research.training.setting import (
    Setting,
    channels_last,
    export,
    fast_synthesis,
    finished_encoder,
    is_current,
    resumed,
)
from hsc.research.training.window_loss import WindowLoss
from hsc.weights.loading import path_of
from hsc.weights.model_id import FINETUNED


@dataclass(frozen=True)
class PairsConfig:
    """``configs/pairs.yaml``."""

    shard: int


def pairs(setting: Setting) -> None:
    """Render synthetic pairs, a shard a step."""
    size = setting.configured(PairsConfig).shard
    generator = load_generator(setting.device)
    synthetic.render(generator, setting.work / "pairs", setting.budget, size, setting.device)


def preview(setting: Setting) -> None:
    """Distil the 256-px exit."""
    _exit(setting, "preview", setting.sizes.preview_exit_px)


def exit128(setting: Setting) -> None:
    """Distil the 128-px exit, which the encoder's semantics are trained through."""
    _exit(setting, "exit128", setting.sizes.feedback_exit_px)


def _exit(setting: Setting, name: str, exit_px: int) -> None:
    config, head = setting.configured(PreviewConfig), ExitHead(exit_px, setting.sizes.generator)
    checkpoint = resumed(setting, name, head, lambda: None)
    started = path_of(name).exists() and not setting.fresh
    channels_last(head.to(setting.device))
    pictures = _exit_pictures(setting, exit_px, distributed.share_of(config.pictures))
    loss = PreviewLoss(head, pictures, config, setting.device)
    if not started:
        loss.start_linear()
    groups = [{"params": list(head.parameters()), "lr": config.rate}]
    log = CsvLog(setting.work / name / "log.csv")
    batch = config.batch
    train(checkpoint, groups, lambda *_: loss(batch), setting.budget, log, batch=batch)
    export(checkpoint.ema, name, checkpoint.folder)


def _exit_pictures(setting: Setting, exit_px: int, pictures: int) -> ExitPictures:
    device = setting.device
    fast = fast_synthesis(device)
    rendered = SyntheticPairs(setting.work / "pairs")
    if not (setting.data and path_of("inversion").exists()):
        return gathered(of_pairs(fast, rendered, pictures, exit_px, device), pictures)
    half = pictures // 2
    faces = RealFaces(setting.data, setting.sizes.input_px).images
    chosen = faces[:: max(1, len(faces) // half)][:half]
    photographs = of_photographs(fast, finished_encoder(device), chosen, exit_px, device)
    shown = chain(of_pairs(fast, rendered, half, exit_px, device), photographs)
    return gathered(shown, pictures)


def preview_decoder(setting: Setting) -> None:
    """Distil the 256-px exit of the finetuned blocks, which goes into their file."""
    device, config = setting.device, setting.configured(PreviewConfig)
    path = path_of(FINETUNED)
    finetuned = load_finetuned(load_generator(device).synthesis, path)
    exit_px = setting.sizes.preview_exit_px
    head = finetuned.preview or ExitHead(exit_px, setting.sizes.generator)
    channels_last(head.to(device)).requires_grad_(True)
    checkpoint = Checkpoint(setting.work / "preview-decoder", head)
    faces = RealFaces(setting.data, setting.sizes.input_px).images
    pictures = distributed.share_of(config.pictures)
    chosen = faces[:: max(1, len(faces) // pictures)][:pictures]
    directions = edit_directions(EditTable.load(path_of("edits")), 1.0)
    fast = channels_last(finetuned.synthesis.to(gradient_dtype(device)))
    shown = of_files(fast, FrozenCodec.finished(device), chosen, directions, exit_px, device)
    loss = PreviewLoss(head, gathered(shown, len(chosen)), config, device)
    if not checkpoint.resume() and finetuned.preview is None:
        loss.start_linear()
        checkpoint = Checkpoint(setting.work / "preview-decoder", head)
    train(
        checkpoint,
        [{"params": list(head.parameters()), "lr": config.rate}],
        lambda *_: loss(config.batch),
        setting.budget,
        CsvLog(setting.work / "preview-decoder" / "log.csv"),
        batch=config.batch,
    )
    blocks = {k: v for k, v in load_file(path).items() if not k.startswith(FINETUNED_PREVIEW)}
    export(blocks | {FINETUNED_PREVIEW + k: v for k, v in checkpoint.ema.items()}, FINETUNED)


def decoder(setting: Setting) -> None:
    """Finetune the generator's blocks above F on photographs at their own size."""
    device, config = setting.device, setting.configured(DecoderConfig)
    trained = load_generator(device).synthesis
    above = BlocksAboveFeature(trained)
    checkpoint = Checkpoint(setting.work / "decoder", above, config.decay)
    current = not setting.fresh and is_current(checkpoint.folder, "decoder")
    if not (current and checkpoint.resume()):
        if path_of("decoder").exists() and not setting.fresh:
            # noise maps are the generator's own and not in the file
            given = load_file(path_of("decoder")).items()
            blocks = {k: v for k, v in given if not k.startswith(FINETUNED_PREVIEW)}
            above.load_state_dict(above.state_dict() | blocks)
        checkpoint = Checkpoint(setting.work / "decoder", above, config.decay)
    channels_last(trained)
    codec = FrozenCodec.finished(device)
    windows = WindowLoss.configured(channels_last(Lpips.pretrained().to(device)), config)
    paths, image_px = distributed.own(list_faces(setting.data)), setting.sizes.generator.image_px
    faces = NativeFaces(paths, config.least_px, image_px)
    directions = edit_directions(EditTable.load(path_of("edits")), config.edit_range)
    loss = DecoderLoss(trained, codec, windows, faces, directions, config, device)
    held_out = held_out_images(setting.data, config.least_px, config.watched)
    watch = DecoderWatch(trained, checkpoint, codec, windows, held_out, device)
    train(
        checkpoint,
        [{"params": list(above.parameters()), "lr": config.rate}],
        lambda *_: loss(config.batch),
        setting.budget,
        CsvLog(setting.work / "decoder" / "log.csv"),
        batch=config.batch,
        evaluate=watch,
        evaluate_minutes=config.evaluate_minutes,
    )
    learnt = {k: v for k, v in checkpoint.ema.items() if not k.endswith(".noise")}
    export(learnt, "decoder", checkpoint.folder)
