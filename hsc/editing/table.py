"""The table of edits: name, safe range and direction in w+ of each."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hsc.config import SHIPPED
from hsc.editing.skin import Skin
from hsc.errors import HscError, WeightsError
from hsc.weights.loading import model_config, path_of

Shape = tuple[int, int]
"""Of w+: (styles, style_dim)."""
TURN, LOOK, MOVE, STAY = "turn", "look", "move", "stay"
KINDS = (TURN, LOOK, MOVE, STAY)
PRINCIPAL_GROUP = "principal"
"""The group of edits along the directions in which faces differ most."""
OWN_GROUP = "own"
"""The group of a user's own directions."""
HALF = 0.5
"""Part of its range, either way, at which an edit must do what its unit says."""
NO_GAINS = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Edit:
    """One way to change a face.

    Attributes:
        name: the key in ``edits={...}``.
        label: for display.
        unit: of the amount, e.g. ``degrees``; empty when 1 is simply one clear step.
        low, high: the safe range, within which faces stay faces.
        step: a sensible step of a slider.
        description: one line.
        styles: first and last style of w+ that it touches.
        kind: how the detail of the feature map is treated. ``turn``: warped with the turning head.
            ``look``: reduced early, because it holds the appearance to be changed, such as age.
            ``move``: warped, and reduced where something new appears. ``stay``: kept, for colours.
        group: heading under which a page shows it.
        gains: factors on the amount for a file whose detail weakens the edit, so that the unit
            stays right: at the lower end of the range, up to half of it below and above zero, and
            at the upper end. A larger edit reduces detail by itself and needs a smaller gain.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    description: str
    styles: tuple[int, int]
    kind: str = MOVE
    group: str = "face"
    gains: tuple[float, float, float, float] = NO_GAINS

    def gain(self, amount: float, detail_weight: float) -> float:
        """The factor on an amount; ``detail_weight`` as in :meth:`EditTable.offset`.

        From half of the range to its end the product grows linearly.
        """
        end, half = self.gains[:2] if amount < 0 else self.gains[:1:-1]
        part = abs(amount) / abs(self.low if amount < 0 else self.high)
        if part > HALF:
            on_the_way = (part - HALF) / (1 - HALF)
            half = ((1 - on_the_way) * HALF * half + on_the_way * end) / part
        return 1 + detail_weight * (half - 1)

    def check(self, amount: float) -> float:
        """The amount as a float. Raises HscError when it is no number or out of the safe range."""
        good = isinstance(amount, (int, float)) and not isinstance(amount, bool)
        if not good or not math.isfinite(amount) or not self.low <= amount <= self.high:
            unit = f" {self.unit}" if self.unit else ""
            raise HscError(
                f"expected {self.name} from {self.low:g} to {self.high:g}{unit}, got {amount!r}: "
                "choose an amount in that range."
            )
        return float(amount)


def on_styles(direction: Tensor, styles: tuple[int, int], shape: Shape) -> Tensor:
    """(512,) -> (23, 512), zero outside of the first and last style given; (23, 512) stays."""
    if direction.ndim == 2:
        return direction
    offset = direction.new_zeros(shape)
    offset[styles[0] : styles[1] + 1] = direction
    return offset


def _edit_from(row: Mapping[str, Any]) -> Edit:
    """A row of a file's table."""
    listed = {name: tuple(row[name]) for name in ("styles", "gains") if name in row}
    edit = Edit(**{**row, **listed})
    if len(edit.gains) != 4 or not all(isinstance(gain, float) for gain in edit.gains):
        raise ValueError(f"gains of {edit.name}")
    return edit


def _as_direction(source: Tensor | NDArray[Any] | Path | str, shape: Shape) -> Tensor:
    """(512,) or (23, 512) float32 out of an array or a ``.npy`` file."""
    where = "a direction"
    if isinstance(source, (str, Path)):
        where = Path(source).name
        try:
            source = np.load(source, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise HscError(
                f"expected a .npy file with a direction at {source}: {error}."
            ) from error
    values = torch.as_tensor(np.asarray(source))
    if tuple(values.shape) not in (shape, shape[1:]):
        raise HscError(
            f"expected {where} of shape {shape[1:]} or {shape}, got {tuple(values.shape)}."
        )
    if not values.is_floating_point() or not values.isfinite().all() or not values.any():
        raise HscError(f"expected finite floating-point numbers in {where}, and not all of them 0.")
    return values.float()


class EditTable:
    """Every edit with its direction.

    Args:
        edits: in the order in which they are shown and summed.
        directions: name -> (23, 512), what an amount of 1 adds to w+.
        skin: restores the colour of skin under edits; None: no restoration.
        shape: of one w+ of the generator.

    Raises:
        WeightsError: a direction is missing, has another shape or leaves its edit's styles.
    """

    def __init__(
        self,
        edits: tuple[Edit, ...],
        directions: Mapping[str, Tensor],
        skin: Skin | None = None,
        shape: Shape = SHIPPED.generator.w_plus_shape,
    ) -> None:
        self.shape = shape
        for edit in edits:
            direction = directions.get(edit.name)
            first, last = edit.styles
            if (
                direction is None
                or tuple(direction.shape) != shape
                or direction[:first].any()
                or direction[last + 1 :].any()
            ):
                raise WeightsError(
                    f"expected a direction of shape {shape} for the edit {edit.name} within the "
                    f"styles {first} to {last}, found something else: get the file again."
                )
        self.edits, self.skin = edits, skin
        self._directions = {edit.name: directions[edit.name].float() for edit in edits}

    @classmethod
    def load(cls, path: Path | None = None, shape: Shape | None = None) -> "EditTable":
        """Read a table; that of the model in use by default. Raises WeightsError.

        Args:
            shape: of one w+; None: that of the model in use.
        """
        path = path_of("edits") if path is None else Path(path)
        shape = shape or model_config().generator.w_plus_shape
        try:
            with safe_open(path, "pt") as file:
                rows = json.loads((file.metadata() or {})["table"])
                names = file.keys()
                directions = {name: file.get_tensor(name) for name in names}
            edits = tuple(_edit_from(row) for row in rows)
            for edit in edits:
                directions[edit.name] = on_styles(directions[edit.name], edit.styles, shape)
            skin = Skin.from_tensors(directions)
        except FileNotFoundError as error:
            raise WeightsError(
                f"expected a table of edits at {path.name}, found no file: get it with the "
                "repository or make it with `python -m hsc train directions`."
            ) from error
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"expected a table of edits in {path.name}, found something else: get the file of "
                "this version again."
            ) from error
        return cls(edits, directions, skin, shape)

    def save(self, path: Path) -> None:
        """Write directions in half precision with the table as JSON in the header."""
        table = json.dumps([asdict(edit) for edit in self.edits])
        tensors = {e.name: self._packed(e) for e in self.edits}
        save_file(tensors | (self.skin.tensors() if self.skin else {}), path, {"table": table})

    def _packed(self, edit: Edit) -> Tensor:
        """(512,) where one vector is added to all styles of an edit, else all of (23, 512)."""
        rows = self._directions[edit.name][edit.styles[0] : edit.styles[1] + 1].half()
        same = (rows == rows[0]).all()
        return rows[0].clone() if same else self._directions[edit.name].half().contiguous()

    def direction(self, name: str) -> Tensor:
        """What an amount of 1 adds to w+: (23, 512) float32. Raises HscError for no such edit."""
        self._check_name(name)
        return self._directions[name]

    def offset(self, amounts: Mapping[str, float], detail_weight: float = 0.0) -> Tensor:
        """What a set of edits adds to w+.

        Args:
            amounts: name -> amount, in the edit's unit and safe range. Their order does not
                matter; missing edits count as zero.
            detail_weight: share of a file's detail that is kept, 0 to 1, and with it the share of
                each edit's gain that applies.

        Returns:
            (23, 512) float32, exactly zero when every amount is.

        Raises:
            HscError: no such edit, or an amount out of its safe range.
        """
        for name in amounts:
            self._check_name(name)
        total = torch.zeros(self.shape)
        for edit in self.edits:
            if edit.name in amounts:
                amount = edit.check(amounts[edit.name])
                if amount != 0:
                    gain = edit.gain(amount, detail_weight)
                    total = total + gain * amount * self._directions[edit.name]
        return total

    def add_direction(
        self,
        name: str,
        direction: Tensor | NDArray[Any] | Path | str,
        low: float = -3.0,
        high: float = 3.0,
        *,
        label: str = "",
        unit: str = "",
        description: str = "A direction of your own.",
        kind: str = MOVE,
    ) -> Edit:
        """Add a custom edit to this table, in memory only.

        Args:
            name: the key in ``edits={...}``; letters, digits, ``-`` and ``_``.
            direction: what an amount of 1 adds to w+, (512,) for every style alike or (23, 512);
                or the ``.npy`` file that has it.
            low, high: the safe range, with 0 in it.
            label, unit, description, kind: as in :class:`Edit`.

        Returns:
            The edit. Skin keeps its colour under it, as under every other.

        Raises:
            HscError: the name is taken or none, the range has no 0 in it, or the direction has
                another shape, is zero or has numbers that are not finite.
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name in self._directions:
            raise HscError(
                f"expected a new name of letters, digits, - and _ for a direction, got {name!r}."
            )
        if not (math.isfinite(low) and math.isfinite(high) and low <= 0 <= high and low < high):
            raise HscError(f"expected a range with 0 in it for {name}, got {low!r} to {high!r}.")
        if kind not in KINDS:
            raise HscError(f"expected a kind out of {', '.join(KINDS)}, got {kind!r}.")
        values = _as_direction(direction, self.shape)
        styles = (0, self.shape[0] - 1)
        step = (high - low) / 40
        edit = Edit(
            name, label or name, unit, low, high, step, description, styles, kind, OWN_GROUP
        )
        self._directions[name] = on_styles(values, styles, self.shape)
        self.edits = (*self.edits, edit)
        return edit

    def of_kind(self, amounts: Mapping[str, float], kind: str) -> dict[str, float]:
        """Those of a set of edits that are of one of ``KINDS`` and not zero."""
        names = {edit.name for edit in self.edits if edit.kind == kind}
        return {name: amount for name, amount in amounts.items() if name in names and amount}

    def with_gains(self, gains: Mapping[str, tuple[float, float, float, float]]) -> "EditTable":
        """The same table with the gains of some edits set."""
        edits = (replace(e, gains=gains.get(e.name, e.gains)) for e in self.edits)
        return EditTable(tuple(edits), self._directions, self.skin, self.shape)

    def _check_name(self, name: str) -> None:
        if name not in self._directions:
            names = ", ".join(self._directions)
            raise HscError(f"expected an edit out of {names}, got {name!r}: choose one of them.")
