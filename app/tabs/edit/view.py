"""Where things are on the Edit tab: the picture stays in view, what steers it is beside it."""

from __future__ import annotations

import gradio as gr

from app.components.edit_sliders import EditSliders
from app.components.images import picture
from app.components.local_previews import LocalPreviews
from app.services.clips import kinds
from app.services.editing import PRESETS, History, shipped_edits, usable_presets
from app.texts import text
from app.viewer import viewer

NO_FACE = "Drop a .hsc file or a photo, or choose a face on the Compress tab."
BELOW = {
    "strip": "an edit over its range",
    "grid": "edits by bitrate",
    "between": "two faces, morphed",
}
"""The parts below the picture, and what they are, for links to them."""
CLIPS = {"mp4": "MP4", "webp": "WebP", "gif": "GIF"}


class EditView:
    """The tab's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        self.history = gr.State(History())
        with gr.Row(elem_id="editor", elem_classes=["room"]):
            with gr.Column(elem_classes=["room-viewer"], elem_id="edit-results"):
                self.viewer = viewer(
                    "edit-viewer", "The decoded face before and after the edit", empty=NO_FACE
                )
                self.note = gr.HTML(elem_id="edit-note")
            with gr.Column(elem_classes=["room-panel"], elem_id="edit-controls"):
                self._controls()
        with gr.Tabs(elem_id="edit-more", elem_classes=["parts"]):
            with gr.Tab("Strip", id="strip"):
                self._strip()
            with gr.Tab("Strength × bitrate", id="grid"):
                self._grid()
            with gr.Tab("Two faces", id="between"):
                self._two_faces()

    def _controls(self) -> None:
        gr.Markdown(text("edit"), elem_id="edit-text")
        gr.HTML(_below(), elem_id="edit-below", apply_default_css=False)
        with gr.Row(elem_id="presets"):
            usable = usable_presets(shipped_edits())
            self.presets = {
                label: gr.Button(
                    label,
                    size="sm",
                    min_width=60,
                    elem_classes=["preset"],
                    visible=label in usable,
                )
                for label in PRESETS
            }
        with gr.Row(elem_id="edit-steps"):
            self.undo = gr.Button(
                "Undo", size="sm", min_width=60, interactive=False, elem_id="edit-undo"
            )
            self.redo = gr.Button(
                "Redo", size="sm", min_width=60, interactive=False, elem_id="edit-redo"
            )
            self.reset = gr.Button("Reset all", size="sm", min_width=60, elem_id="edit-reset")
            self.make_file = gr.Button(
                "Save as .hsc", size="sm", min_width=100, elem_id="edit-make-file"
            )
            self.save_picture = gr.DownloadButton(
                "Save the picture", size="sm", min_width=100, elem_id="edit-save-picture"
            )
        # pressed by the event that makes the file
        self.save_file = gr.DownloadButton("The edited file", elem_id="edit-save-file")
        self.saved = gr.HTML(elem_id="edit-saved")
        with gr.Column(elem_id="edit-sliders"):
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
        # below the sliders: what is said of one that is moved does not move it
        self.meanings = gr.HTML(elem_id="edit-about")
        self.previews = LocalPreviews("edit")
        # no list of file types: phones grey out endings that they do not know
        self.file = gr.File(
            label="Another face: a .hsc file or a photo",
            type="filepath",
            height=96,
            elem_id="edit-file",
        )

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
        with gr.Row(elem_id="between-three"):
            self.first = picture("This face", "The face that is edited", "between-first")
            self.between = picture(
                "Between", "A face between the two", "between-picture", download=True
            )
            self.second = picture("The other face", "The other face", "between-second")
        self.amount = gr.Slider(
            0,
            1,
            value=0.5,
            step=0.05,
            label="How far from this face to the other",
            buttons=[],
            elem_id="between-place",
        )
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
            with gr.Column(min_width=220):
                self.animation_format = gr.Radio(
                    [(CLIPS[kind], kind) for kind in kinds()],
                    value=kinds()[0],
                    label="Clip",
                    elem_id="animation-kind",
                )
                self.animate = gr.Button("Make the clip", size="md", elem_id="animate")
                self.save_animation = gr.DownloadButton(
                    "Download the clip", visible=False, elem_id="save-animation"
                )
                self.animation = gr.HTML(elem_id="moving")


def _below() -> str:
    """Links to the parts below the picture; script.js opens them."""
    links = ", ".join(
        f'<a href="#edit-more" data-below="{name}">{words}</a>' for name, words in BELOW.items()
    )
    return f'<p class="note">Further down: {links}.</p>'
