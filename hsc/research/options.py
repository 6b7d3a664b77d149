"""Typed options of each research command, independent of the command line.

``hsc/cli`` fills these in from the command line; tests and notebooks construct them directly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class TrainOptions:
    """``hsc train``.

    Attributes:
        data: folders of aligned faces.
        work: folder of checkpoints, logs and synthetic pairs.
        steps, minutes: budget of the run, whichever ends first; None: no limit, an hour.
        batch: pictures a step; None: what the configuration says.
        resume: go on from the checkpoint or the committed weights.
        compile: compile the losses' renders: minutes at the start, a third less a step.
        config: a YAML file instead of ``training/configs/<stage>.yaml``.
        changes: keys of the configuration (``stage.key`` for all stages) to other values.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    data: list[Path] = field(default_factory=list)
    work: Path = Path("runs")
    steps: int | None = None
    minutes: float | None = None
    batch: int | None = None
    resume: bool = True
    compile: bool = False
    config: Path | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"


@dataclass(frozen=True)
class ValidateOptions:
    """``hsc validate``; each kind reads what it needs.

    Attributes:
        faces: the folder that has the folders of ``data/held_out.txt``.
        photos: for ``photographs``, a folder of whole photographs.
        clips, seconds, kbits: for ``sequence``, a folder of video files, how much of each, and at
            which rates.
        limit: pictures at most; None: all, or as many as the kind usually takes.
        out: where reports and contact sheets go, and where ``results`` finds them.
        levels: bitrate levels; None: those that the kind usually takes.
        codecs: names of other codecs, for ``verification`` and ``sequence``.
        steps: gradient steps of ``bound`` and ``resolution``; None: their usual number.
        study: where ``results`` finds the report of ``hsc evaluate``.
        page: the file that ``results`` writes.
        compare_decoder: for ``full-size``, a weight file of blocks above F to render the same
            files with too, or ``original`` for the generator's own.
        refine: gradient steps on each file, for ``rate-distortion``.
    """

    faces: Path | None = None
    photos: Path | None = None
    clips: Path | None = None
    seconds: float | None = None
    kbits: Sequence[float] | None = None
    limit: int | None = None
    out: Path = Path("runs/validation")
    levels: Sequence[float] | None = None
    codecs: Sequence[str] | None = None
    steps: int | None = None
    study: Path = Path("runs/evaluation")
    page: Path = Path("RESULTS.md")
    compare_decoder: str | None = None
    refine: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class EvaluateOptions:
    """``hsc evaluate``.

    Attributes:
        folder: photographs, in sub-folders too.
        out: where the report goes; figures that are there are kept.
        levels: bitrate levels; None: all named ones.
        codecs: names of other codecs; None: all that are installed.
        limit: pictures at most.
        align: look for a face; otherwise the centre of every picture is taken.
        ray: address of a Ray cluster that measures the pictures, as ``hsc.cluster.run`` takes it.
        workers: models on it; None: as many as fit.
    """

    folder: Path
    out: Path = Path("runs/evaluation")
    levels: Sequence[float] | None = None
    codecs: Sequence[str] | None = None
    limit: int | None = None
    align: bool = True
    device: str = "auto"
    ray: str | None = None
    workers: int | None = None


@dataclass(frozen=True)
class AblateOptions:
    """``hsc ablate``.

    Attributes:
        faces: a folder of aligned faces.
        groups: priors, semantics, losses; None: all.
        steps: optimiser steps of every variant; None: each group's usual number.
        train_faces: how many faces variants are trained on.
        limit: held-out faces to measure on.
        out: where the report goes.
    """

    faces: Path
    groups: Sequence[str] | None = None
    steps: int | None = None
    train_faces: int = 320
    limit: int = 12
    out: Path = Path("runs/validation")
    device: str = "auto"


@dataclass(frozen=True)
class BenchOptions:
    """``hsc bench``.

    Attributes:
        photo: a photograph of a person; None: the example that is shipped.
        rounds: the median of so many is taken.
        backends: values of HSC_BACKEND; None: what the codec chooses.
        openvino: time the generator beside OpenVINO with the same weights too.
        json: print JSON instead of a table.
    """

    photo: Path | None = None
    rounds: int = 10
    level: float = 3.0
    backends: Sequence[str] | None = None
    openvino: bool = False
    json: bool = False
    out: Path = Path("runs/validation")
    device: str = "auto"
