"""Stage "stylegan2": a generator from nothing, on a folder of pictures.

Source: Karras et al. 2020 (arXiv 1912.04958): the residual discriminator with a minibatch standard
deviation, the non-saturating loss, lazy R1 and path length penalties, Adam's rates. It is small
on purpose: for a toy domain, minutes on one core. Who has a GPU and days trains with tools that
exist, and imports the result.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.config import GeneratorSpec
from hsc.generators.mapping import Mapping
from hsc.generators.stylegan2.synthesis import COLOURS, GAIN, ModulatedConv, Synthesis
from hsc.research.training.log import CsvLog
from hsc.research.training.loop import Budget, Checkpoint

MAPPING_RATE = 0.01
"""Of the mapping network, beside the others."""
LOG_EVERY = 20
SAVE_EVERY = 200


@dataclass(frozen=True)
class StyleGan2Config:
    """``configs/stylegan2.yaml``."""

    name: str
    shows: str
    noun: str
    licence: str
    image_px: int
    style_dim: int
    width: int
    batch: int
    rate: float
    r1: float
    r1_every: int
    path_length: float
    path_every: int
    mixed: float
    decay: float

    @property
    def channels(self) -> dict[int, int]:
        """Of the convolutions at each resolution."""
        sizes = [2**n for n in range(2, int(math.log2(self.image_px)) + 1)]
        return {px: self.width if px <= 16 else max(8, self.width * 16 // px) for px in sizes}


class GeneratorNetworks(nn.Module):
    """Both networks, with the names of a generator's file."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.spec = spec
        self.mapping, self.synthesis = Mapping(spec), Synthesis(spec)
        for layer in self.mapping.layers:
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=spec.style_dim**-0.5)
            nn.init.zeros_(layer.bias)

    def styles(self, n: int, mixed: float) -> Tensor:
        """Random w+, some with the later styles of a second one: (n, styles, style_dim)."""
        z = torch.randn(2 * n, self.spec.style_dim, device=self.mapping.w_mean.device)
        first, second = self.mapping(z)[:, None].chunk(2)
        cut = torch.randint(1, self.spec.styles, (n, 1, 1), device=z.device)
        cut = torch.where(torch.rand(n, 1, 1, device=z.device) < mixed, cut, self.spec.styles)
        later = torch.arange(self.spec.styles, device=z.device)[None, :, None] >= cut
        return torch.where(later, second, first)

    def groups(self, rate: float) -> Iterator[dict]:
        """Adam's parameter groups: each weight's rate is in proportion to its initial spread.

        That is the paper's "equalised learning rate" for weights that are stored as they are used.
        """
        spread = {}
        for layer in self.mapping.layers:
            assert isinstance(layer, nn.Linear)
            spread[layer.weight] = MAPPING_RATE * self.spec.style_dim**-0.5
            spread[layer.bias] = MAPPING_RATE
        for module in self.synthesis.modules():
            if isinstance(module, ModulatedConv):
                spread[module.affine.weight] = self.spec.style_dim**-0.5
                if not module.demodulate:
                    spread[module.weight] = module.weight.shape[1] ** -0.5
        for parameter in self.parameters():
            yield {"params": [parameter], "lr": rate * spread.get(parameter, 1.0)}


class Discriminator(nn.Module):
    """Picture -> one number, high for real ones.

    ::

        picture -> 1x1 -> [3x3 -> 3x3 /2, + 1x1 /2] to 4 px -> + batch spread -> 3x3 -> Linear
    """

    def __init__(self, channels: dict[int, int]) -> None:
        super().__init__()
        sizes = sorted(channels, reverse=True)
        self.from_rgb = nn.Conv2d(COLOURS, channels[sizes[0]], 1)
        self.blocks = nn.ModuleList(
            ResidualDown(channels[px], channels[px // 2]) for px in sizes[:-1]
        )
        last = channels[sizes[-1]]
        self.conv = nn.Conv2d(last + 1, last, 3, padding=1)
        self.hidden = nn.Linear(last * sizes[-1] ** 2, last)
        self.out = nn.Linear(last, 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.normal_(module.weight, std=_spread(module.weight))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, px, px) in [-1, 1] -> (B,)."""
        x = F.leaky_relu(self.from_rgb(picture), 0.2) * GAIN
        for block in self.blocks:
            x = block(x)
        spread = (x.var(0, unbiased=False) + 1e-8).sqrt().mean()  # real batches vary more
        x = torch.cat([x, spread.expand(len(x), 1, *x.shape[-2:])], 1)
        x = F.leaky_relu(self.conv(x), 0.2) * GAIN
        x = F.leaky_relu(self.hidden(x.flatten(1)), 0.2) * GAIN
        score: Tensor = self.out(x)[:, 0]
        return score

    def groups(self, rate: float) -> Iterator[dict]:
        """As :meth:`GeneratorNetworks.groups`."""
        for parameter in self.parameters():
            factor = _spread(parameter) if parameter.ndim > 1 else 1.0
            yield {"params": [parameter], "lr": rate * factor}


class ResidualDown(nn.Module):
    """Half the resolution, with a skip."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(c_in, c_in, 3, padding=1)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1)
        self.skip = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.conv0(x), 0.2) * GAIN
        h = F.leaky_relu(self.conv1(_filtered(h)), 0.2) * GAIN
        return (h + self.skip(F.avg_pool2d(x, 2))) * 2**-0.5


def _filtered(x: Tensor) -> Tensor:
    """1 2 1 a side, before every other pixel is left out."""
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = (x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]) / 4
    return (x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]) / 4


def _spread(weight: Tensor) -> float:
    return float(weight[0].numel() ** -0.5)


def r1_penalty(discriminator: Discriminator, real: Tensor) -> Tensor:
    """Half the squared gradient of the score at real pictures, the mean over them."""
    real = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean() / 2


class PathLength:
    """The penalty on unequal lengths of steps in w, with the mean length so far."""

    def __init__(self) -> None:
        self.mean = 0.0

    def __call__(self, pictures: Tensor, w_plus: Tensor) -> Tensor:
        noise = torch.randn_like(pictures) / math.sqrt(pictures[0, 0].numel())
        (gradient,) = torch.autograd.grad((pictures * noise).sum(), w_plus, create_graph=True)
        lengths = gradient.square().sum(2).mean(1).sqrt()  # (B,)
        self.mean += 0.01 * (lengths.mean().item() - self.mean)
        return (lengths - self.mean).square().mean()


class Adversaries:
    """The two losses, alternating; ``images`` are uint8 (N, 3, px, px)."""

    def __init__(
        self, networks: GeneratorNetworks, images: Tensor, config: StyleGan2Config
    ) -> None:
        self.networks, self.images, self.config = networks, images, config
        device = networks.mapping.w_mean.device
        self.discriminator = Discriminator(config.channels).to(device)
        self.path_length = PathLength()
        self.of_generator, self.of_discriminator = (
            torch.optim.Adam(groups, betas=(0.0, 0.99), fused=True)
            for groups in (networks.groups(config.rate), self.discriminator.groups(config.rate))
        )

    def step(self, number: int) -> dict[str, float]:
        """One step of both."""
        c, networks = self.config, self.networks
        with torch.no_grad():
            fake = networks.synthesis(networks.styles(c.batch, c.mixed))
        real = self._real().to(fake)
        d_loss = F.softplus(self.discriminator(fake)).mean()
        d_loss = d_loss + F.softplus(-self.discriminator(real)).mean()
        total = d_loss
        if number % c.r1_every == 0:
            total = total + c.r1 * c.r1_every * r1_penalty(self.discriminator, real)
        _descend(self.of_discriminator, total)
        w_plus = networks.styles(c.batch, c.mixed)
        pictures = networks.synthesis(w_plus)
        g_loss = total = F.softplus(-self.discriminator(pictures)).mean()
        if c.path_length and number % c.path_every == 0:
            total = total + c.path_length * c.path_every * self.path_length(pictures, w_plus)
        _descend(self.of_generator, total)
        return {"d": d_loss.item(), "g": g_loss.item()}

    def _real(self) -> Tensor:
        batch = self.images[torch.randint(len(self.images), (self.config.batch,))]
        flipped = torch.where(torch.rand(len(batch), 1, 1, 1) < 0.5, batch, batch.flip(3))
        return flipped.float() / 127.5 - 1


def train_generator(
    checkpoint: Checkpoint,
    rival: Checkpoint,
    adversaries: Adversaries,
    budget: Budget,
    log: CsvLog,
) -> None:
    """Train until the budget is spent; the moving average is what is kept.

    Args:
        checkpoint: of the generator's networks.
        rival: of the discriminator, without which a run could not go on.
    """
    step, sums = 0, {"d": 0.0, "g": 0.0}
    while (spent := budget.spent(step)) < 1.0:
        figures = adversaries.step(step)
        if not all(map(math.isfinite, figures.values())):
            raise RuntimeError(f"a loss became {figures} at step {step}: lower the rate")
        step += 1
        checkpoint.count(adversaries.config.batch)
        sums = {name: sums[name] + figure / LOG_EVERY for name, figure in figures.items()}
        if step % LOG_EVERY == 0:
            steps = checkpoint.counters["steps"]
            log.write({"step": steps, "spent": round(spent, 3)} | sums)
            sums = dict.fromkeys(sums, 0.0)
        if step % SAVE_EVERY == 0:
            checkpoint.save()
            rival.save()
    checkpoint.save()
    rival.save()


@torch.no_grad()
def averaged(checkpoint: Checkpoint, networks: GeneratorNetworks, samples: int = 10_000) -> None:
    """Put the moving average into the networks, with the mean of w."""
    networks.load_state_dict(checkpoint.ema)
    seeded = torch.Generator().manual_seed(0)
    z = torch.randn(samples, networks.spec.style_dim, generator=seeded)
    mean = networks.mapping.w_mean
    mean.copy_(networks.mapping(z.to(mean)).mean(0))


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
