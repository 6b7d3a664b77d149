"""Faces encoded by the shipped encoder and transforms."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from hsc.codec import Codec
from hsc.generators.exits import render_exit
from hsc.images.tensors import to_tensor
from hsc.metrics.lpips import Lpips


@dataclass(frozen=True)
class EncodedFaces:
    """Pictures of faces, and S and F of each.

    Attributes:
        images: (N, 3, 256, 256) in [-1, 1].
        w_plus: (N, 23, 512).
        feature: (N, 512, 32, 32), half precision.
    """

    images: Tensor
    w_plus: Tensor
    feature: Tensor

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class CodedFaces:
    """The same faces at one level, up to the entropy model of F.

    Attributes:
        w_plus_hat: S^ (N, 23, 512); scn_bytes: (N,) actual bytes of the SCN layer.
        context: G_16(S^), (N, 512, 16, 16), half precision.
        y: g_a's latent, (N, 128, 16, 16).
    """

    level: float
    w_plus_hat: Tensor
    scn_bytes: Tensor
    context: Tensor
    y: Tensor


@torch.no_grad()
def encode(codec: Codec, pictures: Sequence[Image.Image]) -> EncodedFaces:
    """Encode aligned pictures."""
    columns, encoder = [], codec.networks.encoder
    assert encoder is not None, "faces are encoded here"
    px = encoder.config.input_px
    for picture in pictures:
        small = picture.convert("RGB").resize((px, px), Image.Resampling.LANCZOS)
        image = to_tensor(small, codec.device)
        inversion = encoder(image, codec.networks.generator, codec.networks.self_renderer)
        columns.append((image.cpu(), inversion.w_plus.cpu(), inversion.feature.half().cpu()))
    return EncodedFaces(*(torch.cat(column) for column in zip(*columns)))


@torch.no_grad()
def code(codec: Codec, faces: EncodedFaces, level: float) -> CodedFaces:
    """Code S to bytes, and transform F."""
    n = codec.networks
    columns = []
    for index in range(len(faces)):
        part = slice(index, index + 1)
        data = n.scn.compress(faces.w_plus[part].to(n.device), level)
        w_plus = n.scn.decompress(data, level).to(n.device, torch.float32)
        context = n.synthesis.feature(w_plus, 16)
        feature_s = n.synthesis.run(context, w_plus, 16, 32)
        y = n.fcn.base_latent(faces.feature[part].to(n.device).float(), feature_s, level)
        size = torch.tensor([float(len(data))])
        columns.append((w_plus.cpu(), size, context.half().cpu(), y.float().cpu()))
    return CodedFaces(level, *(torch.cat(column) for column in zip(*columns)))


class ExitLpips:
    """LPIPS at 256 px, through the generator's early exit, of decoded latents."""

    def __init__(self, codec: Codec) -> None:
        self.codec, self.lpips = codec, Lpips.pretrained().to(codec.device)

    @torch.no_grad()
    def distance(self, image: Tensor, w_plus_hat: Tensor, feature: Tensor | None = None) -> float:
        """Of one face, each argument with a batch axis of 1; without F^ from S^ alone."""
        n = self.codec.networks
        w_plus = w_plus_hat.to(n.device)
        assert n.preview is not None
        if feature is None:
            feature = n.synthesis.feature(w_plus)
        rendered = render_exit(n.synthesis, n.preview, feature.to(n.device), w_plus)
        return self.lpips(rendered, image.to(n.device)).item()

    @torch.no_grad()
    def latent_distance(
        self, image: Tensor, w_plus_hat: Tensor, y_hat: Tensor, level: float
    ) -> float:
        """As ``distance``, from the latent of F: y^ (1, 128, 16, 16)."""
        n = self.codec.networks
        feature_s = n.synthesis.feature(w_plus_hat.to(n.device))
        feature = n.fcn.base_restore(y_hat.to(n.device), feature_s, level)
        return self.distance(image, w_plus_hat, feature)
