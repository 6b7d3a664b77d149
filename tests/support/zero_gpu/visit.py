"""Everything that the services ask of the model, as on ZeroGPU; run by test_zero_gpu.py.

Networks refuse to run in this process, as they would without a device, until the end, where their
own answers are compared with those that came from workers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

import spaces  # noqa: E402
import torch  # noqa: E402

import hsc  # noqa: E402
from app import zerogpu  # noqa: E402
from app.results import Edits, Progress  # noqa: E402
from app.services import compression  # noqa: E402
from app.services.editing import EditTarget  # noqa: E402
from app.services.exploring import Place  # noqa: E402
from app.studio import Studio  # noqa: E402
from hsc.errors import BitstreamError, HscError  # noqa: E402

STEPS = 2
compression.REFINE_STEPS = STEPS
codec = hsc.load("cpu")
networks = codec.networks
of_codec = {
    id(part)
    for network in (networks.mapping, networks.fcn, networks.encoder, networks.preview,
                    networks.self_renderer.exit128, networks.self_renderer.identity,
                    getattr(networks.synthesis, "synthesis", networks.synthesis))
    for part in network.modules()
}  # fmt: skip
alone = True


def calls(number: int, of: Callable[[], Any]) -> Any:
    """What is made of calls as many as this, each of which waits for a device."""
    before = len(spaces.asked)
    value = of()
    assert len(spaces.asked) - before == number, (number, len(spaces.asked) - before)
    return value


def no_device(module: torch.nn.Module, _: object) -> None:
    if alone and id(module) in of_codec and not spaces.inside:
        raise AssertionError(f"{type(module).__name__} ran without a device")


torch.nn.modules.module.register_module_forward_pre_hook(no_device)


def refused(kind: type[Exception], words: str, call: object) -> None:
    try:
        call()
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"expected {kind.__name__}")


assert zerogpu.ENABLED
studio = Studio(lambda: codec)
assert studio.ready  # loaded where it was made, not in a thread
photo = studio.random_face(3)
results = calls(1, lambda: list(studio.steps(photo, 2, align=False)))
shown = results[-1]
found = vars(studio.compression.inversion(shown.prepared)).values()
assert all(value.device.type == "cpu" for value in found if isinstance(value, torch.Tensor))
scn = studio.decoding.open(shown.data, "scn")
assert scn.feature is scn.feature_s  # one thing stays one thing
editing, exploring = studio.editing, studio.explorer
face, look = EditTarget(shown.data), Edits.of({"smile": 1.0}, 0.5)
small = calls(1, lambda: editing.preview(face, look))
strip = calls(1, lambda: editing.strip(face, "smile"))
other = EditTarget(calls(1, lambda: studio.compression.file(shown.prepared, 1.0)))
between = calls(1, lambda: studio.morph.picture(face, other, "coarse", 0.5, preview=True))
place = Place(at=(1.0, -1.0), from_photo=True)
on_map = exploring.face(place, shown.prepared, 2, small=True)
bits = studio.bit_allocation.of(shown.data)
proof = calls(1, lambda: studio.decode_tools.prove(shown.data))
told = calls(2, lambda: list(studio.refine(shown)))
assert [r.refining for r in told[:STEPS]] == [Progress(n, STEPS) for n in range(1, STEPS + 1)]
refused(BitstreamError, "level", lambda: list(studio.steps(photo, 9, align=False)))
refused(HscError, "nonsense", lambda: studio.decode(shown.data, edits={"nonsense": 1.0}))
search = studio.refine(list(studio.steps(photo, 5, align=False))[-1])
next(search)
search.close()  # and the model is free for the next
assert studio.random_face(4).size == (1024, 1024)
assert set(spaces.asked) == {zerogpu.CALL, zerogpu.SEARCH}

alone = False  # from here on, what the codec itself says
assert shown.data == codec.encode(photo, 2, align=False)
same = [
    (photo, codec.random_face(3)),
    (shown.picture_both, codec.decode(shown.data)),
    (shown.picture_scn, codec.decode(shown.data, "scn")),
    (small, codec.preview(codec.open(shown.data), {"smile": 1.0}, 0.5)),
    (strip[0][1], codec.preview(codec.open(shown.data), {"smile": strip[0][0]})),
]
for number, (got, expected) in enumerate(same):
    assert got.tobytes() == expected.tobytes(), number
assert between.size == on_map.size == (256, 256)
assert proof.same and proof.refusal
assert 0 < bits.scn + bits.fcn < 8 * len(shown.data)
assert told[-1].refined == STEPS and told[-1].data != shown.data
print("as the codec itself", len(spaces.asked), "calls")
