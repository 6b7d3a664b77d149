"""Stage "correction": the learned gradient steps that correct F for a level.

Everything else is frozen, so files keep their meaning and their decoder its weights. FCN codes a
part of F, 16 cells a side, and the generator draws windows of it at full size: a first one for the
gradient, of which the network makes a correction, and a second one for the loss of the corrected F.
The steps before the last one are taken without gradients: each step learns to go as far as it can.

The price of a byte follows the size of files: a corrected F is to take as many bytes as the F that
it was made from.
"""

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.errors import HscError
from hsc.generators.base import SynthesisNetwork
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.generators.mobilestylegan.window import MARGIN, Window, render_window
from hsc.images.bandwidth import all_band_limited
from hsc.images.tensors import to_unit
from hsc.inversion.correction import (
    STEPS,
    Corrector,
    FeatureCorrection,
    FileGradient,
    Gradients,
    strength_at,
)
from hsc.inversion.distance import KnownPictures
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.feature_slices.prior import CHECKERED, SLICES, passes
from hsc.levels import LEVELS
from hsc.numerics.precision import gradient_autocast, gradient_dtype
from hsc.research import distributed
from hsc.research.data.faces import NativeFaces, on_grid
from hsc.research.training.coded_pool import CodedPool, FrozenCodec, PoolSizes
from hsc.research.training.decoder import full_size_figures
from hsc.research.training.loop import Checkpoint
from hsc.research.training.rate import RatePrice, random_level
from hsc.research.training.window_loss import (
    WINDOW_CELLS,
    WindowLoss,
    WindowWeights,
    place_window,
)

CELLS = 16
"""Side of the part of F that is coded in a step."""
SEEN = CELLS - 2 * MARGIN
"""Side of the window whose error gives the gradient."""
WATCHED_LEVELS = (2.0, 3.0, 6.0)
"""Nothing is corrected at level 1."""
START_PRICES = (0.55, 0.115, 0.07, 0.036, 0.005, 0.0022)
"""Of a kilobyte, at which corrected files are about as large as others."""
PRICE_RATE = 0.4
"""How fast prices follow: one file is looked at each time."""


@dataclass(frozen=True)
class PartsConfig(WindowWeights, PoolSizes):
    """Of the stages that correct parts of F."""

    batch: int
    rate: float
    decay: float
    least_px: int
    reduced: float
    anywhere: float
    watched: int
    evaluate_minutes: float


@dataclass(frozen=True)
class CorrectionConfig(PartsConfig):
    """``configs/correction.yaml``."""

    price_every: int
    scale_batches: int


@dataclass(frozen=True)
class CodedPart:
    """A part of F of some pictures, and what is known of it.

    Attributes:
        top, left: its first row and column in F.
        feature: F (n, 512, 16, 16).
        semantics: of the same part.
        w_plus: S^ (n, 23, 512).
        pictures: (n, 3, 1024, 1024); px: the side that each photograph has itself.
    """

    top: int
    left: int
    feature: Tensor
    semantics: Semantics
    w_plus: Tensor
    pictures: Tensor
    px: list[int]


class CorrectionLoss:
    """The loss of windows that corrected F draw through FCN, and the price of their bits.

    ::

        F, a part -> FCN -> F^ -> a window of 12 cells -> gradient -> network -> corrected F
        corrected F -> FCN -> F^ -> a window of 8 cells -> loss
                          +-> bits x price ------------------+

    Args:
        network: what is trained.
        codec: the others, frozen.
        renderer: renders files; frozen, in float32, channels last.
    """

    def __init__(
        self,
        network: FeatureCorrection,
        codec: FrozenCodec,
        renderer: SynthesisNetwork,
        windows: WindowLoss,
        faces: NativeFaces,
        config: PartsConfig,
        device: torch.device,
    ) -> None:
        if not isinstance(renderer, Synthesis):
            raise HscError(f"expected MobileStyleGAN's windows, got {type(renderer).__name__}.")
        self.network, self.codec, self.renderer = network, codec, renderer
        self.windows, self.config, self.device = windows, config, device
        self.spec, self.context_px = renderer.spec, codec.fcn.config.context_px
        self.pool = CodedPool(codec, faces, config, device, config.reduced)
        self.fcn = of_part(codec.fcn)
        self.gradient = FileGradient(self.fcn)
        head = codec.encoder.semantic_head
        self.corrector = Corrector(
            network, FileGradient(codec.fcn), renderer, head.w_mean, head.w_std
        )
        self.price = RatePrice(tuple(max(1e-5, p) for p in network.price.tolist()))

    def __call__(self, n: int, level: float) -> tuple[Tensor, dict[str, float]]:
        """The loss of a window of ``n`` pictures, and the price of its bits."""
        if torch.rand(()) < self.config.anywhere:
            place = Window.random(WINDOW_CELLS, self.spec.feature_px)
        else:
            place = place_window(self.spec)
        part, window = self._part(n, level, place)
        price = self.price(level)
        known = self.known(part)
        last = int(torch.randint(STEPS, ()))
        with torch.no_grad():
            for number in range(last):
                feature = self.corrected(part, known, level, price, number)
                part = replace(part, feature=feature)
        feature = self.corrected(part, known, level, price, last)
        positions = self._positions(part, window)
        with gradient_autocast(self.device):
            feature_hat, bits = self.fcn(feature, level, part.semantics, rated=positions)
        rendered = self._rendered(feature_hat.float(), part, window)
        value, parts = self.windows(rendered, window.of(part.pictures))
        whole = self.codec.fcn.config.latent_px**2 / float(positions.sum())
        cost = price * whole * bits.mean() / 8000
        figures = {"kilobytes": whole * bits.mean().item() / 8000, "price": price}
        return value + cost, parts | figures

    @torch.no_grad()
    def adjust_price(self) -> dict[str, float]:
        """Bring the price at a level nearer to that at which corrected files are as large.

        Of a whole picture: windows lie over faces more often than elsewhere.
        """
        level, face = random_level(), self.pool.any()
        known, w_plus_hat, _ = self.codec.known(face.w_plus[None], level)
        feature, picture = face.feature[None].float(), self.pool.photograph(face)
        compared = KnownPictures.photograph(picture, self.windows.lpips, self.codec.fcn.config)
        corrected, _ = self.corrector(compared, feature, w_plus_hat, level, known)
        with gradient_autocast(self.device):
            sizes = [float(self.codec.fcn(f, level, known)[1]) for f in (corrected, feature)]
        ratio = distributed.mean(sizes[0] / max(sizes[1], 1.0))
        self.keep_sizes(level, ratio, PRICE_RATE)
        return {"whole_size_ratio": ratio}

    @torch.no_grad()
    def keep_sizes(self, level: float, ratio: float, rate: float) -> None:
        """Adjust the price at a level, in the network too.

        Args:
            ratio: of the size of files to what it should be.
        """
        self.price.adjust(level, self.price.target_bytes(level) * ratio, rate)
        self.network.price.copy_(torch.tensor(self.price.log_price).exp())

    def corrected(
        self, part: CodedPart, known: KnownPictures, level: float, price: float, step: int
    ) -> Tensor:
        """F of a part after one more step, from 0, as the encoder takes it."""
        found = self.gradient_of(part, known, level, price)
        with gradient_autocast(self.device):
            change = self.corrector.change(found, part.feature, part.w_plus, level, step)
        return part.feature + strength_at(level) * change.float()

    def known(self, part: CodedPart) -> KnownPictures:
        """The windows of the photographs that the gradient compares with."""
        return KnownPictures.of(_seen(part).of(part.pictures), part.px, self.windows.lpips)

    def gradient_of(
        self, part: CodedPart, known: KnownPictures, level: float, price: float
    ) -> Gradients:
        """As :class:`FileGradient`, of the window inside a part."""
        window = _seen(part)

        def render(feature_hat: Tensor, _: Tensor | None) -> Tensor:
            return self._unlimited(feature_hat, part, window)

        rated = self._positions(part, window)
        return self.gradient(part.feature, level, part.semantics, price, render, known, rated)

    def _positions(self, part: CodedPart, window: Window) -> Tensor:
        """1 at the positions of a part's latent that a window lies on, else 0: (8, 8).

        Bits count where the picture does: else what lies around a window would be given up.
        """
        step = self.spec.feature_px // self.codec.fcn.config.latent_px
        positions = torch.zeros(CELLS // step, CELLS // step, device=self.device)
        rows, columns = (
            slice(start // step, (start + window.cells + step - 1) // step)
            for start in (window.top - part.top, window.left - part.left)
        )
        positions[rows, columns] = 1
        return positions

    @torch.no_grad()
    def measure_scale(self, batches: int) -> None:
        """Set the typical size of the gradient at each level, before the first step."""
        for index, level in enumerate(LEVELS):
            squares = []
            for _ in range(batches):
                window = Window.random(WINDOW_CELLS, self.spec.feature_px)
                part, _ = self._part(self.config.batch, level.number, window)
                found = self.gradient_of(
                    part, self.known(part), level.number, self.price(level.number)
                )
                squares.append(found.feature.square().mean((0, 2, 3)))
            self.network.scale[index] = torch.stack(squares).mean(0).sqrt()

    def _part(self, n: int, level: float, window: Window) -> tuple[CodedPart, Window]:
        """The part around a window of the pictures that a step compares."""
        faces = self.pool.sample(n, lambda: None)
        w_plus = torch.stack([face.w_plus for face in faces])
        feature = torch.stack([face.feature for face in faces]).float()
        known, w_plus_hat, _ = self.codec.known(w_plus, level)
        step = self.spec.feature_px // self.context_px  # a part begins at a whole position of y
        most, edge = self.spec.feature_px - CELLS, (CELLS - WINDOW_CELLS) // 2
        top, left = (
            min(max((start - edge) // step * step, 0), most) for start in (window.top, window.left)
        )
        row, column = (
            min(max(start, first + 2 * MARGIN), first + CELLS - 2 * MARGIN - WINDOW_CELLS)
            for start, first in ((window.top, top), (window.left, left))
        )
        semantics = Semantics(
            _crop(known.feature, top, left, CELLS),
            _crop(known.context, top // step, left // step, CELLS // step),
        )
        pictures = torch.cat([self.pool.photograph(face) for face in faces])
        part = CodedPart(
            top, left, _crop(feature, top, left, CELLS), semantics, w_plus_hat, pictures,
            [face.px for face in faces],
        )  # fmt: skip
        return part, Window(row, column, WINDOW_CELLS)

    def _rendered(self, feature_hat: Tensor, part: CodedPart, window: Window) -> Tensor:
        """A window, no sharper than the photographs."""
        with gradient_autocast(self.device):
            rendered = self._unlimited(feature_hat, part, window).float()
        return all_band_limited(rendered, part.px, self.spec.image_px)

    def _unlimited(self, feature_hat: Tensor, part: CodedPart, window: Window) -> Tensor:
        right, below = (self.spec.feature_px - CELLS - s for s in (part.left, part.top))
        whole = F.pad(feature_hat, (part.left, right, part.top, below))
        dtype = gradient_dtype(self.device)
        return render_window(self.renderer, whole.to(dtype), part.w_plus.to(dtype), window)


def of_part(fcn: FeatureCodec) -> FeatureCodec:
    """A codec of parts of F, 16 cells a side, that shares its weights with ``fcn``."""
    shared = {id(tensor): tensor for tensor in (*fcn.parameters(), *fcn.buffers())}
    part = copy.deepcopy(fcn, shared)
    px = CELLS * fcn.config.latent_px // fcn.config.generator.feature_px
    part.prior.order = passes(SLICES, CHECKERED, px)
    return part


def _seen(part: CodedPart) -> Window:
    return Window(part.top + MARGIN, part.left + MARGIN, SEEN)


def _crop(x: Tensor, top: int, left: int, cells: int) -> Tensor:
    part = x[..., top : top + cells, left : left + cells]
    return part.contiguous(memory_format=torch.channels_last)


class CorrectionWatch:
    """Bytes and figures of held-out people, before and after the correction, at full size.

    Args:
        checkpoint: of the network; its moving average is measured.
        images: uint8 (3, px, px), each at its own size.
    """

    def __init__(self, loss: CorrectionLoss, checkpoint: Checkpoint, images: list[Tensor]) -> None:
        self.loss, self.checkpoint = loss, checkpoint
        self.found: list[tuple[Tensor, Tensor, Tensor]] = []
        for image in images:
            picture = to_unit(image)[None].to(loss.device)
            self.found.append((picture, *loss.codec(picture, None)))

    @torch.no_grad()
    def __call__(self) -> dict[str, float]:
        """Means, named ``held_out_<figure>_level<level>``; ``before_...`` those without."""
        return self.checkpoint.means(self.found, self._figures)

    def _figures(self, found_in: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
        """Of one photograph, its S and its F."""
        picture, w_plus, feature = found_in
        loss, renderer = self.loss, self.loss.renderer
        compared = KnownPictures.photograph(
            on_grid(picture, renderer.spec.image_px), loss.windows.lpips, loss.codec.fcn.config
        )
        found: dict[str, float] = {}
        for level in WATCHED_LEVELS:
            known, styles, scn_bits = loss.codec.known(w_plus, level)
            corrected, _ = loss.corrector(compared, feature, styles, level, known)
            for name, latents in (("before", feature), ("held_out", corrected)):
                with gradient_autocast(picture.device):
                    feature_hat, bits = loss.codec.fcn(latents, level, known)
                figures = full_size_figures(
                    renderer, loss.windows.lpips, picture, styles, feature_hat
                )
                figures["bytes"] = (bits + scn_bits).mean().item() / 8
                found |= {f"{name}_{key}_level{level:g}": v for key, v in figures.items()}
        return found
