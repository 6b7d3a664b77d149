"""Where things are in the part for the camera."""

from __future__ import annotations

import gradio as gr

from app.components.edit_sliders import EditSliders
from app.texts import text

EDITS = ("smile", "yaw", "age", "hair_light")
"""Those that are offered: what is worth seeing move along with a face."""

STAGE = """
<div class="live" id="live">
  <div class="live-pair">
    <figure class="live-camera">
      <div class="live-frame">
        <video muted playsinline aria-label="What the camera sees"></video>
        <svg preserveAspectRatio="xMidYMid slice" aria-hidden="true"><polygon/></svg>
        <p>Your camera shows here.</p>
      </div>
      <figcaption>Camera</figcaption>
    </figure>
    <figure class="live-decoded">
      <div class="live-frame">
        <img alt="The face that the bytes draw">
        <p>What its bytes draw shows here.</p>
      </div>
      <figcaption>From the bytes, drawn at 256 px</figcaption>
    </figure>
  </div>
  <p class="note live-note" role="status"></p>
  <dl class="live-figures">
    <div><dt>Frames a second</dt><dd data-live="fps">–</dd></div>
    <div><dt>Latency</dt><dd data-live="latency">–</dd></div>
    <div><dt>Rate</dt><dd data-live="rate">–</dd></div>
    <div><dt>Last frame</dt><dd data-live="last">–</dd></div>
  </dl>
  <figure class="live-history">
    <svg viewBox="0 0 120 40" preserveAspectRatio="none" role="img"
      aria-label="Bytes of the last frames, by layer"></svg>
    <figcaption><ul class="legend"><li class="scn">Essence (SCN)</li>
      <li class="fcn">Likeness (FCN)</li><li class="header">Header, place</li></ul></figcaption>
  </figure>
</div>
"""


class LiveView:
    """The part's components, as attributes; create it inside a `gr.Tab`."""

    def __init__(self) -> None:
        with gr.Row(elem_classes=["room"]):
            with gr.Column(elem_id="live-results", elem_classes=["room-viewer"]):
                gr.HTML(STAGE, elem_id="live-stage", apply_default_css=False)
            with gr.Column(elem_id="live-controls", elem_classes=["room-panel"]):
                self._controls()

    def _controls(self) -> None:
        with gr.Row():
            self.start = gr.Button("Start the camera", variant="primary", elem_id="live-start")
            self.stop = gr.Button("Stop", elem_id="live-stop")
            self.save = gr.Button("Download .hsv", elem_id="live-save")
        gr.Markdown(text("live"), elem_id="live-text")
        self.level = gr.Slider(
            1, 6, value=2, step=0.5, label="Bitrate level", buttons=["reset"],
            interactive=True, elem_id="live-level",
        )  # fmt: skip
        self.sliders = EditSliders("live-edit", only=EDITS)
        self.reset = gr.Button("Reset edits", size="sm", elem_id="live-reset")
        gr.Markdown(text("caveat"), elem_classes=["caveat"])
