"""`compare`: a photo in, our picture and those of other codecs in the same bytes out."""

from __future__ import annotations

import gradio as gr

from app.components.api import PUBLIC, face_inputs, level_input, require
from app.components.events import friendly
from app.components.images import PhotoInput
from app.files import keep_picture
from app.services.baselines import CODECS, NAMES, as_json
from app.studio import Studio
from hsc.errors import HscError


def add(studio: Studio) -> None:
    """Add the endpoint inside a hidden column."""

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
            setting, LPIPS and PSNR at 256 pixels and the distances of two recognisers, dlib
            ("identity") and FaceRes ("faceres"), at full size and at the best smaller one.
        """
        require(photo, "a photo")
        for name in codecs or []:
            if name not in CODECS:
                raise HscError(f"The codecs are {', '.join(CODECS)}, not {name!r}.")
        result = studio.compress(photo, float(level), int(face), bool(align))
        file = result.file()
        budget, picture = len(file), studio.decode(file).picture
        figures = studio.measures.measure(result.crop, picture)
        ours = {
            "bytes": budget,
            "lpips": figures.lpips,
            "psnr": figures.psnr,
            "identity": figures.identity,
            "faceres": figures.faceres,
        }
        others = studio.baselines.steps(result.crop, budget, codecs or NAMES)
        baselines = {baseline.name: baseline for baseline in others}
        pictures = [
            (keep_picture(result.crop, "original.png"), "original"),
            (keep_picture(picture, "hsc.png"), f"HSC, {budget} bytes"),
        ]
        for baseline in baselines.values():
            if baseline.best:
                path = keep_picture(baseline.best.picture, f"{baseline.name}.png")
                pictures.append((path, baseline.best.note))
        return pictures, {"hsc": ours, "others": [as_json(each) for each in baselines.values()]}

    inputs = [
        PhotoInput(label="Photo"),
        level_input(),
        gr.Dropdown(list(CODECS), value=[], multiselect=True, label="Codecs"),
        *face_inputs(),
    ]
    outputs = [gr.Gallery(label="pictures", format="png"), gr.JSON(label="figures")]
    gr.Button("compare").click(compare, inputs, outputs, api_name="compare", **PUBLIC)
