"""Evaluation: what the codec costs, and what it does to faces that training never saw.

``inversion`` measures the encoder alone, ``rate_distortion`` whole files at each level,
``bound`` which part of the codec keeps them from being better, ``resolution`` where in the
generator F is best taken, ``robustness`` what becomes of damaged photographs, ``verification``
whether people are still recognised, ``directions`` what edits do to generated faces, ``edits``
what they do to real people, ``full_size`` what pictures are at the photograph's own size, and
``photographs`` what shows where faces were put back into theirs.
``faults`` tries kinds of fault that users of such programs report, and ``jitter`` whether a crop
that lies a little differently changes who it is; ``detection`` says which faces are found.
``sequence`` measures clips beside video codecs.
``hsc.research.results`` turns the reports into ``RESULTS.md``.
"""

from hsc.research.options import ValidateOptions


def run(kind: str, options: ValidateOptions) -> None:
    """Run one evaluation.

    Args:
        kind: ``inversion``, ``rate-distortion``, ``bound``, ``resolution``, ``robustness``,
            ``verification``, ``directions``, ``edits``, ``full-size``,
            ``photographs``, ``faults``, ``jitter``, ``detection`` or ``sequence``.
        options: what to measure, and where the report goes.

    Raises:
        HscError: pictures, weights or reports are missing.
    """
    from hsc.research.evaluation import (
        bound,
        detection,
        directions,
        edits,
        faults,
        full_size,
        inversion,
        jitter,
        photographs,
        rate_distortion,
        resolution,
        robustness,
        sequence,
        verification,
    )

    kinds = {"inversion": inversion, "rate-distortion": rate_distortion}
    kinds |= {"bound": bound, "verification": verification, "directions": directions}
    kinds |= {"resolution": resolution, "robustness": robustness}
    kinds |= {"edits": edits, "full-size": full_size}
    kinds |= {"photographs": photographs, "faults": faults, "jitter": jitter}
    kinds |= {"detection": detection, "sequence": sequence}
    kinds[kind].run(options)
