"""The codec: photographs to ``.hsc`` bytes and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from hsc.batch import pair_edits, render_batch
from hsc.bitstream import unpack, with_layers
from hsc.bitstream.header import check_model
from hsc.decoder import Decoder
from hsc.editing.blend import Blender
from hsc.editing.plausibility import Held
from hsc.editing.table import Edit
from hsc.encoder import ANALYSIS_STEPS, Encoder
from hsc.errors import BitstreamError, HscError
from hsc.images import marks
from hsc.images.tensors import to_picture
from hsc.inversion.progress import ProgressReport
from hsc.latent_codecs.feature_slices.enhancement import ABOVE
from hsc.levels import REFINE_STEPS, target_bytes
from hsc.networks import Networks, load_networks
from hsc.rate import largest_file, level_within
from hsc.types import LAYERS, DecodedLatents, Inversion
from hsc.weights import hub
from hsc.weights.model_id import chosen_folder


class Codec:
    """Encoder and decoder over one set of networks.

    ``encode`` and ``decode`` are all that most callers need. ``analyse`` and ``compress`` are the
    two halves of ``encode``, for callers that try several levels of one picture.

    Attributes:
        device: where the networks run; entropy coding always runs on the CPU, exactly.
        backend: how the generator is run there, see ``hsc.generators.backends``.
        model_name, model_id: which decoder weights these are; a file names them.
        weights: their source, in words.
    """

    def __init__(self, networks: Networks, weights: str = hub.LOCAL) -> None:
        self.networks, self.weights = networks, weights
        self.encoder, self.decoder = Encoder(networks), Decoder(networks)
        self._blender = Blender(
            networks.synthesis.feature, networks.fcn.feature_std, networks.config.generator
        )
        self.device, self.backend = networks.device, networks.backend
        self.model_name, self.model_id = networks.model.name, networks.model.code

    @classmethod
    def load(
        cls, device: str = "auto", folder: Path | None = None, backend: str | None = None
    ) -> "Codec":
        """Load from a model's folder (that of the model in use by default); see ``hsc.load``."""
        folder = folder or chosen_folder()
        weights = f"from the folder {folder.name}" if folder else hub.provide()
        return cls(load_networks(_device(device), folder, backend), weights)

    @property
    def edit_names(self) -> tuple[Edit, ...]:
        """The edits that ``decode`` takes, with their labels and safe ranges."""
        return self.networks.edits.edits

    @property
    def corrects(self) -> bool:
        """Whether ``analyse`` and ``compress`` take gradient steps, which take seconds on a CPU. A
        model may come without the network for it."""
        return self.encoder.corrects

    def gradient_steps(self, level: float) -> tuple[int, int]:
        """How many ``analyse`` takes, and ``compress`` at a level; none without a correction."""
        return (ANALYSIS_STEPS, self.encoder.steps_at(level)) if self.corrects else (0, 0)

    def add_direction(
        self, name: str, direction: str | Path | Tensor, low: float = -3.0, high: float = 3.0
    ) -> None:
        """Add a custom edit: ``add_direction("mine", "mine.npy", low=-2, high=2)``.

        Args:
            direction: what an amount of 1 adds to w+, (512,) for all styles alike or (23, 512), or
                a ``.npy`` file of it; see :meth:`hsc.editing.table.EditTable.add_direction`.

        Raises:
            HscError: the name is taken, or the direction or its range does not fit.
        """
        self.networks.edits.add_direction(name, direction, low, high)

    def encode(
        self,
        image: Image.Image | bytes | str | Path,
        level: float = 3,
        *,
        align: bool = True,
        face: int = 0,
        refine: int = 0,
        max_bytes: int | None = None,
    ) -> bytes:
        """Compress the face in a picture.

        Args:
            image: a PIL picture, an encoded picture's bytes, or a path.
            level: 1 (fewest bytes) to 6, continuous in steps of 1/50.
            align: find the face and crop it as in FFHQ; otherwise the centre of the picture is
                encoded.
            face: which face, 0 being the largest.
            refine: gradient steps on the latents, for a better picture in as many bytes; 15 is a
                good number and takes seconds.
            max_bytes: take the level whose file is the largest of at most so many bytes, instead of
                ``level``.

        Returns:
            The bytes of a ``.hsc`` file.

        Raises:
            PhotoError: the picture cannot be read; NoFaceError: it shows no face.
            BitstreamError: the level is outside 1 to 6.
            HscError: the file of level 1 has more than ``max_bytes``.
        """
        from hsc.domains import align as align_to
        from hsc.domains import domain

        spec = self.networks.config.generator
        crop = align_to(domain(spec.domain), image, spec.image_px, face, find=align)
        latents = self.analyse(crop)
        if refine:
            if max_bytes is not None:  # refine at the level that will be used, or near it
                level = level_within(lambda each: self.about_bytes(latents, each), max_bytes)
            latents = self.refine(crop, latents, level, refine)
        return self.compress(latents, level, max_bytes=max_bytes)

    def analyse(
        self, crop: Image.Image, correct: bool = True, progress: ProgressReport | None = None
    ) -> Inversion:
        """Invert an aligned 1024 x 1024 face.

        Args:
            correct: find the fine styles of its pictures (:mod:`hsc.inversion.fine_styles`), and
                let ``compress`` correct them and F for its level by what the file draws
                (:mod:`hsc.inversion.correction`): better pictures, for some seconds on a small
                machine, and one to three at each level.
            progress: called after each gradient step with the number of steps done and the total;
                what it raises ends the work.

        Raises:
            PhotoError: the crop has another size. HscError: a decode-only installation.
        """
        return self.encoder.analyse(crop, correct, progress)

    def refine(
        self,
        crop: Image.Image,
        latents: Inversion,
        level: float,
        steps: int = REFINE_STEPS,
        progress: ProgressReport | None = None,
    ) -> Inversion:
        """Better latents for one picture, found by gradient steps through the codec itself.

        The file of the result is about as large, and its picture is closer to the original.

        Args:
            crop: the picture that ``analyse`` was given.
            latents: its result.
            level: the level that ``compress`` will be given.
            steps: each costs about as much as rendering a picture, more on a small machine.
            progress: called with the number of steps done and the total.

        Raises:
            PhotoError: the crop has another size. BitstreamError: the level is out of range.
        """
        for step, better in enumerate(self.refine_steps(crop, latents, level, steps), 1):
            latents = better
            if progress:
                progress(step, steps)
        return latents

    def refine_steps(
        self, crop: Image.Image, latents: Inversion, level: float, steps: int
    ) -> Iterator[Inversion]:
        """As :meth:`refine`, with the latents after each step.

        Stop by asking for no more. The last steps are the shortest, so a search that is stopped
        half way has gained a little less than one that was asked for half of the steps.
        """
        return self.encoder.refine(crop, latents, level, steps)

    def compress(
        self,
        latents: Inversion,
        level: float = 3,
        *,
        max_bytes: int | None = None,
        progress: ProgressReport | None = None,
    ) -> bytes:
        """The bytes of the latents that ``analyse`` gave; arguments and errors as ``encode``.

        Args:
            progress: as that of ``analyse``, where the level is given.
        """
        if max_bytes is None:
            return self.encoder.compress(latents, level, progress).pack()
        if latents.crop is not None:  # corrected once, for the level that will be used or near it
            about = level_within(lambda each: self.about_bytes(latents, each), max_bytes)
            latents = self.encoder.correct(latents, about)
        return largest_file(lambda each: self.compress(latents, each), max_bytes)

    def about_bytes(self, latents: Inversion, level: float) -> int:
        """About the size of a level's file, without the correction for it, which takes long.

        Corrected files are as large as others. Those with the enhancement slice, which
        gradient steps fill, are larger than that of level 5 by what the levels aim at.
        """
        plain = replace(latents, crop=None)
        enhances = self.networks.fcn.enhances(level) and latents.crop is not None
        at = ABOVE if enhances else level
        return round(len(self.compress(plain, at)) * target_bytes(level) / target_bytes(at))

    def decode(
        self,
        data: bytes,
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image:
        """Render the picture from the bytes alone.

        Args:
            data: the bytes of a ``.hsc`` file.
            layers: ``scn+fcn``; ``scn`` renders from the semantics alone; ``fcn`` renders the coded
                feature map with the styles of the mean face. A file that was cut after its SCN
                layer decodes as ``scn``.
            edits: amounts by name, e.g. ``{"smile": 1.0}``; see ``edit_names``.
            keep_details: how much detail of the feature map beyond the semantics an edit keeps: 1
                all that does not contradict the edit, 0 none where the edit changes something.
                Without edits it has no effect.

        Returns:
            1024 x 1024 RGB. It carries a mark that names the file; see ``hsc.images.marks``.

        Raises:
            BitstreamError: the bytes are not a file of this model, or are damaged.
            HscError: an unknown layer set or edit, or an amount outside its range.
        """
        opened = self.open(data, layers)
        picture = self.draw(opened, edits, keep_details)
        drawn = "scn" if opened.semantics_alone else layers  # the file may have no more
        return marks.put(picture, marks.decoded(bytes(data), drawn, edits, keep_details))

    def open(self, data: bytes, layers: str = "scn+fcn") -> DecodedLatents:
        """Read the bits of a file once, for callers that render several edits of it.

        ``decode(data, layers, edits)`` is ``draw(open(data, layers), edits)``.

        Raises:
            BitstreamError: as ``decode``. HscError: an unknown layer set.
        """
        if layers not in LAYERS:
            raise HscError(f"expected layers to be one of {', '.join(LAYERS)}, got {layers!r}.")
        container = unpack(bytes(data), allow_cut=layers == "scn")
        check_model(container.model_id, self.model_id)
        if layers == "fcn" and container.fcn is None:
            raise BitstreamError("this file has no FCN layer: decode it with layers scn.")
        return self.decoder.open(container, layers)

    def draw(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image:
        """The picture of an opened file, 1024 x 1024 RGB. Arguments and errors as ``decode``."""
        return self.draw_many(opened, edits, keep_details)[0]

    def preview(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float] | None = None,
        keep_details: float = 1.0,
    ) -> Image.Image:
        """An approximation of ``draw`` at 256 x 256, fast enough to follow a slider.

        Raises:
            HscError: as ``decode``. WeightsError: the preview exit's weights are missing.
        """
        return self.draw_many(opened, edits, keep_details, preview=True)[0]

    def decode_many(
        self,
        files: bytes | Sequence[bytes],
        layers: str = "scn+fcn",
        edits: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
        keep_details: float = 1.0,
        *,
        preview: bool = False,
    ) -> list[Image.Image]:
        """Decode in batches: one file with many edits, many files, or one edit for each file.

        Each picture is that of ``decode``. A file's bits are read once, and a GPU renders up to
        16 pictures together.

        Args:
            files: the bytes of one file or of several.
            edits: amounts by name for every picture, or one such mapping for each.
            preview: 256-px previews instead.

        Raises:
            HscError: as ``decode``, or there are not as many edits as files.
        """
        if isinstance(files, (bytes, bytearray, memoryview)):
            one = self.open(bytes(files), layers)
            return self.draw_many(one, edits, keep_details, preview=preview)
        opened = [self.open(data, layers) for data in files]
        return self.draw_many(opened, edits, keep_details, preview=preview)

    def draw_many(
        self,
        opened: DecodedLatents | Sequence[DecodedLatents],
        edits: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
        keep_details: float = 1.0,
        *,
        preview: bool = False,
    ) -> list[Image.Image]:
        """The pictures of opened files; arguments and errors as ``decode_many``.

        Each is marked as drawn by a network; see ``hsc.images.marks``.
        """
        _check_keep(keep_details)
        pairs = pair_edits(opened, edits)
        pictures = render_batch(self.decoder, pairs, keep_details, preview)
        for picture, (latents, amounts) in zip(pictures, pairs):
            marks.put(picture, marks.edited(latents.layers, amounts, keep_details))
        return pictures

    def held_back(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float],
        keep_details: float = 1.0,
    ) -> Held:
        """How far edits go together, and the share of every amount that is carried out.

        ``draw`` and ``preview`` hold back by themselves; this says by how much. The share is 1
        where the edited face is one that the generator knows.

        Raises:
            HscError: as ``decode``.
        """
        _check_keep(keep_details)
        return self.decoder.held(opened, edits, keep_details)

    def compress_edited(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float],
        level: float,
        keep_details: float = 1.0,
    ) -> bytes:
        """A file of its own of an edited face: the latents that ``draw`` renders, coded anew.

        Its picture is that of ``draw(opened, edits)`` but for the rounding at that level. A face
        that was opened from its semantics alone gives a file of semantics alone.

        Args:
            level: 1 to 6, as ``encode``; usually that of the file that was opened.

        Raises:
            HscError: as ``decode``. BitstreamError: the level is outside 1 to 6.
        """
        _check_keep(keep_details)
        feature, w_plus = self.decoder.apply_edits(opened, edits, keep_details)
        if opened.change is not None:
            w_plus = w_plus - opened.change
        edited = Inversion(
            w_plus, feature, self.decoder.feature_of(w_plus), enhanced=True,
            fine_s=opened.fine_s, fine=opened.fine,
        )  # fmt: skip
        data = self.compress(edited, level)
        return with_layers(data, "scn") if opened.semantics_alone else data

    def morph(
        self, a: bytes | DecodedLatents, b: bytes | DecodedLatents, t: float
    ) -> DecodedLatents:
        """Interpolate between two files; the result can be given to ``draw`` and ``preview``.

        Raises:
            HscError: ``t`` is outside of 0 to 1. BitstreamError: as ``decode``.
        """
        first, second = self._faces([a, b])
        return self._blender.morph(first, second, t)

    def mix(
        self,
        a: bytes | DecodedLatents,
        b: bytes | DecodedLatents,
        layers: str | Sequence[str],
        t: float = 1.0,
    ) -> DecodedLatents:
        """The face of ``a`` with layers of ``b``: ``coarse``, ``middle``, ``fine``, or several.

        Args:
            t: how far on the way from ``a`` to that.

        Raises:
            HscError: an unknown layer, or ``t`` is outside of 0 to 1. BitstreamError: as
                ``decode``.
        """
        first, second = self._faces([a, b])
        return self._blender.mix(first, second, layers, t)

    def average(self, faces: Sequence[bytes | DecodedLatents]) -> DecodedLatents:
        """The mean of faces. Raises HscError for none, BitstreamError as ``decode``."""
        return self._blender.average(self._faces(faces))

    def _faces(self, faces: Sequence[bytes | DecodedLatents]) -> list[DecodedLatents]:
        return [face if isinstance(face, DecodedLatents) else self.open(face) for face in faces]

    @torch.no_grad()
    def random_face(self, seed: int, truncation: float = 0.7) -> Image.Image:
        """A generated face, which shows no real person: 1024 x 1024, from a seed."""
        n = self.networks
        spec = n.config.generator
        z = torch.randn(1, spec.style_dim, generator=torch.Generator().manual_seed(seed))
        w = n.mapping(z.to(self.device), truncation)
        picture = to_picture(n.synthesis(w[:, None].expand(-1, spec.styles, -1)))
        return marks.put(picture, marks.generated(seed, truncation))


def _check_keep(keep_details: float) -> None:
    if not isinstance(keep_details, (int, float)) or not 0 <= keep_details <= 1:
        raise HscError(f"expected keep_details from 0 to 1, got {keep_details!r}.")


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda"):
        raise HscError(f"expected device auto, cpu or cuda, got {name!r}.")
    if name == "cuda" and not torch.cuda.is_available():
        raise HscError("no CUDA device is available here: use --device cpu.")
    return torch.device(name)
