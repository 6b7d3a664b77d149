"""Stages of the generator's own: pairs that it draws, and its early exits."""

import torch

from hsc.generators.pretrained import load_generator
from hsc.research.data.faces import RealFaces, SyntheticPairs
from hsc.research.training.loop import CsvLog, train
from hsc.research.training.setting import Setting, export, finished_encoder, resumed
from hsc.weights.loading import path_of

PREVIEW_PICTURES = 400
"""Half of them what the encoder makes of photographs, where there are both."""


def pairs(setting: Setting) -> None:
    """Draw synthetic pairs, a shard of 200 a step."""
    from hsc.research.training.pairs import render

    render(load_generator(setting.device), setting.work / "pairs", setting.budget, setting.device)


def preview(setting: Setting) -> None:
    """Distil the 256-px exit."""
    from hsc.config import SHIPPED

    _exit(setting, "preview", SHIPPED.preview_exit_px)


def exit128(setting: Setting) -> None:
    """Distil the 128-px exit, which the encoder's semantics are trained through."""
    from hsc.config import SHIPPED

    _exit(setting, "exit128", SHIPPED.feedback_exit_px)


def _exit(setting: Setting, name: str, exit_px: int) -> None:
    from hsc.generators.exits import ExitHead
    from hsc.research.training.preview import PreviewLoss

    head = ExitHead(exit_px=exit_px)
    checkpoint = resumed(setting, name, head, lambda: None)
    started = path_of(name).exists() and not setting.fresh
    head.to(setting.device, memory_format=torch.channels_last)
    loss = PreviewLoss(head, _exit_pictures(setting, exit_px), setting.device)
    if not started:
        loss.start_linear()
    batch = setting.batch or 16
    groups = [{"params": list(head.parameters()), "lr": 2e-3}]
    log = CsvLog(setting.work / name / "log.csv")
    train(checkpoint, groups, lambda *_: loss(batch), setting.budget, log, batch=batch)
    export(checkpoint.ema, name)


def _exit_pictures(setting: Setting, exit_px: int):
    from itertools import chain

    from hsc.research.training.preview import gathered, of_pairs, of_photographs

    device = setting.device
    fast = load_generator(device).synthesis.bfloat16().to(memory_format=torch.channels_last)
    drawn = SyntheticPairs(setting.work / "pairs")
    if not (setting.data and path_of("inversion").exists()):
        shown = of_pairs(fast, drawn, PREVIEW_PICTURES, exit_px, device)
        return gathered(shown, PREVIEW_PICTURES)
    half = PREVIEW_PICTURES // 2
    faces = RealFaces(setting.data).images
    chosen = faces[:: max(1, len(faces) // half)][:half]
    photographs = of_photographs(fast, finished_encoder(device), chosen, exit_px, device)
    shown = chain(of_pairs(fast, drawn, half, exit_px, device), photographs)
    return gathered(shown, PREVIEW_PICTURES)
