"""Interventions in prompts: they need no training, work with any model, and are measured alongside trained models.

In: a name, or a value. Out: an `Intervention`, which changes the prompts of pairs, equally on both sides.

    shots = interventions.get("fewshot:4-naive")                 # or Fewshot(4)
    changed = shots.apply(pairs, "unsway/smollm2-135m", Sampling(folder="runs/mine"))
    ask(changed.prompts.values(), "unsway/smollm2-135m", folder="runs/mine")
"""

from unsway.interventions.base import Changed, Intervention, InterventionKind, get, kinds, names, resolve
from unsway.interventions.fewshot import Fewshot, leave_one_out, sweep
from unsway.interventions.prompted import Prompted
from unsway.interventions.rewrite import Rewrite

__all__ = [
    "Changed",
    "Fewshot",
    "Intervention",
    "InterventionKind",
    "Prompted",
    "Rewrite",
    "get",
    "kinds",
    "leave_one_out",
    "names",
    "resolve",
    "sweep",
]
