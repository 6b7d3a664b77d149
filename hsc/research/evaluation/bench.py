"""``hsc bench``: how long encoding and decoding take on this machine, stage by stage."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from hsc.errors import HscError
from hsc.memory import keep_large_blocks
from hsc.research.evaluation import report
from hsc.research.evaluation.stages import DECODING, ENCODING, LIVE, Pipeline
from hsc.research.options import BenchOptions
from hsc.weights.model_id import ASSETS

EXAMPLE = ASSETS.parent / "examples" / "astronaut.png"
WARM_UP = 2
BATCHES = 1, 16
BATCH_ROUNDS = 3
NOTES = (
    (
        "Median of {rounds} rounds after {warm_up} that warm up, of one {px} photograph at level "
        "{level:g} ({size:,} bytes), everything in this process; in milliseconds."
    ),
    "rANS is its own row, though it runs inside the two layers' coders.",
    (
        "Memory: the most that the process ever held, libraries and weights included; for a GPU, "
        "what PyTorch took of it."
    ),
)


@dataclass(frozen=True)
class Variant:
    """One way to run the codec.

    Attributes:
        device: ``cpu`` or ``cuda``.
        backend: a value of HSC_BACKEND; None for whatever the codec chooses.
    """

    device: str
    backend: str | None = None


@dataclass(frozen=True)
class Timing:
    """What one variant took, in milliseconds.

    Attributes:
        label: device and backend as the codec itself names them.
        machine: in words.
        median, least: by the name of the stage, in the order of the pipeline, with the totals
            ``encode`` and ``decode``.
        per_second: pictures rendered in a second, by how many are asked for in one call.
        memory_mb: peak of the process; gpu_memory_mb: of the GPU, None without one.
    """

    label: str
    machine: str
    load: float
    median: dict[str, float]
    least: dict[str, float]
    per_second: dict[str, float]
    memory_mb: float
    gpu_memory_mb: float | None
    size: int
    px: str


def run(options: BenchOptions) -> None:
    """Time every variant, each in a process of its own; print a table or JSON, and save JSON.

    Args:
        options: photo, rounds, level, device, backends, json and out.

    Raises:
        HscError: a device or backend is not here.
    """
    photo = options.photo or EXAMPLE
    timings = []
    for variant in variants(options.device, options.backends):
        print(f"bench: {variant.device} {variant.backend or ''}", file=sys.stderr, flush=True)
        timings.append(_apart(variant, photo, options.level, options.rounds))
    result = {
        "kind": "bench",
        "date": date.today().isoformat(),
        "machine": machine(),
        "rounds": options.rounds,
        "level": options.level,
        "notes": notes(timings, options.rounds, options.level),
        "timings": [asdict(timing) for timing in timings],
    }
    if options.openvino:
        print("bench: beside OpenVINO", file=sys.stderr, flush=True)
        result["generators"] = _in_a_process(
            beside_openvino, options.backends or ["reference", "float32"], options.rounds
        )
    report.save(result, options.out)
    print(json.dumps(result, indent=2) if options.json else page(result))


def variants(device: str, backends: Sequence[str] | None) -> list[Variant]:
    """What to time: the CPU, a GPU where there is one, each with the backends asked for."""
    devices = [device]
    if device == "auto":
        devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    return [Variant(d, b) for d in devices for b in backends or (None,)]


def measure(variant: Variant, photo: Path, level: float, rounds: int) -> Timing:
    """Load the codec and time it, in this process."""
    if variant.backend:
        os.environ["HSC_BACKEND"] = variant.backend
    from hsc.codec import Codec

    keep_large_blocks()  # as every command does; this is a process of its own
    started = time.perf_counter()
    codec = Codec.load(variant.device)
    load = time.perf_counter() - started
    pipeline = Pipeline(codec, level)
    data = photo.read_bytes()
    laps = [pipeline.round(data) for _ in range(WARM_UP + rounds)][WARM_UP:]
    stages = [*ENCODING, "encode", *DECODING, "decode", *LIVE]
    backend = getattr(codec, "backend", variant.backend)
    gpu = codec.device.type == "cuda"
    return Timing(
        f"{codec.device.type}, {backend}" if backend else codec.device.type,
        report.machine(codec.device),
        1000 * load,
        {s: 1000 * statistics.median(lap[s] for lap in laps) for s in stages},
        {s: 1000 * min(lap[s] for lap in laps) for s in stages},
        {str(n): pipeline.pictures_per_second(n, BATCH_ROUNDS) for n in BATCHES},
        peak_memory_mb(),
        torch.cuda.max_memory_allocated() / 2**20 if gpu else None,
        len(pipeline.file),
        "{} x {}".format(*pipeline.photo_size),
    )


def peak_memory_mb() -> float:
    """The most this process ever had in memory."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def machine() -> str:
    """Processor and system, in words."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = names[0] if names else name
    return f"{os.cpu_count()} threads of {name}, {platform.system()}, PyTorch {torch.__version__}"


def notes(timings: Sequence[Timing], rounds: int, level: float) -> list[str]:
    first, *rest = NOTES
    of = timings[0]
    first = first.format(rounds=rounds, warm_up=WARM_UP, px=of.px, level=level, size=of.size)
    return [first, *rest]


def table(result: dict) -> str:
    """Stages down, variants across."""
    timings = result["timings"]
    header = ["stage", *(t["label"] for t in timings)]
    lines = []
    for stage in timings[0]["median"]:
        title = f"**{stage}, all of it**" if stage in ("encode", "decode") else stage
        lines.append([title, *(report.number(t["median"][stage], 1) for t in timings)])
    for batch in timings[0]["per_second"]:
        cells = (report.number(t["per_second"][batch], 1) for t in timings)
        lines.append([f"pictures rendered per second, {batch} in a call", *cells])
    lines.append(["loading the codec, once", *(report.number(t["load"], 0) for t in timings)])
    lines.append(["memory (MB)", *(report.number(t["memory_mb"], 0) for t in timings)])
    if any(t["gpu_memory_mb"] is not None for t in timings):
        cells = (report.number(t["gpu_memory_mb"], 0) for t in timings)
        lines.append(["GPU memory (MB)", *cells])
    return report.table(header, lines)


def page(result: dict) -> str:
    """The report as text."""
    lines = [f"{result['machine']}, {result['date']}", *result["notes"], "", table(result)]
    if "generators" in result:
        lines += ["", "The generator alone, w+ to 1024 px on the CPU, turn by turn:", ""]
        lines.append(generators_table(result["generators"]))
    return "\n".join(lines)


def generators_table(rendered: Sequence[dict]) -> str:
    """One line a way of running the generator."""
    header = ["generator", "median (ms)", "least (ms)", "PSNR (dB)", "setting up, once (s)"]
    rows = [
        [
            d["label"],
            *(report.number(d[key], 0) for key in ("median", "least", "psnr")),
            report.number(d["setting_up"], 1),
        ]
        for d in rendered
    ]
    return report.table(header, rows)


def beside_openvino(backends: list[str], rounds: int) -> list[dict]:
    """``hsc.research.evaluation.generators`` as JSON takes it."""
    from hsc.research.evaluation.generators import compare

    keep_large_blocks()
    return [asdict(rendered) for rendered in compare(backends, rounds)]


def _apart(variant: Variant, photo: Path, level: float, rounds: int) -> Timing:
    """``measure`` in a fresh process, so that memory peaks are each variant's own."""
    return _in_a_process(measure, variant, photo, level, rounds)


def _in_a_process(call: Callable, *args: object) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(call, *args).result()
        except HscError:
            raise
        except Exception as error:
            raise HscError(f"timing failed: {error}") from error
