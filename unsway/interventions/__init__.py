"""Interventions in prompts: what needs no training and goes in front of any model, measured beside what was trained.

In: a name. Out: an `Intervention`, which turns pairs into those that are asked, both sides alike.

    shots = interventions.get("fewshot:4-naive")
    changed = shots.apply(pairs, "unsway/smollm2-135m", folder="runs/mine")
    ask(changed.prompts.values(), "unsway/smollm2-135m", folder="runs/mine")
"""

from unsway.errors import UnknownName
from unsway.interventions import fewshot as _fewshot
from unsway.interventions import prompted as _prompted
from unsway.interventions import rewrite as _rewrite
from unsway.interventions.base import Changed, Intervention
from unsway.interventions.fewshot import Fewshot, leave_one_out, sweep
from unsway.interventions.prompted import Prompted
from unsway.interventions.rewrite import Rewrite
from unsway.interventions.shots import ARMS

__all__ = ["Changed", "Fewshot", "Intervention", "Prompted", "Rewrite", "get", "leave_one_out", "names", "sweep"]


def names() -> tuple[str, ...]:
    """The names of all interventions; a few-shot proxy takes any k, and more at its end (see `Fewshot.name`)."""
    rewrites = (Rewrite(wording).name for wording in _rewrite.wordings())
    prompts = (Prompted(wording).name for wording in _prompted.wordings())
    return tuple(sorted((*(name for arm in ARMS for name in sweep(arm)), *prompts, *rewrites)))


def get(name: str) -> Intervention:
    """The intervention of that name; `4:naive` is short for `fewshot:4-naive`.

    Raises:
        UnknownName: There is none of that name, or a bias that it names is none.
    """
    found = _fewshot.parse(name)
    if found is not None:
        return found
    kind, _, wording = name.partition(":")
    plain = wording.removesuffix("-user")
    if kind == "prompted" and plain in _prompted.wordings():
        return Prompted(plain, "system" if plain == wording else "user")
    if kind == "rewrite" and (wording or "extract") in _rewrite.wordings():
        return Rewrite(wording or "extract")
    raise UnknownName("intervention", name, names())
