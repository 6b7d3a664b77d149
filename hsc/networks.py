"""All networks of the codec, loaded once."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hsc.bitstream.rans import CdfTables
from hsc.config import CodecConfig
from hsc.editing.plausibility import Plausibility
from hsc.editing.table import EditTable
from hsc.generators.backends import build_backend, resolve_backend
from hsc.generators.base import ExactFeatures, MappingNetwork, Renderer, SynthesisNetwork
from hsc.generators.exits import ExitHead
from hsc.generators.pretrained import load_finetuned, load_generator, load_preview
from hsc.inversion.encoder import InversionEncoder
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.gaussian import load_tables
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.weights.loading import ModelId, load_into, model_config, model_id, path_of
from hsc.weights.model_id import FINETUNED


@dataclass(frozen=True)
class Networks:
    """Frozen networks on one device.

    Attributes:
        folder: where the weights are from, None for the shipped ones.
        config: what they are sized for.
        backend: how the generator draws, one of ``hsc.generators.backends.BACKENDS``.
        generator: the same network as it was trained, whatever the backend: what an encoder
            writes must not depend on how pictures are drawn.
        synthesis: ``generator`` in the backend.
        renderer: renders files with a feature map: ``synthesis`` with blocks above F that were
            finetuned on photographs, where the weights have such (``FINETUNED``).
        renderer_preview: 256-px exit of ``renderer``; None: previews of files are those of
            ``synthesis`` too.
        encoder: None in a decode-only installation.
        preview: the 256-px exit of ``synthesis``, None where its weights are missing.
        self_renderer: gives the encoder feedback, None in a decode-only installation.
        plausibility: how far edits may go together, None where its weights are missing: then
            nothing is held back.
        scn, fcn: the two layers; what their bytes depend on lives on the CPU, exactly.
        context: the generator's exact features of S^, which FCN's entropy model is given.
    """

    folder: Path | None
    config: CodecConfig
    device: torch.device
    backend: str
    model: ModelId
    mapping: MappingNetwork
    generator: SynthesisNetwork
    synthesis: Renderer
    renderer: Renderer
    renderer_preview: ExitHead | None
    scn: SemanticCodec
    fcn: FeatureCodec
    context: ExactFeatures
    tables: CdfTables
    edits: EditTable
    encoder: InversionEncoder | None
    preview: ExitHead | None
    self_renderer: SelfRenderer | None
    plausibility: Plausibility | None = None

    def semantics(self, w_plus_hat: Tensor, feature_s: Tensor) -> Semantics:
        """What FCN is coded with.

        Args:
            w_plus_hat: S^ as ``scn.decompress`` gives it.
            feature_s: G_F(S^).
        """
        return Semantics(feature_s, self.context.feature(w_plus_hat))


def load_networks(
    device: torch.device, folder: Path | None = None, backend: str | None = None
) -> Networks:
    """Load from a weights folder (the shipped one by default).

    Raises:
        WeightsError: a file is missing or does not fit.
        HscError: no such backend, or not on this device.
    """
    backend = resolve_backend(device, backend)
    config = model_config(folder)
    generator = load_generator(device, folder)
    synthesis = renderer = build_backend(generator.synthesis, backend)
    file_preview = None
    if (decoder := path_of(FINETUNED, folder)).is_file():
        finetuned = load_finetuned(generator.synthesis, decoder)
        renderer = build_backend(finetuned.synthesis, backend)
        file_preview = finetuned.preview
    scn = load_into(SemanticCodec(config=config), path_of("scn", folder))
    fcn = load_into(FeatureCodec(config), path_of("fcn", folder))
    tables = load_tables(path_of("entropy", folder))
    encoder = _load_encoder(config, device, path_of("inversion", folder))
    # copied to exact arithmetic before the moves, so that no device has touched the numbers
    scn.update(tables)
    fcn.update(tables)
    return Networks(
        folder,
        config,
        device,
        backend,
        model_id(folder),
        generator.mapping,
        generator.synthesis,
        synthesis=synthesis,
        renderer=renderer,
        renderer_preview=file_preview,
        scn=scn.to(device),
        fcn=fcn.to(device),
        context=generator.exact_features(config.context_px),
        tables=tables,
        edits=EditTable.load(path_of("edits", folder), config.generator.w_plus_shape),
        encoder=encoder,
        preview=load_preview(device, folder) if path_of("preview", folder).is_file() else None,
        self_renderer=SelfRenderer.load(device, folder) if encoder else None,
        plausibility=Plausibility.load(usual)
        if (usual := path_of("plausibility", folder)).is_file()
        else None,
    )


def _load_encoder(config: CodecConfig, device: torch.device, path: Path) -> InversionEncoder | None:
    if not path.is_file():
        return None
    encoder = load_into(InversionEncoder(config), path)
    return encoder.to(device, memory_format=torch.channels_last)
