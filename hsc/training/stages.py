"""The stages of training, each from the files of the stage before to weights of its own."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from hsc.generator.pretrained import load_generator, load_preview
from hsc.training.faces import RealFaces, SyntheticPairs
from hsc.training.loop import Budget, Checkpoint, CsvLog, train


@dataclass(frozen=True)
class Setting:
    """What every stage is given.

    Attributes:
        work: folder of checkpoints, logs and synthetic pairs.
        data: folders of aligned real faces.
    """

    work: Path
    data: list[Path]
    device: torch.device
    steps: int
    minutes: float
    batch: int
    fresh: bool

    @classmethod
    def from_args(cls, args: Namespace) -> "Setting":
        device = args.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(
            Path(args.work),
            [Path(d) for d in args.data or []],
            torch.device(device),
            args.steps or 10**9,
            args.minutes or 60.0,
            args.batch or 0,
            args.fresh,
        )

    @property
    def budget(self) -> Budget:
        return Budget(self.steps, self.minutes)


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
    from hsc.weights import path_of

    device = setting.device
    generator = load_generator(device)
    synthesis = generator.synthesis
    fast = load_generator(device).synthesis.bfloat16()
    pairs = SyntheticPairs(setting.work / "pairs")
    encoder = InversionEncoder()
    checkpoint = Checkpoint(setting.work / "inversion", encoder)
    if setting.fresh or not checkpoint.resume():
        if path_of("inversion").exists() and not setting.fresh:
            encoder.load_state_dict(load_file(path_of("inversion")))
        else:
            start_encoder(encoder, generator, setting.work)
        checkpoint = Checkpoint(setting.work / "inversion", encoder)
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
        return loss.picture_phase(batch // 2, batch - batch // 2, with_s=step % 2 == 1)

    log = CsvLog(setting.work / "inversion" / "log.csv")
    train(checkpoint, groups, step_loss, setting.budget, log, batch=batch)


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


def export(work: Path, name: str, out: Path) -> None:
    """Write a stage's averaged weights as they are shipped: half precision."""
    from hsc.weights import halve

    save_file(halve(load_file(work / name / "ema.safetensors")), out / f"{name}.safetensors")
