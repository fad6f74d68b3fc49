"""Decisions that wait for numbers: note them, take them, see how they stand.

In: the notebook of a project, and what is known about its numbers. Out: rows in the notebook, `WaitingDecision`s. Nothing is
asked.

    note("runs", "train on suggested_answer?", when="brr(suggested_answer, openai/gpt-4o-mini) > .05", worth="200/point")
    note("runs", "which training?", best=["brr(post_hoc, my/model + bct)", "brr(post_hoc, my/model + act)"])
    waiting("runs")
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unsway import effects, layout
from unsway.biases import all_biases, resolve
from unsway.errors import BadInput, UnknownName
from unsway.planning.decisions import Decided, FreeNote, Stated, StatedChoice, StatedDecision
from unsway.planning.forecasts import Forecast, Quantity
from unsway.studies.beliefs import Beliefs
from unsway.studies.folder import arms_of
from unsway.studies.forecasting import printed_rates
from unsway.studies.notebook import Notebook
from unsway.studies.readable import read_folders
from unsway.types.kinds import checked

_log = logging.getLogger(__name__)


@checked
def note(
    project: str | Path, text: str, *, when: str = "", best: Sequence[str] = (), worth: str = "", due: str = ""
) -> Stated | FreeNote:
    """Note a remark, or a decision that waits for numbers, in the notebook of a project.

    A model that no study of the project has is noted with a warning.

    Args:
        project: The folder that holds the studies' folders.
        text: The remark or the question, in your own words.
        when: For a decision: the condition under which you act, such as `brr(post_hoc, MODEL) > .05`.
        best: For a choice: the numbers to choose from. The lowest wins; for side effects, the highest.
        worth: US dollars per point beyond the threshold, or per point better: `200/point`.
        due: A date, or the name of a day.

    Raises:
        BadInput: A part of it cannot be read, a worth or a day is given without a condition, the day has passed, or it
            depends on minutes or dollars, or on a ratio or a side effect of an unmodified model.
        UnknownName: It depends on a side effect or a bias that does not exist.
    """
    if bool(when) == bool(best) and (when or worth or due):
        raise BadInput(
            "A worth or a day belongs to a decision, and that to one condition. Say when you act: --if 'brr(post_hoc, MODEL) "
            "> .05'; or among what you choose: --best 'brr(post_hoc, MODEL + bct)', once for each."
        )
    row: Stated | FreeNote = FreeNote(text)
    if when:
        row = StatedDecision.of(text, when, worth=worth, due=due)
    elif best:
        row = StatedChoice.of(text, best, worth=worth, due=due)
    if not isinstance(row, FreeNote):
        for quantity in map(Quantity.parse, row.quantities):
            if not quantity.bias:
                raise BadInput(
                    f"{quantity} is no rate. Decide on brr(BIAS, MODEL), ratio(BIAS, MODEL + ARM) or effect(…)."
                )
            if quantity.kind != "brr" and not quantity.change:
                raise BadInput(
                    f"{quantity} is of no arm. Name what is done to the model: {quantity.kind}({quantity.bias}, MODEL + bct)."
                )
            if quantity.kind == "effect":
                effects.get(quantity.bias)
            else:
                _check_bias(quantity.bias, project)
        if sentence := strange_models(row, project):
            _log.warning("%s Noted nevertheless: it may be one that you plan.", sentence)
    Notebook(project).append(row)
    return row


def strange_models(decision: Stated, project: str | Path) -> str:
    """A warning about a decision's models that no study of the project has; empty if all are known, or there is no study."""
    folders = (path.parent for path in sorted(Path(project).glob(f"*/{layout.OUTCOMES}")))
    arms = [arm for _, folder_arms in read_folders(folders, arms_of) for arm in folder_arms]
    planned_models = [Quantity.parse(forecast.quantity).model for forecast in Notebook(project).all(Forecast)]
    models = {name for name in (*planned_models, *(name for arm in arms for name in (arm.model, arm.of))) if name}
    unknown = dict.fromkeys(name for text in decision.quantities if (name := Quantity.parse(text).model) not in models)
    if not models or not unknown:
        return ""
    return (
        f"No study here has a model of the name {' or '.join(map(repr, unknown))}; known: {', '.join(sorted(models))}."
    )


def _check_bias(name: str, project: str | Path) -> None:
    """Raise `UnknownName` for a bias that is neither declared nor forecast or measured in the project."""
    try:
        resolve(name)
    except UnknownName as error:
        forecast_biases = {Quantity.parse(row.quantity).bias for row in Notebook(project).all(Forecast)}
        if name not in forecast_biases | {row.bias for _, row in printed_rates(project)}:
            raise UnknownName(
                "bias", name, {*(bias.name for bias in all_biases()), *filter(None, forecast_biases)}
            ) from error


def open_decisions(project: str | Path) -> tuple[Stated, ...]:
    """The decisions that are not taken yet, ordered by due date."""
    decisions: dict[str, Stated] = {}
    for row in Notebook(project).all(object):
        if isinstance(row, StatedDecision | StatedChoice):
            decisions[row.id] = row  # a decision that is stated again after it was taken is open again
        elif isinstance(row, Decided):
            decisions.pop(row.decision, None)
    return tuple(sorted(decisions.values(), key=lambda decision: decision.due or "9999"))


@checked
def decided(project: str | Path, decision: str, action: str, why: str = "", *, results: Sequence[str] = ()) -> Decided:
    """Note that a decision was taken.

    Args:
        project: The folder that holds the studies' folders.
        decision: Its id, or the beginning of it.
        action: What you will do.
        why: The reason.
        results: Folders whose numbers it is based on.

    Raises:
        UnknownName: No open decision has this id.
        BadInput: Several open decisions have it.
    """
    row = Decided(open_decision(project, decision).id, action, why, tuple(results))
    Notebook(project).append(row)
    return row


def open_decision(project: str | Path, decision: str) -> Stated:
    """Return the open decision with an id, or with an id that begins so. Raises as `decided`."""
    decisions = open_decisions(project)
    matches = [candidate for candidate in decisions if decision and candidate.id.startswith(decision)]
    if len(matches) > 1:
        labels = ", ".join(f"{candidate.id} ({candidate.text})" for candidate in matches)
        raise BadInput(f"{decision!r} begins {len(matches)} open decisions: {labels}. Write more of the id.")
    if not matches:
        raise UnknownName("open decision", decision, [candidate.id for candidate in decisions])
    return matches[0]


@dataclass(frozen=True, slots=True)
class WaitingDecision:
    """An open decision, with what is currently known about it."""

    decision: Stated
    """What is to be decided."""
    stands: str
    """What to do on current knowledge: yes, no, or the arm to take."""
    doubt: float
    """The chance that another action is right: an upper bound on the chance that any further run changes the decision."""


def waiting(project: str | Path, seed: int = 0) -> tuple[WaitingDecision, ...]:
    """The open decisions of a project by due date, each with what is currently known."""
    beliefs = Beliefs(project, seed)
    rows = []
    for decision in open_decisions(project):
        worth_DA = decision.utility(beliefs.of(*map(Quantity.parse, decision.quantities)))
        best = int(worth_DA.mean(axis=0).argmax())
        rows.append(WaitingDecision(decision, decision.actions[best], float((worth_DA.argmax(axis=1) != best).mean())))
    return tuple(rows)
