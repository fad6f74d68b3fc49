"""The side effects of a study's arms as one value, and as it is kept in the study's folder.

In: a folder. Out: an `EffectPanel`; it holds every number, so showing it needs neither replies nor what is installed.
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
    """Label of each arm that is not a base to what may be said of it."""
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What was asked: questions of each condition, seed, elicitation, margins, and margins changed after replies. Where
    habits and entrenchment were asked, `stability` too: the rank correlation of each arm (`effects.stability`)."""
    lost: tuple[LostItem, ...] = field(default=(), repr=False)
    """A few replies in which an arm lost what the base had; empty in panels that were kept before they stood there."""

    def of(self, arm: str) -> tuple[PanelRow, ...]:
        """The rows of an arm against the base, and those in which it stands alone."""
        first = next((one.against for one in self.rows if one.arm == arm and one.against), "")
        return tuple(one for one in self.rows if one.arm == arm and one.against in (first, ""))


def panel_in(folder: str | Path) -> EffectPanel:
    """The panel that a folder keeps. Raises `BadInput` where it keeps none, or its file is damaged."""
    found = kept_panel(folder)
    if found is None:
        raise BadInput(f"{str(folder)!r} keeps no side effects. Ask for them first: `unsway effects {folder}`.")
    return found


def kept_panel(folder: str | Path) -> EffectPanel | None:
    """The panel that a folder keeps; None where it keeps none. Raises `BadInput` where its file is damaged."""
    path = Path(folder) / layout.EFFECTS
    if not path.is_file():
        return None
    from unsway.effects.lost import LostItem
    from unsway.effects.panel import PanelRow

    kept = read_json(path)
    return EffectPanel(
        kept.get("rows", tuple[PanelRow, ...]) or (),
        kept.get("sentences", dict[str, str]) or {},
        kept.get("about", dict[str, Any]) or {},
        kept.get("lost", tuple[LostItem, ...]) or (),
    )
