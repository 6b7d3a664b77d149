"""The named endpoints: typed, documented, and apart from the page's own events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from app.components import MODEL_EVENT, PhotoInput, friendly
from app.files import keep_bytes, keep_picture
from app.service import LAYERS, Studio
from hsc.errors import BitstreamError, HscError

PUBLIC: dict[str, Any] = MODEL_EVENT | {"api_visibility": "public"}


def add_endpoints(studio: Studio) -> None:
    """Add `compress` and `decode`; call it inside the page's `gr.Blocks`.

    They hang on components of their own that are never shown, because an endpoint takes its names
    and types from them.
    """

    @friendly
    def compress(
        photo: str,
        level: float = 3.0,
        layers: str = "scn+fcn",
        face: int = 0,
        align: bool = True,
    ) -> tuple[str, str, dict]:
        """Compress the face in a photo to a .hsc file, and draw it from that file.

        Args:
            photo: a picture file of any common kind.
            level: bitrate level, from 1 (smallest) to 6.
            layers: "scn+fcn", or "scn" for a smaller file without the FCN layer.
            face: which face, 0 being the largest.
            align: False takes the centre of the picture instead of looking for a face.

        Returns:
            The .hsc file, the picture that it draws, and its sizes in bytes with bpp and ratio.
        """
        if not photo:
            raise HscError("Expected a photo and got none: upload one first.")
        if layers not in ("scn", "scn+fcn"):
            raise HscError(f'The layers of a file are "scn" or "scn+fcn", not {layers!r}.')
        result = studio.compress(photo, float(level), int(face), bool(align), layers=layers)
        drawn = result.picture_both if "fcn" in layers else result.picture_scn
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
            "seconds": dict(result.seconds),
            "device": result.device,
        }  # fmt: skip
        return (
            keep_bytes(result.file(layers), "face.hsc"),
            keep_picture(drawn, "decoded.png"),
            facts,
        )

    @friendly
    def decode(
        file: str, layers: str = "scn+fcn", edits: dict | None = None
    ) -> tuple[str, dict]:
        """Draw the picture of a .hsc file.

        Args:
            file: a .hsc file.
            layers: "scn+fcn", "scn" or "fcn".
            edits: amount by name of edit, for example {"smile": 0.5}.

        Returns:
            The picture, 1024 x 1024, and what the file's header says.
        """
        if not file:
            raise BitstreamError("Expected a .hsc file and got none: upload one first.")
        decoded = studio.decode(Path(file).read_bytes(), layers, _amounts(edits))
        return keep_picture(decoded.picture, "decoded.png"), dict(decoded.facts)

    with gr.Column(visible=False):
        photo = PhotoInput(label="Photo")
        level = gr.Number(3, label="Bitrate level, 1 to 6")
        carried = gr.Dropdown(["scn", "scn+fcn"], value="scn+fcn", label="Layers in the file")
        face = gr.Number(0, precision=0, label="Face, 0 is the largest")
        align = gr.Checkbox(True, label="Look for a face")
        file = gr.File(label="hsc file")
        drawn_layers = gr.Dropdown(list(LAYERS), value="scn+fcn", label="Layers to draw")
        edits = gr.JSON({}, label="Edits")
        made = gr.File(label="hsc_file")
        drawn = gr.Image(label="picture", format="png", type="filepath")
        sizes = gr.JSON(label="sizes")
        picture = gr.Image(label="picture", format="png", type="filepath")
        facts = gr.JSON(label="facts")
        gr.Button("compress").click(
            compress,
            [photo, level, carried, face, align],
            [made, drawn, sizes],
            api_name="compress",
            **PUBLIC,
        )
        gr.Button("decode").click(
            decode, [file, drawn_layers, edits], [picture, facts], api_name="decode", **PUBLIC
        )


def _amounts(edits: Any) -> dict[str, float]:
    if not edits:
        return {}
    try:
        return {str(name): float(amount) for name, amount in edits.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise HscError(
            'The edits must be amounts by name, such as {"smile": 0.5}.'
        ) from error
