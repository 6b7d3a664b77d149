"""The decoder: what a ``.hsc`` file holds to a picture, nothing else being known."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from hsc.bitstream import Container
from hsc.editing.apply import detail_weight, edit_feature, edit_styles
from hsc.editing.plausibility import NOTHING_HELD, Held
from hsc.errors import WeightsError
from hsc.generators.exits import render_exit
from hsc.networks import Networks
from hsc.types import DecodedLatents


class Decoder:
    """Bytes of the two layers -> S^, F^ -> picture.

    ::

        scn bytes -> SCN -> S^ -- + fine styles ---+-- (+ edit) --> styles --+
                            |                      |                         G -> x^
        fcn bytes -> FCN <--+-> F^ -- (carried along with d) ----> feature --+

        |------------- open -------------|------ apply_edits ------|- render -|

    The picture of S alone is drawn from its styles alone: its fine styles change G_F as well, and
    no other feature map is decoded. ``open`` is done once a file, the rest once an edit.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    @torch.no_grad()
    def open(self, container: Container, layers: str) -> DecodedLatents:
        """Read the bits.

        Args:
            container: unpacked file; without an FCN layer it is drawn from its semantics.
            layers: one of ``LAYERS``.
        """
        n = self.networks
        symbols = n.scn.read_symbols(container.scn, container.level)
        exact = n.scn.dequantise(torch.from_numpy(symbols), container.level)
        semantics = exact.to(n.device, torch.float32)  # (1, 23, 512)
        fine_s = n.scn.fine_latent(symbols, container.level)
        if layers == "scn" or container.fcn is None:
            change = n.scn.fine.change(fine_s)
            feature = n.synthesis.feature(semantics + change)  # (1, 512, 32, 32)
            return DecodedLatents(
                semantics + change, feature, feature, layers, fine_s=fine_s, change=change
            )
        feature_s = n.synthesis.feature(semantics)  # (1, 512, 32, 32)
        known = n.semantics(exact, feature_s)
        feature, fine = n.fcn.decompress_layer(container.fcn, container.level, known)
        if layers == "fcn":  # it is drawn with the styles of the mean face
            return DecodedLatents(semantics, feature_s, feature, layers)
        change = n.fcn.fine.change(fine)
        return DecodedLatents(
            semantics + change, feature_s, feature, layers,
            fine_s=fine_s, fine=fine, change=change,
        )  # fmt: skip

    @torch.no_grad()
    def apply_edits(
        self, opened: DecodedLatents, edits: Mapping[str, float], keep_details: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """The feature map and the styles to draw from.

        Args:
            edits: amounts by name.
            keep_details: from 0 to 1, how much of F^ to keep under an edit; see
                :func:`hsc.editing.edit_feature`.

        Whatever the edit, skin keeps its colour, as :meth:`hsc.editing.skin.Skin.restore` says.
        Edits that leave the faces that the generator knows are held back, see
        :mod:`hsc.editing.plausibility`.

        Returns:
            (1, 512, 32, 32) and (1, 23, 512), exactly those of the file without an edit.
        """
        n = self.networks
        feature, feature_s, w_plus = opened.feature, opened.feature_s, opened.w_plus
        weight = detail_weight(not opened.semantics_alone, keep_details)
        features = _Remembered(n.synthesis.feature)
        share = self._held(opened, edits, weight, features).share
        edits = {name: share * amount for name, amount in edits.items()}
        feature = edit_feature(
            n.edits, edits, features, n.fcn.feature_std, w_plus, feature_s, feature, keep_details,
            opened.lasting,
        )  # fmt: skip
        w_plus = edit_styles(w_plus, n.edits.offset(edits, weight))
        before = opened.w_plus
        if opened.layers == "fcn":
            before = w_plus = n.mapping.w_mean.expand_as(w_plus)
        if n.edits.skin and any(edits.values()):
            drawn = (opened.feature, before), (feature, w_plus)
            # its read-outs were fitted to the generator's own block above F, whatever renders
            feature = n.edits.skin.restore(n.generator, *drawn)
        return feature, w_plus

    @torch.no_grad()
    def held(
        self, opened: DecodedLatents, edits: Mapping[str, float], keep_details: float = 1.0
    ) -> Held:
        """How far edits go together, and the share of them that ``apply_edits`` carries out.

        Arguments and errors as ``apply_edits``.
        """
        weight = detail_weight(not opened.semantics_alone, keep_details)
        return self._held(opened, edits, weight, self.networks.synthesis.feature)

    def _held(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float],
        weight: float,
        features: Callable[[Tensor], Tensor],
    ) -> Held:
        n = self.networks
        n.edits.offset(edits, weight)  # refuses what is out of range, whatever is held back
        if n.plausibility is None:
            return NOTHING_HELD

        def shared(share: float) -> Tensor:
            amounts = {name: share * amount for name, amount in edits.items()}
            return features(edit_styles(opened.w_plus, n.edits.offset(amounts, weight)))

        return n.plausibility.held(opened.feature_s, edits, shared)

    @torch.no_grad()
    def feature_of(self, w_plus: Tensor) -> Tensor:
        """G_F: what semantics alone predict, (B, 23, 512) -> (B, 512, 32, 32)."""
        return self.networks.synthesis.feature(w_plus)

    @torch.no_grad()
    def render(
        self,
        feature: Tensor,
        w_plus: Tensor,
        *,
        semantics_alone: bool = False,
        preview: bool = False,
    ) -> Tensor:
        """Pictures of feature maps and styles, as ``apply_edits`` gives them.

        Args:
            feature: (B, 512, 32, 32). w_plus: (B, 23, 512).
            semantics_alone: the feature maps are what semantics predict, and no more: the
                generator's own faces, which its own blocks render, not those finetuned on files.
            preview: render 256 px through the preview exit, in a third of the time.

        Returns:
            (B, 3, 1024, 1024) or (B, 3, 256, 256), nominally in [-1, 1].

        Raises:
            WeightsError: the weights of the preview exit are missing.
        """
        n = self.networks
        if not preview:
            renderer = n.synthesis if semantics_alone else n.renderer
            return renderer.image(feature, w_plus)
        if n.renderer_preview is not None and not semantics_alone:
            return render_exit(n.renderer, n.renderer_preview, feature, w_plus)
        if n.preview is None:
            raise WeightsError("these weights cannot draw previews: preview is not among them.")
        return render_exit(n.synthesis, n.preview, feature, w_plus)


class _Remembered:
    """A network that need not compute its last answer again."""

    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self.network = network
        self._last: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        if self._last is None or not torch.equal(self._last[0], x):
            self._last = x, self.network(x)
        return self._last[1]
