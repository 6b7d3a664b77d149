"""What the reports say that one would not have guessed, with their own figures.

Every sentence is conditional: where a report is missing, or its figures no longer say so, the
sentence is not written. Nothing here has a measured number in it.
"""

from collections.abc import Callable, Iterator, Mapping

from hsc.levels import LEVELS
from hsc.research.ablation.run import LOSSES, PRIORS
from hsc.research.evaluation import bound, rate_distortion
from hsc.research.evaluation.study.candidates import BEST, FILE, OURS, READ, SEMANTICS
from hsc.research.evaluation.study.verification import interval
from hsc.research.evaluation.verification import ORIGINAL, at

Reports = Mapping[str, dict]
"""Kind of the report -> the report; ``study`` is that of ``hsc evaluate``."""
ALIKE = 1.15
"""Two errors are about as large up to this ratio."""


def findings(reports: Reports) -> list[str]:
    """The sentences that hold."""
    return [sentence for tell in TOLD for sentence in tell(reports)]


def pixels_and_eyes(reports: Reports) -> Iterator[str]:
    """A codec that is nearer in squared error and farther to the eye, at the fewest bytes."""
    rows = _rows(reports, "study")
    own = next((r for r in rows if r["codec"] == OURS and r["kind"] == FILE), None)
    if own is None:
        return
    others = [
        r for r in rows
        if r["kind"] == BEST and r["level"] == own["level"] and r.get("fits") == 1
        and r["psnr_256"] > own["psnr_256"] and r["lpips_256"] > ALIKE * own["lpips_256"]
    ]  # fmt: skip
    if others:
        other = max(others, key=lambda r: r["psnr_256"])
        ratio = other["lpips_256"] / own["lpips_256"]
        yield (
            f"**Nearer in pixels, farther to the eye.** In {own['bytes']:.0f} bytes "
            f"{other['codec']} beats this codec in PSNR, {other['psnr_256']:.1f} to "
            f"{own['psnr_256']:.1f} dB, with a picture {ratio:.1f} times as far away in LPIPS "
            f"({other['lpips_256']:.3f} to {own['lpips_256']:.3f})."
        )


def read_without_drawing(reports: Reports) -> Iterator[str]:
    """Read-outs of S^ beside those of the picture of S^."""
    rows = _rows(reports, "study")
    read, drawn = (
        next((r for r in rows if r["codec"] == OURS and r["kind"] == kind), None)
        for kind in (READ, SEMANTICS)
    )
    if not read or not drawn or not read["landmark_error"] or not drawn["landmark_error"]:
        return
    times = [r["decode_seconds"] + r["look_seconds"] for r in (read, drawn)]
    if read["landmark_error"] < ALIKE * drawn["landmark_error"] and times[0] < times[1]:
        yield (
            f"**A face need not be drawn to be read.** A linear map finds the landmarks in "
            f"{read['bytes']:.0f} bytes of semantics with an error of {read['landmark_error']:.3f} "
            f"of the distance of the eyes; a predictor on the picture drawn from them, "
            f"{drawn['landmark_error']:.3f}. It takes {1000 * times[0]:.1f} ms instead of "
            f"{1000 * times[1]:.0f}: {times[1] / times[0]:.0f} times less."
        )


def a_name_in_few_bytes(reports: Reports) -> Iterator[str]:
    """Whether semantics alone are recognised where a whole other file is not."""
    report = reports.get("verification")
    if not report:
        return
    rows = {row["what"]: row for row in report["rows"]}
    level = min(float(what.partition(":")[0]) for what in rows if what != ORIGINAL)
    own = rows[at(level, f"{OURS}, {SEMANTICS}")]
    plain = [
        row for what, row in rows.items()
        if what.startswith(at(level, "")) and not what.startswith(at(level, OURS))
        and own["another"] is not None and _apart(own, row, report["people_with_pairs"])
    ]  # fmt: skip
    if plain:
        names = ", ".join(
            f"{row['what'].partition(': ')[2]} {100 * row['another']:.0f}% in {row['bytes']:.0f}"
            for row in plain
        )
        yield (
            f"**{own['bytes']:.0f} bytes of semantics say who it is better than a whole picture.** "
            f"Drawn from its semantics alone a face is accepted against another photograph of that "
            f"person in {100 * own['another']:.0f}% of {report['pairs']} comparisons; {names}."
        )


def _apart(better: dict, worse: dict, people: int) -> bool:
    """Whether the shares differ by more than so few people could do by chance."""
    return interval(better["another"], people)[0] > interval(worse["another"], people)[1]


def what_a_loss_is_worth(reports: Reports) -> Iterator[str]:
    """The loss of FCN beside the ideas of its entropy model."""
    worth = [w for w in reports.get("ablation", {}).get("worth", []) if w["percent"] is not None]
    loss = next((w for w in worth if w["group"] == LOSSES), None)
    ideas = [w for w in worth if w["group"] == PRIORS]
    if loss and ideas and loss["percent"] > max(w["percent"] for w in ideas):
        rest = ", ".join(f"{w['title']} {w['percent']:.0f}%" for w in ideas)
        yield (
            "**What FCN is trained to see matters more than how its symbols are predicted.** With "
            f"the {loss['title']} as its loss it takes {loss['percent']:.0f}% more bytes at equal "
            f"LPIPS; its entropy model {rest} more."
        )


def where_the_bytes_end(reports: Reports) -> Iterator[str]:
    """How little of the distance more bytes take away."""
    rows = {row["what"]: row for row in _rows(reports, "rate-distortion")}
    least, most = (
        rows.get(rate_distortion.point_name(LEVELS[i].number, "scn+fcn")) for i in (0, -1)
    )
    free = next((r for r in _rows(reports, "inversion") if r["what"] == "S + F"), None)
    if not (least and most and free):
        return
    gained, left = least["lpips_256"] - most["lpips_256"], most["lpips_256"]
    if 0 < gained < left:
        yield (
            f"**Most of the distance is not for sale.** From the least level to the highest a file "
            f"grows {most['bytes_total'] / least['bytes_total']:.0f} times, and LPIPS@256 falls by "
            f"{gained:.3f} to {left:.3f}; with nothing coded at all the encoder is still "
            f"{free['lpips_256']:.3f} away."
        )


def an_oracle_and_its_file(reports: Reports) -> Iterator[str]:
    """How much of what an ideal encoder gains survives coding."""
    report = reports.get("bound")
    if not report:
        return
    rows = {row["what"]: row for row in report["summary"]}
    free = rows[bound.FREE]["lpips_256"] - rows[bound.FITTED]["lpips_256"]
    level = report["levels"][-1]
    coded = bound.gains(report)[level]["GIE"]["lpips_256"]
    if free > 0 and coded < free / 2:
        yield (
            f"**A better encoder would not help much, alone.** {report['steps']} gradient steps on "
            f"S and F bring the generator {free:.3f} nearer in LPIPS@256 than the encoder does "
            f"({rows[bound.FITTED]['lpips_256']:.3f} instead of "
            f"{rows[bound.FREE]['lpips_256']:.3f}); of that, {max(0.0, coded):.3f} arrives through a "
            f"file of level {level:g}. FCN codes what it was trained on."
        )


def judges_disagree(reports: Reports) -> Iterator[str]:
    """Refinement by one judge's figures and by another's."""
    rows = {row["what"]: row for row in _rows(reports, rate_distortion.REFINED)}
    pairs = [
        (name, row, rows[f"{name}, refined"])
        for name, row in rows.items()
        if f"{name}, refined" in rows and "S only" not in name
    ]
    worse = [
        (name, a, b) for name, a, b in pairs
        if b["lpips_256"] < a["lpips_256"] and b["dists_256"] > a["dists_256"]
    ]  # fmt: skip
    if worse:
        name, a, b = max(worse, key=lambda t: t[1]["lpips_256"] - t[2]["lpips_256"])
        yield (
            f"**A picture can get nearer and farther at once.** At {name}, refinement takes "
            f"LPIPS@256 from {a['lpips_256']:.3f} to {b['lpips_256']:.3f} and identity from "
            f"{a['identity_l2']:.2f} to {b['identity_l2']:.2f}, which it looks at, and DISTS@256, "
            f"which it does not, from {a['dists_256']:.3f} to {b['dists_256']:.3f}."
        )


def _rows(reports: Reports, kind: str) -> list[dict]:
    return reports.get(kind, {}).get("summary", [])


TOLD: tuple[Callable[[Reports], Iterator[str]], ...] = (
    read_without_drawing,
    what_a_loss_is_worth,
    an_oracle_and_its_file,
    a_name_in_few_bytes,
    pixels_and_eyes,
    judges_disagree,
    where_the_bytes_end,
)
"""The most surprising first."""
