"""Small portraits of the map's faces, on one sheet that ships with the page.

python -m app.services.portraits      # draw the sheet again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from hsc.images import marks
from hsc.paths import SHIPPED

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.codec import Codec

SHEET = SHIPPED / "map" / "portraits.webp"
SIDE = 64  # pixels
ACROSS, DOWN = 12, 8
COUNT = ACROSS * DOWN
"""The faces of seeds 0 to COUNT - 1, row by row."""


def sheet(codec: Codec) -> Image.Image:
    """Draw all portraits."""
    from hsc.analysis.latent_map import LatentMap, render_w_plus

    latent_map = LatentMap(codec.networks.mapping, codec.networks.edits)
    made = Image.new("RGB", (ACROSS * SIDE, DOWN * SIDE))
    for seed in range(COUNT):
        face = render_w_plus(codec.decoder, latent_map.generated([seed]), small=True)
        # the face itself, without its surroundings
        face = face.crop((28, 36, 228, 236)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        made.paste(face, (seed % ACROSS * SIDE, seed // ACROSS * SIDE))
    return made


if __name__ == "__main__":
    import hsc

    SHEET.parent.mkdir(exist_ok=True)
    drawn = sheet(hsc.load())
    marks.save(
        drawn,
        SHEET,
        "WEBP",
        mark=marks.Mark(marks.TRAINED, {"seeds": COUNT}),
        quality=80,
        method=6,
    )
    print(f"{SHEET.name}: {SHEET.stat().st_size:,} bytes")
