"""``hsc ablate``: train every variant for equally many steps, and compare bytes at equal LPIPS."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch
from PIL import Image

from hsc.codec import Codec
from hsc.errors import HscError
from hsc.generators.exits import render_exit
from hsc.generators.pretrained import load_generator
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.metrics.lpips import Lpips
from hsc.research.ablation import losses, priors, semantics
from hsc.research.ablation.samples import CodedFaces, EncodedFaces, ExitLpips, code, encode
from hsc.research.data.faces import list_faces
from hsc.research.data.held_out import held_out_pictures, spread
from hsc.research.evaluation import report
from hsc.research.evaluation.study.bd_rate import bd_rate
from hsc.research.options import AblateOptions
from hsc.research.training.semantic import fit, style_importance
from hsc.weights.loading import DECODER_FILES, file_hash, path_of

LEVELS = (1.0, 3.0, 6.0)
SCN_BYTES = (36, 60, 126, 250)
HEADER_BYTES = 14
EXCHANGED = 8
"""Generated faces whose styles are exchanged to measure how visible each is."""
PRIORS, SEMANTICS, LOSSES = "priors", "semantics", "losses"
TITLES = {PRIORS: "entropy model of F", SEMANTICS: "coding of S (S alone)", LOSSES: "loss of F"}
GROUPS = tuple(TITLES)
STEPS = {PRIORS: 100, SEMANTICS: 1500, LOSSES: 60}
"""Default steps: minutes of one core for each group."""

Row = dict
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Faces:
    """Training faces and held-out faces; the latter also coded at each level."""

    train: EncodedFaces
    test: EncodedFaces
    coded: dict[float, CodedFaces]


def run(options: AblateOptions) -> None:
    """Measure the chosen groups; figures of other groups in the report are kept.

    Args:
        options: faces, out, groups, steps, train_faces, limit, device.

    Raises:
        HscError: there are no faces to train on, or none that is held out.
    """
    groups = options.groups or list(GROUPS)
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        raise HscError(f"expected groups among {', '.join(GROUPS)}, got {', '.join(unknown)}.")
    codec = Codec.load(options.device)
    faces = encode_faces(codec, options)
    folder = options.out
    work = {PRIORS: prior_rows, SEMANTICS: semantic_rows, LOSSES: loss_rows}
    for group in groups:
        started, steps, rows = time.monotonic(), options.steps or STEPS[group], []
        for row in work[group](codec, faces, steps):
            rows.append({"group": group} | row)
            _log(f"{group}: {row['title']}, {row['bytes']:.0f} bytes, LPIPS {row['lpips']:.3f}")
        _log(f"{group}: {(time.monotonic() - started) / 60:.1f} minutes")
        budget = {"steps": steps, "train": len(faces.train), "test": len(faces.test)}
        result = merged_report(codec, folder, group, rows, budget)
        report.save(result, folder)
    print(table(result))


def merged_report(codec: Codec, folder: Path, group: str, rows: list[Row], budget: dict) -> dict:
    """The report with a newly measured group and its previous other groups."""
    weights = {n: file_hash(path_of(n)) for n in ("inversion", *DECODER_FILES)}
    others, budgets = other_groups(folder, [group], weights)
    rows = [row for name in GROUPS for row in [*others, *rows] if row["group"] == name]
    return {
        "kind": "ablation",
        "date": date.today().isoformat(),
        "model": codec.model_name,
        "weights": weights,
        "machine": report.machine(codec.device),
        "budgets": {g: b for g in GROUPS for n, b in (budgets | {group: budget}).items() if g == n},
        "rows": rows,
        "worth": worth(rows),
    }


def encode_faces(codec: Codec, options: AblateOptions) -> Faces:
    """Encode both sets of faces, and code the second."""
    test = [picture.load() for picture in held_out_pictures(options.faces, options.limit)]
    paths = spread(list_faces([options.faces]), options.train_faces)
    if not paths:
        raise HscError(f"expected faces to train on below {options.faces}, found none.")
    _log(f"{len(paths)} faces to train on, {len(test)} held out")
    train = encode(codec, [Image.open(path) for path in paths])
    held_out = encode(codec, test)
    return Faces(train, held_out, {level: code(codec, held_out, level) for level in LEVELS})


def prior_rows(codec: Codec, faces: Faces, steps: int) -> Iterator[Row]:
    """Every entropy model of F, trained from nothing on the shipped latents."""
    eye, fcn = ExitLpips(codec), codec.networks.fcn
    coded = [code(codec, faces.train, level) for level in LEVELS]
    for variant in priors.VARIANTS:
        prior = priors.train(variant, fcn, coded, steps)
        for level, held_out in faces.coded.items():
            size, y_hat = priors.sizes(prior, fcn, held_out, codec.networks.tables)
            distances = [
                eye.latent_distance(faces.test.images[p], held_out.w_plus_hat[p], y_hat[p], level)
                for p in _each(faces.test)
            ]
            yield _row(variant.title, level, size + held_out.scn_bytes, distances)


def semantic_rows(codec: Codec, faces: Faces, steps: int) -> Iterator[Row]:
    """S by our transform and by the paper's, both fitted here to the same faces.

    S alone is rendered, and compared with the picture of the uncoded S: the distance to the
    photograph depends mostly on the encoder and would hide the effect of coding.
    """
    eye, n = ExitLpips(codec), codec.networks
    faces = replace(faces, test=replace(faces.test, images=_render_semantics(codec, faces.test)))
    synthesis = load_generator(n.device).synthesis  # as trained: fitting reads its layers
    z = torch.randn(EXCHANGED, synthesis.spec.style_dim, generator=torch.Generator().manual_seed(0))
    w = n.mapping(z.to(n.device), 0.8)
    importance = style_importance(synthesis, Lpips.pretrained().to(n.device), w)
    ours = SemanticCodec(min(256, len(faces.train) - 1))
    even = torch.ones(len(faces.train))
    fit(ours.requires_grad_(False), faces.train.w_plus, even, synthesis, importance)
    ours.update(n.tables)
    for level in LEVELS:
        files = [ours.compress(faces.test.w_plus[p], level) for p in _each(faces.test)]
        rendered = [ours.decompress(data, level).float() for data in files]
        sizes = torch.tensor([float(len(data)) for data in files])
        yield _row("as the codec has it", level, sizes, _distances(eye, faces.test, rendered))
    for target in SCN_BYTES:
        theirs = semantics.train(faces.train.w_plus, target, steps, importance)
        counted, w_plus_hat = semantics.sizes(theirs, faces.test.w_plus, n.tables)
        figures = _distances(eye, faces.test, w_plus_hat.split(1))
        yield _row("as in the paper", target, torch.tensor(counted, dtype=torch.float32), figures)


def loss_rows(codec: Codec, faces: Faces, steps: int) -> Iterator[Row]:
    """FCN tuned from the shipped weights, by either loss."""
    eye = ExitLpips(codec)
    for title, pictures in (("through the generator", True), ("feature error alone", False)):
        fcn = losses.tune(codec, faces.train, steps, pictures)
        for level, held_out in faces.coded.items():
            sizes, features = losses.code(codec, fcn, faces.test, held_out)
            distances = [
                eye.distance(faces.test.images[p], held_out.w_plus_hat[p], feature)
                for p, feature in zip(_each(faces.test), features)
            ]
            yield _row(title, level, sizes + held_out.scn_bytes, distances)


def worth(rows: Sequence[Row]) -> list[Row]:
    """Extra bytes of each variant relative to the codec's own design, at equal LPIPS, in percent.

    A lower bound where even the codec's smallest files are better than the variant's best.
    """
    found = []
    for group in dict.fromkeys(row["group"] for row in rows):
        curves: dict[str, list[tuple[float, float]]] = {}
        for row in (r for r in rows if r["group"] == group):
            curves.setdefault(row["title"], []).append((row["bytes"], row["lpips"]))
        own, *others = curves
        for title in others:
            saving = bd_rate(curves[own], curves[title], less_is_better=True)
            found.append({
                "group": group, "title": title, "percent": saving.percent,
                "better_everywhere": saving.better_everywhere,
                # lower bound: bytes of its best point over those of the codec's smallest
                "ratio": max(curves[title])[0] / min(curves[own])[0],
            })  # fmt: skip
    return found


def table(result: dict) -> str:
    """Bytes and LPIPS of every variant, and what it costs."""
    costs = {(w["group"], w["title"]): w for w in result["worth"]}
    lines = []
    for group, title in dict.fromkeys((r["group"], r["title"]) for r in result["rows"]):
        rows = [r for r in result["rows"] if (r["group"], r["title"]) == (group, title)]
        cost = costs.get((group, title))
        lines.append([
            f"{TITLES[group]}: {title}",
            " / ".join(f"{r['bytes']:.0f}" for r in rows),
            " / ".join(f"{r['lpips']:.3f}" for r in rows),
            "-" if cost is None else _cost(cost),
        ])  # fmt: skip
    return report.table(["variant", "bytes", "LPIPS@256", "bytes at equal LPIPS"], lines)


def _cost(cost: Row) -> str:
    if cost["percent"] is not None:
        return f"{cost['percent']:+.1f} %"
    if cost["better_everywhere"] == "anchor":
        return f"over {100 * (cost['ratio'] - 1):+.0f} %"
    return {"test": "better throughout", None: "no common quality"}[cost["better_everywhere"]]


@torch.no_grad()
def _render_semantics(codec: Codec, faces: EncodedFaces) -> torch.Tensor:
    """Pictures of S alone, (N, 3, 256, 256)."""
    n, pictures = codec.networks, []
    assert n.preview is not None
    for p in _each(faces):
        w_plus = faces.w_plus[p].to(n.device)
        pictures.append(
            render_exit(n.synthesis, n.preview, n.synthesis.feature(w_plus), w_plus).cpu()
        )
    return torch.cat(pictures).clamp(-1, 1)


def _distances(
    eye: ExitLpips, faces: EncodedFaces, rendered: Sequence[torch.Tensor]
) -> list[float]:
    return [eye.distance(faces.images[p], w) for p, w in zip(_each(faces), rendered)]


def _each(faces: EncodedFaces) -> Iterator[slice]:
    return (slice(index, index + 1) for index in range(len(faces)))


def _row(title: str, level: float, size: torch.Tensor, distances: Sequence[float]) -> Row:
    return {
        "title": title, "level": level, "bytes": size.mean().item() + HEADER_BYTES,
        "lpips": sum(distances) / len(distances),
    }  # fmt: skip


def other_groups(
    folder: Path, groups: Sequence[str], weights: dict[str, str]
) -> tuple[list[Row], dict[str, dict]]:
    """Rows and budgets of the groups not measured now, from a report of the same weights."""
    known = report.read_if_there("ablation", folder)
    if known is None or known["weights"] != weights:
        return [], {}
    rows = [row for row in known["rows"] if row["group"] not in groups]
    return rows, {g: b for g, b in known["budgets"].items() if g not in groups}


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
