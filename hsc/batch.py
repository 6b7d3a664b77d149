"""Many pictures in one call: several edits of one file, or many files."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import torch
from PIL import Image

from hsc.decoder import Decoder
from hsc.errors import HscError
from hsc.images.tensors import to_pictures
from hsc.types import DecodedLatents

Edits = Mapping[str, float]
AT_ONCE = 16
"""Pictures on their way at a time: 16 of 1024 px take 200 MB as float32."""


def pair_edits(
    files: DecodedLatents | Sequence[DecodedLatents], edits: Edits | Sequence[Edits] | None
) -> list[tuple[DecodedLatents, Edits]]:
    """Each file with its edits: one file with many, many with the same, or one to one.

    Raises:
        HscError: two lists of different lengths.
    """
    if isinstance(files, DecodedLatents):
        every = [edits or {}] if edits is None or isinstance(edits, Mapping) else edits
        return [(files, each) for each in every]
    if edits is None or isinstance(edits, Mapping):
        return [(file, edits or {}) for file in files]
    if len(files) != len(edits):
        raise HscError(f"expected as many edits as files, got {len(edits)} for {len(files)}.")
    return list(zip(files, edits))


@torch.no_grad()
def render_batch(
    decoder: Decoder,
    pairs: Sequence[tuple[DecodedLatents, Edits]],
    keep_details: float,
    preview: bool,
) -> list[Image.Image]:
    """The pictures in order; a GPU renders up to ``AT_ONCE`` of them together.

    Args:
        preview: 256-px previews instead of 1024-px pictures.
    """
    pictures: list[Image.Image] = []
    # batches are no faster on a CPU, may round differently, and need memory for all float pictures
    size = 1 if decoder.networks.device.type == "cpu" else AT_ONCE
    for start in range(0, len(pairs), size):
        # semantics alone and whole files may be rendered by different blocks
        parts = groupby(pairs[start : start + size], lambda pair: pair[0].semantics_alone)
        for semantics_alone, part in parts:
            latents = [decoder.apply_edits(*pair, keep_details) for pair in part]
            feature, w_plus = (torch.cat(column) for column in zip(*latents))
            rendered = decoder.render(
                feature, w_plus, semantics_alone=semantics_alone, preview=preview
            )
            pictures += to_pictures(rendered)
    return pictures
