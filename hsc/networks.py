"""All networks of the codec, loaded once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import Module

from hsc.bitstream.rans import CdfTables
from hsc.editing.table import EditTable
from hsc.generators.backends import Renderer, build_backend, resolve_backend
from hsc.generators.mobilestylegan.exits import ExitHead
from hsc.generators.mobilestylegan.mapping import Mapping
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.generators.pretrained import load_generator
from hsc.inversion.encoder import InversionEncoder
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.coder import SliceCoder
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.gaussian import load_tables
from hsc.latent_codecs.styles_klt.coder import SemanticCoder
from hsc.latent_codecs.styles_klt.model import SemanticCodec
from hsc.weights.loading import ModelId, load_into, model_id, path_of


@dataclass(frozen=True)
class Networks:
    """Frozen networks on one device.

    Attributes:
        backend: how the generator draws, one of ``hsc.generators.backends.BACKENDS``.
        generator: the same network as it was trained, whatever the backend: what an encoder
            writes must not depend on how pictures are drawn.
        encoder: None in a decode-only installation.
        preview: the 256-px exit, None where its weights are missing.
        self_renderer: gives the encoder feedback, None in a decode-only installation.
        scn, slice_coder: the layers' entropy coders; they live on the CPU, exactly.
    """

    device: torch.device
    backend: str
    model: ModelId
    mapping: Mapping
    generator: Synthesis
    synthesis: Renderer
    scn: SemanticCoder
    fcn: FeatureCodec
    slice_coder: SliceCoder
    tables: CdfTables
    edits: EditTable
    encoder: InversionEncoder | None
    preview: ExitHead | None
    self_renderer: SelfRenderer | None


def load_networks(
    device: torch.device, folder: Path | None = None, backend: str | None = None
) -> Networks:
    """Load from a weights folder (the shipped one by default).

    Raises:
        WeightsError: a file is missing or does not fit.
        HscError: no such backend, or not on this device.
    """
    backend = resolve_backend(device, backend)
    generator = load_generator(device, folder)
    semantics = load_into(SemanticCodec(), path_of("scn", folder))
    fcn = load_into(FeatureCodec(), path_of("fcn", folder))
    tables = load_tables(path_of("entropy", folder))
    encoder = _optional(InversionEncoder, path_of("inversion", folder))
    preview = _optional(ExitHead, path_of("preview", folder))
    # copied to exact arithmetic before the moves, so that no device has touched the numbers
    scn, slice_coder = SemanticCoder(semantics), SliceCoder(fcn, generator.synthesis, tables)
    semantics.to(device)
    return Networks(
        device,
        backend,
        model_id(folder),
        generator.mapping,
        generator.synthesis,
        build_backend(generator.synthesis, backend),
        scn=scn,
        slice_coder=slice_coder,
        fcn=fcn.to(device),
        tables=tables,
        edits=EditTable.load(path_of("edits", folder)),
        encoder=encoder.to(device, memory_format=torch.channels_last) if encoder else None,
        preview=preview.to(device) if preview else None,
        self_renderer=SelfRenderer.load(device, folder) if encoder else None,
    )


def _optional(network: Callable[[], Module], path: Path) -> Module | None:
    return load_into(network(), path) if path.is_file() else None
