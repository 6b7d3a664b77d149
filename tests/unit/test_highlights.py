"""Findings are said where the figures say so, with those figures, and not otherwise."""

from test_laboratory import bounded, study

from hsc.research import results
from hsc.research.evaluation import bound


def test_nothing_is_found_without_reports() -> None:
    assert results.findings({}) == []


def test_what_a_study_says() -> None:
    result = study()
    own, read, avif, _ = result["summary"]
    own |= {"psnr_256": 22.0}
    avif |= {"psnr_256": 25.5, "fits": 1.0, "lpips_256": 0.56}
    drawn = own | {"kind": "S only", "landmark_error": 0.041}
    result["summary"].append(drawn)
    reads, pixels = results.findings({"study": result})
    assert "0.040" in reads and "0.041" in reads and "11.0 ms instead of 750: 68 times" in reads
    assert "AVIF beats" in pixels and "25.5 to 22.0 dB" in pixels and "4.0 times" in pixels
    # worse read-outs, and a codec that is better in both: nothing to tell
    read["landmark_error"] = 0.4
    avif["lpips_256"] = 0.1
    assert results.findings({"study": result}) == []


def test_what_an_oracle_says() -> None:
    report = bounded()
    rows = {row["what"]: row for row in report["summary"]}
    rows[bound.FITTED]["lpips_1024"] = 0.025
    (sentence,) = results.findings({"bound": report})
    assert "0.100 nearer" in sentence and "0.025 instead of 0.125" in sentence
    assert "level 1 as they are, they are 0.000 farther" in sentence
    rows[bound.at(1, bound.PERFECT["encoder"])]["lpips_1024"] = 0.16  # nearly all of it arrives
    assert results.findings({"bound": report}) == []


def test_what_verification_says() -> None:
    def row(what: str, size: float, another: float) -> dict:
        return {"what": what, "bytes": size, "another": another}

    rows = [row("original", 0, 1), row("1: HSC", 500, 1), row("1: HSC, S only", 46, 0.8)]
    rows += [row("1: JPEG", 560, 0.25), row("1: WebP", 490, 0.9), row("3: AVIF", 1300, 0)]
    counts = {"pairs": 60, "people_with_pairs": 30}
    (sentence,) = results.findings({"verification": {"rows": rows} | counts})
    assert "in 80% of 60 comparisons; JPEG 25% in 560." in sentence
    without = {"verification": {"rows": rows[:3] + rows[4:]} | counts}
    assert results.findings(without) == []
    few = {"verification": {"rows": rows, "pairs": 6, "people_with_pairs": 3}}  # may be chance
    assert results.findings(few) == []


def test_what_files_say() -> None:
    def row(what: str, lpips: float, dists: float = 0.2, size: float = 500) -> dict:
        return {"what": what, "lpips_256": lpips, "dists_256": dists, "identity_l2": 0.3,
                "bytes_total": size}  # fmt: skip

    files = {"summary": [row("level 1", 0.14), row("level 6", 0.1, size=6000)]}
    encoder = {"summary": [row("S + F", 0.09)]}
    (sentence,) = results.findings({"rate-distortion": files, "inversion": encoder})
    assert "grows 12 times" in sentence and "by 0.040 to 0.100" in sentence and "0.090" in sentence
    refined = {"summary": [row("level 3", 0.11), row("level 3, refined", 0.09, 0.25)]}
    (sentence,) = results.findings({"refined": refined})
    assert "from 0.110 to 0.090" in sentence and "from 0.200 to 0.250" in sentence
    refined["summary"][1]["dists_256"] = 0.1
    assert results.findings({"refined": refined}) == []


def test_what_ablations_say() -> None:
    worth = [
        {"group": "priors", "title": "without slices", "percent": 33.0},
        {"group": "losses", "title": "feature error alone", "percent": 138.0},
        {"group": "semantics", "title": "as in the paper", "percent": None},
    ]
    (sentence,) = results.findings({"ablation": {"worth": worth}})
    assert "138% more bytes" in sentence and "without slices 33% more." in sentence
    worth[0]["percent"] = 150.0
    assert results.findings({"ablation": {"worth": worth}}) == []
