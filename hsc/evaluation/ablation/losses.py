"""FCN tuned on feature error alone, and tuned as it was trained: through the generator."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.codec import Codec
from hsc.evaluation.ablation.samples import Coded, Found
from hsc.fcn.feature_codec import FeatureCodec
from hsc.fcn.slice_coder import SliceCoder
from hsc.generator.pretrained import load_generator, load_preview
from hsc.training.feature import FeatureLoss
from hsc.training.inversion import InversionWeights, PictureLoss
from hsc.training.latents import LatentBatch

LEARNING_RATE = 2e-4
BATCH = 4


@dataclass
class Faces:
    """Batches of what the encoder found, as ``FeatureLoss`` asks for them."""

    found: Found

    def sample(self, n: int, device: torch.device, real_share: float = 1.0) -> LatentBatch:
        index = torch.randint(len(self.found), (n,))
        columns = (self.found.images, self.found.w_plus, self.found.feature)
        return LatentBatch(*(column[index].float().to(device) for column in columns))


def tune(codec: Codec, found: Found, steps: int, pictures: bool) -> FeatureCodec:
    """Train a copy of the shipped FCN on, the same batches either way.

    Args:
        pictures: the loss of stage "joint"; otherwise that of stage "feature".
    """
    from hsc.metrics.identity import FaceIdentity
    from hsc.metrics.lpips import Lpips

    torch.manual_seed(0)
    device = codec.device
    fcn = copy.deepcopy(codec.networks.fcn).train().requires_grad_(True)
    judges = Lpips.pretrained().to(device), FaceIdentity.pretrained().to(device)
    loss = FeatureLoss(
        fcn,
        codec.networks.scn.codec,
        load_generator(device).synthesis.bfloat16(),
        Faces(found),
        device,
        load_preview(device),
        PictureLoss(*judges, InversionWeights()),
    )
    optimiser = torch.optim.AdamW(fcn.parameters(), LEARNING_RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    step_loss = loss.pictures if pictures else loss.features
    for step in range(steps):
        torch.manual_seed(step)  # the same faces and levels for both losses
        value, _ = step_loss(BATCH, step)
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(fcn.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return fcn.eval().requires_grad_(False)


@torch.no_grad()
def code(
    codec: Codec, fcn: FeatureCodec, found: Found, coded: Coded
) -> tuple[Tensor, list[Tensor]]:
    """Code F of every face for real.

    Returns:
        Bytes of the FCN layer (N,), and F^ of each face.
    """
    n = codec.networks
    coder = SliceCoder(fcn, load_generator("cpu").synthesis, n.tables)
    found_bytes, features = [], []
    for index in range(len(found)):
        part = slice(index, index + 1)
        exact = coded.w_plus_hat[part].double()
        feature_s = n.synthesis.feature(coded.w_plus_hat[part].to(n.device))
        y = fcn.latent(found.feature[part].to(n.device).float(), feature_s, coded.level)
        data = coder.compress(y, exact, coded.level)
        y_hat = coder.decompress(data, exact, coded.level)
        found_bytes.append(float(len(data)))
        features.append(fcn.restore(y_hat, feature_s, coded.level).cpu())
    return torch.tensor(found_bytes), features
