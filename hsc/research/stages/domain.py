"""Stages for a new domain: a small generator from pictures, and edits from any generator.

The model's folder is the one that HSC_MODEL names.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image

from hsc.config import CodecConfig
from hsc.domains import domain as domain_of
from hsc.errors import HscError
from hsc.generators.pretrained import load_generator
from hsc.generators.stylegan2 import spec_of
from hsc.images.tensors import to_pictures
from hsc.research import distributed
from hsc.research.convert.stylegan2 import save_model
from hsc.research.data.faces import list_faces, load_square
from hsc.research.edit_discovery.principal import PrincipalConfig, principal_table
from hsc.research.training.log import CsvLog
from hsc.research.training.loop import Checkpoint
from hsc.research.training.setting import Setting
from hsc.research.training.stylegan2 import (
    Adversaries,
    GeneratorNetworks,
    StyleGan2Config,
    averaged,
    train_generator,
)
from hsc.weights.model_id import VARIABLE, Model, path_of

OWN = "trained by this repository's command `hsc train stylegan2`"


@contextmanager
def using(folder: Path) -> Iterator[None]:
    """Everything within uses the model of a folder, as if HSC_MODEL named it."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def chosen() -> Path:
    """The folder that HSC_MODEL names; it need not be there yet. Raises HscError."""
    named = os.environ.get(VARIABLE)
    if not named:
        raise HscError(f"expected the folder of a model in {VARIABLE}: the shipped one stays.")
    return Path(named).expanduser()


@distributed.by_the_first
def stylegan2(setting: Setting) -> None:
    """Train a small generator on pictures, cut to their centre squares."""
    config, folder = setting.configured(StyleGan2Config), chosen()
    paths = list_faces(setting.data)
    if not paths:
        raise HscError("expected pictures to train on: add --data DIR.")
    images = torch.stack([load_square(path, config.image_px) for path in paths])
    spec = spec_of(config.channels, config.style_dim, "centre_crop")
    networks = GeneratorNetworks(spec).to(setting.device)
    checkpoint = Checkpoint(setting.work / "stylegan2", networks, config.decay)
    adversaries = Adversaries(networks, images, config)
    rival = Checkpoint(setting.work / "discriminator", adversaries.discriminator)
    if not setting.fresh:
        checkpoint.resume()
        rival.resume()
    log = CsvLog(setting.work / "stylegan2" / "log.csv")
    train_generator(checkpoint, rival, adversaries, setting.budget, log)
    averaged(checkpoint, networks)
    sizes = CodecConfig.around(spec, identity=domain_of(spec.domain).has_identity)
    about = Model(config.name, config.shows, config.licence, OWN, sizes, config.noun)
    save_model({k: v.cpu() for k, v in networks.state_dict().items()}, about, folder)
    print(f"generator in {folder}", flush=True)


@distributed.by_the_first
def principal(setting: Setting) -> None:
    """Write edits along the principal directions of w."""
    generator = load_generator(setting.device)
    table, shares = principal_table(
        generator.mapping, generator.spec, setting.configured(PrincipalConfig)
    )
    table.save(path_of("edits"))
    print("shares of variance", " ".join(f"{share:.2f}" for share in shares.tolist()), flush=True)


def sheet(path: Path, device: torch.device, count: int = 24, columns: int = 8) -> None:
    """A picture of the generator's own samples."""
    generator = load_generator(device)
    seeded = torch.Generator().manual_seed(1)
    z = torch.randn(count, generator.spec.style_dim, generator=seeded).to(device)
    with torch.no_grad():
        w = generator.mapping(z, 0.8)
        drawn = to_pictures(generator.synthesis(w[:, None].expand(-1, generator.spec.styles, -1)))
    px = generator.spec.image_px
    whole = Image.new("RGB", (columns * px, -(-count // columns) * px))
    for number, picture in enumerate(drawn):
        whole.paste(picture, (number % columns * px, number // columns * px))
    whole.save(path)
