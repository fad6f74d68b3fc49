"""The side effects of a study's arms as one value, and reading it from the study's folder.

In: a folder. Out: an `EffectPanel`; it holds every number, so showing it needs no replies and no installed side effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway import layout
from unsway.errors import BadInput
from unsway.store import read_json

if TYPE_CHECKING:
    from unsway.effects.lost import LostItem
    from unsway.effects.panel import PanelRow


@dataclass(frozen=True, slots=True)
class EffectPanel:
    """The side effects of a study's arms."""

    rows: tuple[PanelRow, ...] = field(repr=False)
    """Every number of every arm."""
    sentences: Mapping[str, str]
    """Maps the label of each arm other than the base to the sentence about it."""
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What was asked: numbers of questions, seed, elicitation, margins, and margins changed after replies. If habits and
    entrenchment were asked, also `stability`: the rank correlation of each arm (`effects.stability`)."""
    lost: tuple[LostItem, ...] = field(default=(), repr=False)
    """A few replies in which an arm lost what the base had; empty in older panels without this field."""

    def of(self, arm: str) -> tuple[PanelRow, ...]:
        """The rows of an arm compared with the base, and its rows without a comparison."""
        reference = next((row.against for row in self.rows if row.arm == arm and row.against), "")
        return tuple(row for row in self.rows if row.arm == arm and row.against in (reference, ""))


def panel_in(folder: str | Path) -> EffectPanel:
    """The panel stored in a folder. Raises `BadInput` if there is none, or its file is damaged."""
    panel = find_panel(folder)
    if panel is None:
        raise BadInput(f"{str(folder)!r} keeps no side effects. Ask for them first: `unsway effects {folder}`.")
    return panel


def find_panel(folder: str | Path) -> EffectPanel | None:
    """The panel stored in a folder; None if there is none. Raises `BadInput` if its file is damaged."""
    path = Path(folder) / layout.EFFECTS
    if not path.is_file():
        return None
    from unsway.effects.lost import LostItem
    from unsway.effects.panel import PanelRow

    content = read_json(path)
    return EffectPanel(
        content.get("rows", tuple[PanelRow, ...]) or (),
        content.get("sentences", dict[str, str]) or {},
        content.get("about", dict[str, Any]) or {},
        content.get("lost", tuple[LostItem, ...]) or (),
    )
