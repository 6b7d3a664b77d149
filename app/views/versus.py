"""Our picture beside those of other codecs, as HTML cards."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from app.files import address, keep_picture
from app.results import CurrentFace
from app.services.baselines import BaselineResult
from app.services.measure import SAME_PERSON, Distances
from hsc.baselines import Fit


def page(shown: CurrentFace, ours: Distances | None, rivals: Iterable[BaselineResult]) -> str:
    """All cards: the original and ours, the fair fight, the unfair one, and who is missing.

    Args:
        ours: figures of our picture; None while they are not there.
    """
    rivals = list(rivals)
    here = [rival for rival in rivals if not rival.missing]
    budget = len(shown.file)
    mine = _card(
        "HSC", f"{budget:,} bytes", _image(shown.picture, "The face drawn from our file"), ours,
        kind="ours",
    )  # fmt: skip
    best = [_rival(rival.label, rival.best, rival.best_measured) for rival in here]
    full = [_rival(rival.label, rival.full, rival.full_measured) for rival in here]
    original = _card("Original", "", _image(shown.result.crop, "The original"), None)
    missing = [rival for rival in rivals if rival.missing]
    return (
        f'<h3>At their best in {budget:,} bytes</h3><p class="note">Each codec may shrink the '
        "picture first and is shown at the size in pixels with the least LPIPS, the perceptual "
        "distance at 256 pixels. In brackets: the distance of dlib's face descriptors, under 0.60 "
        f'usually the same person.</p><div class="cards">{original}{mine}{"".join(best)}</div>'
        f"<h3>At full size, 1024 × 1024</h3>"
        f'<p class="note">Not a fair fight: at so few bytes most have no setting that is low '
        f'enough.</p><div class="cards">{"".join(full)}</div>'
        + (_left_out(missing) if missing else "")
    )


def _left_out(missing: Iterable[BaselineResult]) -> str:
    names = " and ".join(escape(rival.label) for rival in missing)
    why = escape(" ".join(rival.missing for rival in missing))
    return f'<p class="note missing" title="{why}">Left out, not installed here: {names}.</p>'


def _rival(label: str, fit: Fit | None, measured: Distances | None) -> str:
    if fit is None:
        return _card(label, "waiting …", '<div class="empty"></div>', None, kind="waiting")
    image = _image(fit.picture, f"The face by {label}")
    if not fit.fits:
        words = f"cannot go below {len(fit.data):,} bytes"
        return _card(label, words, image, None, kind="over")
    return _card(label, f"{len(fit.data):,} bytes, {fit.px} px", image, measured)


def _card(label: str, words: str, image: str, measured: Distances | None, kind: str = "") -> str:
    return (
        f'<figure class="card {kind}">{image}<figcaption><b>{escape(label)}</b> '
        f"<span>{words}</span>{_figures(measured)}</figcaption></figure>"
    )


def _figures(measured: Distances | None) -> str:
    if measured is None or measured.lpips is None:
        return ""
    line = f"LPIPS {measured.lpips:.3f}<br>PSNR {measured.psnr:.1f} dB"
    if measured.identity is not None:
        same = "same person" if measured.identity < SAME_PERSON else "another person"
        line += f"<br>{same} ({measured.identity:.2f})"
    return f"<small>{line}</small>"


def _image(picture, alt: str) -> str:
    where = address(keep_picture(picture, "face.png"))
    return f'<a href="{where}" target="_blank"><img src="{where}" alt="{alt}"></a>'
