"""A face over a slow link, beside another codec's picture in as many bytes.

static/slow_link.js moves it: bytes that have arrived = rate x time, of the file's real size.
"""

from __future__ import annotations

from app.results import Sizes

RATES = (
    (1200, "1.2 kbit/s, a modem of 1980"),
    (9600, "9.6 kbit/s, GSM"),
    (64_000, "64 kbit/s, ISDN"),
)
"""The first is chosen until another is: it is slow enough to watch."""
RIVAL, RIVAL_NAME = "avif", "AVIF"
"""The viewer's name of the other codec's picture, and what people call it."""


def slow_link(sizes: Sizes, upload_bytes: int | None) -> str:
    """Two screens, a bar that fills, and a button.

    Args:
        sizes: of the file that is sent.
        upload_bytes: size of the photo's own file, to say how long that would take.
    """
    rates = "".join(
        f'<option value="{rate}"{" selected" if rate == RATES[0][0] else ""}>{label}</option>'
        for rate, label in RATES
    )
    parts = "".join(
        f'<span class="part {name}" style="flex-grow:{count}"><i></i></span>'
        for name, count in (("header", sizes.header), ("scn", sizes.scn), ("fcn", sizes.fcn))
        if count
    )
    return (
        f'<div class="link" data-header="{sizes.header}" data-scn="{sizes.scn}"'
        f' data-fcn="{sizes.fcn}" data-upload="{upload_bytes or 0}" data-rival="{RIVAL}">'
        f'<div class="screens">{_screen("ours", "HSC")}'
        f"{_screen('theirs', f'{RIVAL_NAME} in as many bytes')}</div>"
        '<div class="wire"><h2>Over a slow link</h2>'
        '<p class="count"><span>0</span> of '
        f"{sizes.total:,} bytes <em></em></p>"
        f'<div class="bar" aria-hidden="true">{parts}</div>'
        '<p class="say" role="status">The bytes arrive at the rate of the link. The essence comes '
        "first and draws a face; the likeness makes it this one.</p>"
        f'<div class="buttons"><select aria-label="Rate of the link">{rates}</select>'
        '<button type="button" class="start">Send</button>'
        '<button type="button" class="stop" hidden>Stop</button></div></div></div>'
    )


def _screen(name: str, caption: str) -> str:
    return (
        f'<figure class="screen {name}"><div><p>Nothing has arrived yet</p></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
