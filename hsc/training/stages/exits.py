"""Stages of the generator's own: pairs that it draws, and its early exits."""

import torch

from hsc.generator.pretrained import load_generator
from hsc.training.faces import SyntheticPairs
from hsc.training.loop import Checkpoint, CsvLog, train
from hsc.training.setting import Setting, export

PREVIEW_PICTURES = 640


def pairs(setting: Setting) -> None:
    """Draw synthetic pairs, a shard of 200 a step."""
    from hsc.training.pairs import render

    render(load_generator(setting.device), setting.work / "pairs", setting.budget, setting.device)


def preview(setting: Setting) -> None:
    """Distil the 256-px exit."""
    from hsc.generator.preview import EXIT_PX

    _exit(setting, "preview", EXIT_PX)


def glance(setting: Setting) -> None:
    """Distil the 128-px exit, which the encoder's semantics are trained through."""
    from hsc.generator.preview import GLANCE_EXIT_PX

    _exit(setting, "glance", GLANCE_EXIT_PX)


def _exit(setting: Setting, name: str, exit_px: int) -> None:
    from hsc.generator.preview import PreviewHead
    from hsc.training.preview import PreviewLoss

    head = PreviewHead(exit_px=exit_px)
    checkpoint = Checkpoint(setting.work / name, head)
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
    log = CsvLog(setting.work / name / "log.csv")
    train(checkpoint, groups, lambda *_: loss(batch), setting.budget, log, batch=batch)
    export(checkpoint.ema, name)
