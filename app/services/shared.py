"""The services that tabs and endpoints share: each made once, so that each thing is done once."""

from __future__ import annotations

from app.service import Studio
from app.services.editing import Editing
from app.services.exploring import Exploring
from app.services.measure import Measures
from app.services.same_bytes import SameBytes
from app.services.seeing import Seeing
from app.services.spending import SpendingOf
from app.services.sweeping import Sweeping


class Shared:
    """One of each, over one studio. They load what they need when it is first needed."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.editing = Editing(studio)
        self.exploring = Exploring(studio)
        self.measures = Measures(studio.memory)
        self.same_bytes = SameBytes(self.measures, studio.memory)
        self.seeing = Seeing(studio)
        self.spending = SpendingOf(studio)
        self.sweeping = Sweeping(studio)
