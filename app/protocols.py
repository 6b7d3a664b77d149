"""What the services need of a codec. `hsc.Codec` has it, and so has the tests' stand-in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from hsc.inversion.progress import ProgressReport

if TYPE_CHECKING:  # these bring PyTorch, for which the page does not wait
    import torch

    from hsc.decoder import Decoder
    from hsc.editing.plausibility import Held
    from hsc.networks import Networks
    from hsc.types import DecodedLatents, Inversion


class EditInfo(Protocol):
    """A row of the table of edits; see `hsc.editing.table.Edit`."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def step(self) -> float: ...
    @property
    def description(self) -> str: ...
    @property
    def group(self) -> str: ...


class FaceCodec(Protocol):
    """Arguments, results and errors are those of `hsc.Codec`."""

    @property
    def device(self) -> torch.device: ...
    @property
    def backend(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def model_name(self) -> str: ...
    @property
    def model_id(self) -> int: ...
    @property
    def networks(self) -> Networks: ...
    @property
    def decoder(self) -> Decoder: ...
    @property
    def edit_names(self) -> tuple[EditInfo, ...]: ...

    @property
    def corrects(self) -> bool: ...

    def gradient_steps(self, level: float) -> tuple[int, int]: ...

    def analyse(
        self, crop: Image.Image, correct: bool = True, progress: ProgressReport | None = None
    ) -> Inversion: ...

    def refine(
        self,
        crop: Image.Image,
        latents: Inversion,
        level: float,
        steps: int,
        progress: ProgressReport | None,
    ) -> Inversion: ...

    def refine_steps(
        self, crop: Image.Image, latents: Inversion, level: float, steps: int
    ) -> Iterator[Inversion]: ...

    def compress(
        self,
        latents: Inversion,
        level: float = 3,
        *,
        max_bytes: int | None = None,
        progress: ProgressReport | None = None,
    ) -> bytes: ...

    def about_bytes(self, latents: Inversion, level: float) -> int: ...

    def decode(self, data: bytes, layers: str = "scn+fcn") -> Image.Image: ...

    def open(self, data: bytes, layers: str = "scn+fcn") -> DecodedLatents: ...

    def draw(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image: ...

    def preview(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image: ...

    def draw_many(
        self,
        opened: DecodedLatents,
        edits: Sequence[Mapping[str, float]],
        keep_details: float = 1.0,
        *,
        preview: bool = False,
    ) -> list[Image.Image]: ...

    def held_back(
        self, opened: DecodedLatents, edits: Mapping[str, float], keep_details: float = 1.0
    ) -> Held: ...

    def compress_edited(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float],
        level: float,
        keep_details: float = 1.0,
    ) -> bytes: ...

    def morph(self, a: DecodedLatents, b: DecodedLatents, t: float) -> DecodedLatents: ...

    def mix(
        self, a: DecodedLatents, b: DecodedLatents, layers: str, t: float = 1.0
    ) -> DecodedLatents: ...

    def random_face(self, seed: int) -> Image.Image: ...
