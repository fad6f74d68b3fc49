"""Which judges are related to the model they judge: they may share its errors, so every number of theirs is marked.

In: names of models, arms. Out: whether two are of one family, and a note for each judge and arm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from unsway.assets.catalogue import hub_name
from unsway.studies.arms import Arm

NAMELESS = frozenset(
    "adapter base checkpoint epoch export fit ft lora merged model out output run sft step trained weights".split()
)
"""First words of a folder's name that do not identify the model in it."""
SAME_FOLDER_NAME = "judged by a model in a folder of the same name, which may be the model itself"


def family(model: str) -> tuple[str, str]:
    """The maker and the name of a model's family: judges of one family may share their errors."""
    *path, last = model.partition("#")[0].lower().split(" ")[0].split("/")
    name = re.match(r"[a-z]*", last)
    return (path[0] if path else ""), name[0] if name else last


def same_family(judge: str, model: str) -> bool:
    """Whether two models share a name apart from numbers, or a maker that serves only its own models."""
    (maker, name), (other_maker, other_name) = family(judge), family(model)
    same_maker = maker == other_maker and maker in ("openai", "anthropic", "google", "mistral", "grok")
    return same_maker or (
        bool(name) and name == other_name and not (name in NAMELESS and is_folder(judge) and is_folder(model))
    )


def is_folder(model: str) -> bool:
    """Whether a model is named after the folder that holds it, which identifies neither its maker nor its weights."""
    local, _, name = model.partition(" ")[0].partition("/")
    return local == "unsway" and "/" not in hub_name(name)


def judge_notes(judges: Iterable[str]) -> Callable[[str, Arm], str]:
    """Return a function of a judge and an arm: the note on its numbers, or empty.

    A judge gets a note if it judges itself, or its own family with no other judge alongside.
    """
    all_judges = tuple(dict.fromkeys(judges))

    def note(by: str, arm: Arm) -> str:
        models = {arm.model, arm.of, arm.checkpoint.base.partition("#")[0] if arm.checkpoint else ""} - {""}
        members = re.sub(r"^(any|majority|all) of ", "", by).split(", ")
        own_models = [
            model for model in models for member in members if member.partition(" ")[0] == model.partition(" ")[0]
        ]
        if own_models:
            return SAME_FOLDER_NAME if all(map(is_folder, own_models)) else "judged by the model itself"
        kin = [member for member in members if any(same_family(member, model) for model in models)]
        others = [judge for judge in all_judges if not any(same_family(judge, model) for model in models)]
        return "judged by a model of its own family, and by no other" if kin and not others else ""

    return note
