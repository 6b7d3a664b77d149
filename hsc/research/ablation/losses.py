"""FCN finetuned on feature error alone, and on the error of the rendered picture as well."""

import copy

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.codec import Codec
from hsc.generators.exits import render_exit
from hsc.generators.pretrained import load_generator, load_preview
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import gradient_autocast
from hsc.research.ablation.samples import CodedFaces, EncodedFaces
from hsc.research.training.rate import RatePrice, random_level

LEARNING_RATE = 2e-4
BATCH = 4


def tune(codec: Codec, faces: EncodedFaces, steps: int, pictures: bool) -> FeatureCodec:
    """Train a copy of the shipped FCN on, on the same faces and levels either way.

    Args:
        pictures: add LPIPS and the squared error of the picture that the generator's 256-px exit
            renders.
    """
    device = codec.device
    fcn = copy.deepcopy(codec.networks.fcn).train().requires_grad_(True)
    semantics, lpips = codec.networks.scn, Lpips.pretrained().to(device)
    synthesis, head, price = load_generator(device).synthesis, load_preview(device), RatePrice()
    optimiser = torch.optim.AdamW(fcn.parameters(), LEARNING_RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        torch.manual_seed(step)
        index, level = torch.randint(len(faces), (BATCH,)), random_level(torch.default_generator)
        columns = (faces.images, faces.w_plus, faces.feature)
        images, w_plus, feature = (c[index].float().to(device) for c in columns)
        with torch.no_grad():
            w_plus_hat, scn_bits = semantics(w_plus, level)
            context = synthesis.feature(w_plus_hat, 16)  # (B, 512, 16, 16)
            feature_s = synthesis.run(context, w_plus_hat, 16, 32)  # (B, 512, 32, 32)
        with gradient_autocast(device):
            feature_hat, bits = fcn(feature, level, Semantics(feature_s, context))
            rendered = render_exit(synthesis, head, feature_hat, w_plus_hat) if pictures else None
        error = fcn.normalised(feature_hat - feature)
        loss = 2 * F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.5)
        if rendered is not None:
            loss = (
                loss + lpips(rendered.float(), images).mean() + F.mse_loss(rendered.float(), images)
            )
        cost, _ = price.charge(bits, scn_bits, level)
        loss = loss + cost
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(fcn.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return fcn.eval().requires_grad_(False)


@torch.no_grad()
def code(
    codec: Codec, fcn: FeatureCodec, faces: EncodedFaces, coded: CodedFaces
) -> tuple[Tensor, list[Tensor]]:
    """Code F of every face for real.

    Returns:
        Bytes of the FCN layer (N,), and F^ of each face.
    """
    n = codec.networks
    fcn.update(n.tables)
    found_bytes, features = [], []
    for index in range(len(faces)):
        part = slice(index, index + 1)
        exact = coded.w_plus_hat[part].double()
        feature_s = n.synthesis.feature(coded.w_plus_hat[part].to(n.device))
        semantics = n.semantics(exact, feature_s)
        feature = faces.feature[part].to(n.device).float()
        y = fcn.base_latent(feature, feature_s, coded.level)
        data = fcn.coder.base.compress(y, semantics.context, coded.level)
        found_bytes.append(float(len(data)))
        y_hat = fcn.coder.base.decompress(data, semantics.context, coded.level)
        features.append(fcn.base_restore(y_hat, feature_s, coded.level).cpu())
    return torch.tensor(found_bytes), features
