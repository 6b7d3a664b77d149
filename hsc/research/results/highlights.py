"""Notable figures of the reports; their sentences are in ``RESULTS.md.j2``.

Every finding is conditional: where a report is missing, or its figures no longer say so, there is
none. Nothing here has a measured number in it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hsc.levels import LEVELS
from hsc.research.ablation.run import LOSSES, PRIORS
from hsc.research.evaluation import bound, rate_distortion
from hsc.research.evaluation.study.candidates import BEST, FILE, OURS, READ, SEMANTICS
from hsc.research.evaluation.study.verification import interval
from hsc.research.evaluation.verification import ORIGINAL, at

Reports = Mapping[str, dict]
"""Kind of the report -> the report; ``study`` is that of ``hsc evaluate``."""
Finding = Iterator[dict[str, Any]]
ALIKE = 1.15
"""Two errors are about as large up to this ratio."""


def highlights(reports: Reports) -> list[dict[str, Any]]:
    """What holds, each with ``name`` and the figures of its sentence."""
    return [{"name": find.__name__} | figures for find in FINDINGS for figures in find(reports)]


def better_pixels(reports: Reports) -> Finding:
    """A codec that is nearer in squared error and farther to the eye, at the fewest bytes."""
    rows = _rows(reports, "study")
    own = _of(rows, FILE)
    if own is None:
        return
    others = [
        r for r in rows
        if r["kind"] == BEST and r["level"] == own["level"] and r.get("fits") == 1
        and r["psnr_256"] > own["psnr_256"] and r["lpips_256"] > ALIKE * own["lpips_256"]
    ]  # fmt: skip
    if others:
        yield {"own": own, "other": max(others, key=lambda r: r["psnr_256"])}


def direct_readouts(reports: Reports) -> Finding:
    """Read-outs of S^ beside those of the picture of S^."""
    rows = _rows(reports, "study")
    read, rendered = _of(rows, READ), _of(rows, SEMANTICS)
    if not read or not rendered or not read["landmark_error"] or not rendered["landmark_error"]:
        return
    seconds = [r["decode_seconds"] + r["look_seconds"] for r in (read, rendered)]
    if read["landmark_error"] < ALIKE * rendered["landmark_error"] and seconds[0] < seconds[1]:
        yield {"read": read, "rendered": rendered, "seconds": seconds}


def identity_in_few_bytes(reports: Reports) -> Finding:
    """Whether semantics alone are recognised where a whole other file is not."""
    report = reports.get("verification")
    if not report:
        return
    rows = {row["what"]: row for row in report["rows"]}
    level = min(float(what.partition(":")[0]) for what in rows if what != ORIGINAL)
    own = rows[at(level, f"{OURS}, {SEMANTICS}")]
    worse = [
        row for what, row in rows.items()
        if what.startswith(at(level, "")) and not what.startswith(at(level, OURS))
        and own["another"] is not None and _apart(own, row, report["people_with_pairs"])
    ]  # fmt: skip
    if worse:
        yield {"own": own, "others": worse, "pairs": report["pairs"]}


def _apart(better: dict, worse: dict, people: int) -> bool:
    """Whether the shares differ by more than so few people could do by chance."""
    return interval(better["another"], people)[0] > interval(worse["another"], people)[1]


def loss_before_prior(reports: Reports) -> Finding:
    """The loss of FCN beside the ideas of its entropy model."""
    worth = [w for w in reports.get("ablation", {}).get("worth", []) if w["percent"] is not None]
    loss = next((w for w in worth if w["group"] == LOSSES), None)
    ideas = [w for w in worth if w["group"] == PRIORS]
    if loss and ideas and loss["percent"] > max(w["percent"] for w in ideas):
        yield {"loss": loss, "ideas": ideas}


def saturation(reports: Reports) -> Finding:
    """How little of the distance more bytes take away."""
    rows = {row["what"]: row for row in _rows(reports, "rate-distortion")}
    least, most = (
        rows.get(rate_distortion.point_name(LEVELS[i].number, "scn+fcn")) for i in (0, -1)
    )
    free = next((r for r in _rows(reports, "inversion") if r["what"] == "S + F"), None)
    if least and most and free:
        gained = least["lpips_256"] - most["lpips_256"]
        if 0 < gained < most["lpips_256"]:
            yield {"least": least, "most": most, "free": free, "gained": gained}


def oracle_and_file(reports: Reports) -> Finding:
    """How much of what an ideal encoder gains survives coding."""
    report = reports.get("bound")
    if not report:
        return
    rows = {row["what"]: row for row in report["summary"]}
    free, fitted = rows[bound.FREE]["lpips_1024"], rows[bound.FITTED]["lpips_1024"]
    level = report["levels"][-1]
    coded = bound.gains(report)[level]["encoder"]["lpips_1024"]
    if fitted < free and coded < (free - fitted) / 2:
        yield {
            "steps": report["steps"], "free": free, "fitted": fitted, "level": level,
            "coded": coded,
        }  # fmt: skip


def metrics_disagree(reports: Reports) -> Finding:
    """Refinement by the metrics that it minimises and by another."""
    rows = {row["what"]: row for row in _rows(reports, rate_distortion.REFINED)}
    pairs = [
        {"at": name, "plain": row, "refined": rows[f"{name}, refined"]}
        for name, row in rows.items()
        if f"{name}, refined" in rows and "S only" not in name
    ]
    worse = [
        p for p in pairs
        if p["refined"]["lpips_256"] < p["plain"]["lpips_256"]
        and p["refined"]["dists_256"] > p["plain"]["dists_256"]
    ]  # fmt: skip
    if worse:
        yield max(worse, key=lambda p: p["plain"]["lpips_256"] - p["refined"]["lpips_256"])


def _of(rows: list[dict], kind: str) -> dict | None:
    """Our first row of a kind."""
    return next((r for r in rows if r["codec"] == OURS and r["kind"] == kind), None)


def _rows(reports: Reports, kind: str) -> list[dict]:
    return reports.get(kind, {}).get("summary", [])


FINDINGS: tuple[Callable[[Reports], Finding], ...] = (
    direct_readouts,
    loss_before_prior,
    oracle_and_file,
    identity_in_few_bytes,
    better_pixels,
    metrics_disagree,
    saturation,
)
"""The most surprising first."""
