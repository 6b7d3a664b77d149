"""Many small pictures on one sheet."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

TILE_PX = 192
GAP = 4
HEADER_PX = 26
LABEL_PX = 150
LABEL_LETTERS = 18
BACKGROUND, INK = (250, 250, 250), (40, 40, 40)


class ContactSheet:
    """A grid: a row for each face, a column for each way it was rendered.

    Args:
        columns: their titles.
        tile_px: side of each picture on the sheet.
    """

    def __init__(self, columns: Sequence[str], tile_px: int = TILE_PX) -> None:
        self.columns, self.tile_px = tuple(columns), tile_px
        self.rows: list[tuple[str, list[Image.Image]]] = []

    def add(self, label: str, pictures: Sequence[Image.Image]) -> None:
        """Add a row; only small copies of the pictures are kept.

        Raises:
            ValueError: there are not as many pictures as columns.
        """
        if len(pictures) != len(self.columns):
            raise ValueError(f"Expected {len(self.columns)} pictures, got {len(pictures)}.")
        px = (self.tile_px, self.tile_px)
        tiles = [p.convert("RGB").resize(px, Image.Resampling.LANCZOS) for p in pictures]
        self.rows.append((label, tiles))

    def draw(self) -> Image.Image:
        """The sheet as one RGB picture."""
        step = self.tile_px + GAP
        size = (LABEL_PX + step * len(self.columns), HEADER_PX + step * len(self.rows))
        sheet = Image.new("RGB", size, BACKGROUND)
        draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
        for column, title in enumerate(self.columns):
            middle = LABEL_PX + column * step + self.tile_px // 2
            draw.text((middle, HEADER_PX // 2), title, INK, font, anchor="mm")
        for row, (label, tiles) in enumerate(self.rows):
            top = HEADER_PX + row * step
            parts = (textwrap.fill(part, LABEL_LETTERS) for part in label.split("/"))
            left = (GAP, top + self.tile_px // 2)
            draw.multiline_text(left, "\n".join(parts), INK, font, anchor="lm")
            for column, tile in enumerate(tiles):
                sheet.paste(tile, (LABEL_PX + column * step, top))
        return sheet

    def save(self, path: Path) -> None:
        """Save it, in the format that the name's ending says; nothing when there is no row."""
        if self.rows:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.draw().save(path, quality=90)
