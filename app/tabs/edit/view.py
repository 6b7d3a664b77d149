"""Where things are on the Edit tab."""

from __future__ import annotations

import gradio as gr

from app.components.edit_sliders import EditSliders
from app.components.images import picture
from app.services.editing import PRESETS
from app.tabs.edit.html import PREVIEWS, PREVIEWS_SCRIPT, SOURCE_SCRIPT
from app.texts import text

NO_FACE = "Drop a .hsc file or a photo, or choose a face on the Compress tab."


class EditView:
    """The tab's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        with gr.Row(elem_id="editor"):
            with gr.Column(scale=5, min_width=320, elem_id="edit-controls"):
                self._controls()
            with gr.Column(scale=6, min_width=320, elem_id="edit-results"):
                self._results()

    def _controls(self) -> None:
        gr.Markdown(text("edit"), elem_id="edit-text")
        # no list of file types: phones grey out endings that they do not know
        self.file = gr.File(
            label="Another face: a .hsc file or a photo",
            type="filepath",
            height=96,
            elem_id="edit-file",
        )
        with gr.Row(elem_id="presets"):
            self.presets = {
                label: gr.Button(label, size="sm", min_width=60, elem_classes=["preset"])
                for label in PRESETS
            }
        self.sliders = EditSliders("edit")
        self.keep_details = gr.Slider(
            0,
            1,
            value=1,
            step=0.05,
            label="Keep details",
            info="How much of the file's own detail stays under an edit.",
            buttons=["reset"],
            elem_id="keep-details",
        )
        with gr.Row():
            self.reset = gr.Button("Reset all", size="sm", elem_id="edit-reset")
        gr.HTML(PREVIEWS, js_on_load=PREVIEWS_SCRIPT, elem_id="edit-previews")
        # pressed by script.js when a slider moves, unless the browser draws the preview
        self.follow = gr.Button("Draw a preview", elem_id="edit-follow")
        # pressed by script.js when a slider comes to rest
        self.settle = gr.Button("Draw the whole picture", elem_id="edit-settle")

    def _results(self) -> None:
        self.note = gr.HTML(elem_id="edit-note")
        with gr.Row(elem_id="edit-pair"):
            self.unedited = picture("From the file", "The face that the file draws", "edit-plain")
            self.edited = picture(
                "Edited", "The face that the file draws, edited", "edit-picture", download=True
            )
        self.source = gr.HTML(js_on_load=SOURCE_SCRIPT, elem_id="edit-source")
        self.meanings = gr.HTML(elem_id="edit-about")
        with gr.Tabs(elem_id="edit-more"):
            with gr.Tab("Strip", id="strip"):
                self._strip()
            with gr.Tab("Strength × bitrate", id="grid"):
                self._grid()
            with gr.Tab("Two faces", id="between"):
                self._two_faces()

    def _strip(self) -> None:
        names = [(edit.label, edit.name) for edit in self.sliders.edits]
        self.strip_of = gr.Dropdown(
            names,
            value=names[0][1],
            label="One edit alone, over its range: click a face to take it over",
            elem_id="strip-of",
        )
        self.strip = gr.Gallery(
            label="Strip",
            format="png",
            columns=7,
            height="auto",
            allow_preview=False,
            object_fit="cover",
            buttons=[],
            interactive=False,
            elem_id="edit-strip",
        )

    def _grid(self) -> None:
        names = [(edit.label, edit.name) for edit in self.sliders.edits]
        with gr.Row(elem_id="grid-ask"):
            self.grid_of = gr.Dropdown(
                names, value=names[0][1], label="Does it survive fewer bytes?", elem_id="grid-of"
            )
            self.draw_grid = gr.Button(
                "Draw the grid", size="md", elem_id="draw-grid", min_width=120
            )
        self.grid = gr.HTML(elem_id="grid")

    def _two_faces(self) -> None:
        with gr.Row(elem_id="between"):
            with gr.Column(min_width=220):
                self.other = gr.File(
                    label="The other face: a .hsc file or a photo",
                    type="filepath",
                    height=96,
                    elem_id="other-file",
                )
                self.invent = gr.Button("Invent one", size="sm", elem_id="invent-other")
                self.kind = gr.Radio(
                    [
                        ("Morph", "morph"),
                        ("Its pose and shape", "coarse"),
                        ("Its features and hair", "middle"),
                        ("Its colours", "fine"),
                    ],
                    value="morph",
                    label="What to take of the other",
                    elem_id="between-kind",
                )
                self.amount = gr.Slider(
                    0, 1, value=0.5, step=0.05, label="How far", elem_id="between-place"
                )
                self.animation_format = gr.Radio(
                    [("WebP", "webp"), ("GIF", "gif")],
                    value="webp",
                    label="Animation",
                    elem_id="animation-kind",
                )
                self.animate = gr.Button("Make the animation", size="md", elem_id="animate")
                self.save_animation = gr.DownloadButton(
                    "Download the animation", visible=False, elem_id="save-animation"
                )
            with gr.Column(min_width=220):
                self.between = picture(
                    "Between", "A face between the two", "between-picture", download=True
                )
                self.animation = gr.HTML(elem_id="moving")
