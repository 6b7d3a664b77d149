"""`compress`: a photo in, its .hsc file and its picture out."""

from __future__ import annotations

import gradio as gr

from app.components.api import (
    PUBLIC,
    face_inputs,
    level_input,
    number,
    picture_output,
    require,
)
from app.components.events import friendly
from app.components.images import PhotoInput
from app.files import keep_bytes, keep_picture
from app.studio import Studio
from hsc.errors import HscError


def add(studio: Studio) -> None:
    """Add the endpoint inside a hidden column."""

    @friendly
    def compress(
        photo: str,
        level: float = 3.0,
        layers: str = "scn+fcn",
        face: int = 0,
        align: bool = True,
        refine: bool = False,
        max_bytes: int = 0,
    ) -> tuple[str, str, dict]:
        """Compress the face in a photo to a .hsc file, and render it from that file.

        Args:
            photo: a picture file of any common kind.
            level: bitrate level, from 1 (smallest) to 6.
            layers: "scn+fcn", or "scn" for a smaller file without the FCN layer.
            face: which face, 0 being the largest.
            align: False takes the centre of the picture instead of looking for a face.
            refine: search for a better picture in as many bytes: a minute on a CPU.
            max_bytes: take the level whose file is the largest of at most so many bytes, instead of
                `level`; 0 keeps `level`. The files meant are those with both layers.

        Returns:
            The .hsc file, the picture that it draws, and its sizes in bytes with bpp and ratio.
        """
        require(photo, "a photo")
        if layers not in ("scn", "scn+fcn"):
            raise HscError(f'The layers of a file are "scn" or "scn+fcn", not {layers!r}.')
        which, within = int(number(face, "face")), int(number(max_bytes or 0, "size"))
        level = number(level, "level")
        if within:
            level = studio.level_within(photo, within, which, bool(align))
        result = studio.compress(photo, level, which, bool(align), layers=layers)
        if refine:
            *_, result = (result, *studio.refine(result, max_bytes=within or None))
        picture = result.picture_both if "fcn" in layers else result.picture_scn
        assert picture is not None, "a finished result has its pictures"
        sizes = result.sizes(layers)
        facts = {
            "level": result.level,
            "layers": layers.split("+"),
            "bytes": {
                "header": sizes.header, "scn": sizes.scn, "fcn": sizes.fcn, "total": sizes.total
            },
            "bpp": sizes.bpp,
            "ratio": result.ratio(layers),
            "faces": len(result.prepared.faces),
            "refined": result.refined,
            "seconds": dict(result.seconds),
            "device": result.device,
        }  # fmt: skip
        return (
            keep_bytes(result.file(layers), "face.hsc"),
            keep_picture(picture, "decoded.png"),
            facts,
        )

    inputs = [
        PhotoInput(label="Photo"),
        level_input(),
        gr.Dropdown(["scn", "scn+fcn"], value="scn+fcn", label="Layers in the file"),
        *face_inputs(),
        gr.Checkbox(False, label="Refine"),
        gr.Number(0, precision=0, label="Bytes at most, 0 for the level"),
    ]
    outputs = [
        gr.File(label="hsc_file"),
        picture_output(),
        gr.JSON(label="sizes"),
    ]
    gr.Button("compress").click(compress, inputs, outputs, api_name="compress", **PUBLIC)
