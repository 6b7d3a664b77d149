"""How it works, what it must not be used for, whose work it is, and what is running here."""

from __future__ import annotations

from app.components.events import Update
from app.protocols import FaceCodec
from app.tabs.about import html
from app.tabs.about.view import AboutView
from app.tabs.base import Opens, Tab


class AboutTab(Tab):
    """Texts, and the facts of the running model."""

    name = "about"
    title = "About"
    in_row = False

    def build(self, tab: Opens) -> None:
        self.view = AboutView()
        self.fitted = [self.view.running]

    def fit(self, codec: FaceCodec) -> Update:
        """Say which model runs here, on what, and with which weights."""
        return {self.view.running: html.running(codec, self.studio.model)}
