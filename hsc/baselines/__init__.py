"""Other codecs to compare with: the same picture in the same number of bytes.

    from hsc.baselines import CODECS, best_downscaled, fit

    fit(picture, CODECS["avif"], budget_bytes=1000)             # at full size
    best_downscaled(picture, CODECS["avif"], budget_bytes=1000)  # at the best size

JPEG, WebP and AVIF come with Pillow. HEIC, JPEG XL and VVC need the packages of
the extra ``lab``; without them ``available`` is False and ``why_not`` says what to install.
"""

from hsc.baselines.fitting import RESOLUTIONS, Encodings, Fit, best_downscaled, fit
from hsc.baselines.registry import CODECS, OtherCodec, available_codecs

__all__ = [
    "CODECS",
    "RESOLUTIONS",
    "Encodings",
    "Fit",
    "OtherCodec",
    "available_codecs",
    "best_downscaled",
    "fit",
]
