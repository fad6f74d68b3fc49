"""Which judges are kin of the model that they judge: they may share its errors, and every number of theirs says so.

In: names of models, arms. Out: whether two are of one family, and a note for each judge and arm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from unsway.studies.arms import Arm


def family(model: str) -> tuple[str, str]:
    """Who makes a model and what it is called: judges of one family may share their errors."""
    *path, last = model.partition("#")[0].lower().split(" ")[0].split("/")
    name = re.match(r"[a-z]*", last)
    return (path[0] if path else ""), name[0] if name else last


def same_family(judge: str, model: str) -> bool:
    """Whether two models have one name without its numbers, or one maker that serves its own models only."""
    (maker, name), (other_maker, other_name) = family(judge), family(model)
    own = maker == other_maker and maker in ("openai", "anthropic", "google", "mistral", "grok")
    return own or (bool(name) and name == other_name)


def judge_notes(judges: Iterable[str]) -> Callable[[str, Arm], str]:
    """What every number of one of these judges must say of an arm: it judges itself, or its own family with no other judge
    next to it; empty where neither is so.
    """
    every = tuple(dict.fromkeys(judges))

    def note(by: str, arm: Arm) -> str:
        models = {arm.model, arm.of, arm.checkpoint.base.partition("#")[0] if arm.checkpoint else ""} - {""}
        members = re.sub(r"^(any|majority|all) of ", "", by).split(", ")
        own = [model for model in models for one in members if one.partition(" ")[0] == model.partition(" ")[0]]
        if own:
            return "judged by the model itself"
        kin = [one for one in members if any(same_family(one, model) for model in models)]
        others = [one for one in every if not any(same_family(one, model) for model in models)]
        return "judged by a model of its own family, and by no other" if kin and not others else ""

    return note
