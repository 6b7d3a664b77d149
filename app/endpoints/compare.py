"""`compare`: a photo in, our picture and those of other codecs in the same bytes out."""

from __future__ import annotations

import gradio as gr

from app.components import PhotoInput, friendly
from app.endpoints.common import PUBLIC, require
from app.files import keep_picture
from app.services.baselines import NAMES, described
from app.studio import Studio
from hsc.baselines import CODECS
from hsc.errors import HscError


def add(studio: Studio) -> None:
    """Add the endpoint inside a hidden column."""
    same_bytes, measures = studio.baselines, studio.measures

    @friendly
    def compare(
        photo: str,
        level: float = 3.0,
        codecs: list[str] | None = None,
        face: int = 0,
        align: bool = True,
    ) -> tuple[list, dict]:
        """Code a face with HSC, and with other codecs in as many bytes.

        Args:
            photo: a picture file of any common kind.
            level: bitrate level of HSC, from 1 (smallest) to 6; it sets the number of bytes.
            codecs: of "jpeg", "webp", "avif", "heic", "jxl" and "vvc"; all but the last, which is
                slow, by default. One that is not installed says so.
            face: which face, 0 being the largest.
            align: False takes the centre of the picture instead of looking for a face.

        Returns:
            The pictures with captions, and for each codec its bytes, size in pixels, quality
            setting, LPIPS and PSNR at 256 pixels and identity distance, at full size and at the
            best smaller one.
        """
        require(photo, "a photo")
        for name in codecs or []:
            if name not in CODECS:
                raise HscError(f"The codecs are {', '.join(CODECS)}, not {name!r}.")
        result = studio.compress(photo, float(level), int(face), bool(align))
        budget = len(result.data)
        figures = measures.measure(result.crop, result.picture_both)
        ours = {
            "bytes": budget,
            "lpips": figures.lpips,
            "psnr": figures.psnr,
            "identity": figures.identity,
        }
        others = same_bytes.steps(result.crop, budget, codecs or NAMES)
        rivals = {rival.name: rival for rival in others}
        pictures = [
            (keep_picture(result.crop, "original.png"), "original"),
            (keep_picture(result.picture_both, "hsc.png"), f"HSC, {budget} bytes"),
        ]
        for rival in rivals.values():
            if not rival.missing:
                path = keep_picture(rival.best.picture, f"{rival.name}.png")
                pictures.append((path, rival.best.note))
        return pictures, {"hsc": ours, "others": [described(each) for each in rivals.values()]}

    inputs = [
        PhotoInput(label="Photo"),
        gr.Number(3, label="Bitrate level, 1 to 6"),
        gr.Dropdown(list(CODECS), value=[], multiselect=True, label="Codecs"),
        gr.Number(0, precision=0, label="Face, 0 is the largest"),
        gr.Checkbox(True, label="Look for a face"),
    ]
    outputs = [gr.Gallery(label="pictures", format="png"), gr.JSON(label="figures")]
    gr.Button("compare").click(compare, inputs, outputs, api_name="compare", **PUBLIC)
