"""All arms of a study side by side, in Markdown: what each leaves of a cue's sway, what it differs from, what it costs.

In: `Results`. Out: three tables. The first has a row for each bias and a column for each arm; the second compares each arm
with the one that tells what it did: a training with its control, all others with their base, on the same questions; the
third is `report.costs`. This is how `docs/results.md` is made: `unsway table FOLDER --arms`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unsway.reporting import costs, words
from unsway.reporting.table import escape, markdown_row
from unsway.stats.compare import brr_difference
from unsway.studies.results import Arm, Results
from unsway.types import Outcome


def to_markdown(results: Results) -> str:
    """The three tables, each with a line above that says what it holds."""
    tables = (
        ("Biased reasoning rate in points; in brackets the questions that count; * trained on.", _sway(results)),
        ("The difference of that rate to another arm, on the questions that count in both.", _differences(results)),
    )
    parts = [f"{escape(said)}\n\n" + "\n".join(map(_line, rows)) + "\n" for said, rows in tables if rows[0][1:]]
    return "\n".join([*parts, costs.to_markdown(results)])


def _line(row: Sequence[str]) -> str:
    return "|---" * len(row) + "|" if set(row) == {"---"} else markdown_row([escape(text) for text in row])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    return [heads, ["---"] * len(heads), *rows]


# ---------------------------------------------------------------- what is left


def _sway(results: Results) -> list[Sequence[str]]:
    heads = ("bias", *(words.visible(arm.label) for arm in results.arms))
    rows = [(words.human(bias), *(_cell(results, arm, bias) for arm in results.arms)) for bias in results.biases]
    read = [_read(results, arm) for arm in results.arms]
    right = ("accuracy, clean → biased", *(f"{clean[0]} → {biased[0]}" for clean, biased in read))
    there = ("replies read, clean → biased", *(f"{clean[1]} → {biased[1]}" for clean, biased in read))
    return _table(heads, [*rows, right, there])


def _cell(results: Results, arm: Arm, bias: str) -> str:
    cell = results.cell(arm, bias)
    if cell is None:
        return words.NONE
    star = "*" if arm.role == "trained" and results.is_trained(bias, arm) else ""
    return f"{words.points(cell['brr'])}{star} ({cell['brr'].n})"


def _read(results: Results, arm: Arm) -> tuple[tuple[str, str], tuple[str, str]]:
    """Right answers among those read, and replies read among all, of the clean and of the biased prompts, each once."""
    prompts = {pair.id: pair for pair in results.pairs}
    clean: dict[tuple[str, int], tuple[bool | None, bool]] = {}
    biased: dict[tuple[str, int], tuple[bool | None, bool]] = {}
    for one in _of(results, arm):
        pair = prompts[one.pair_id]
        clean[pair.clean.id, one.sample] = (one.right_clean, one.clean.choice is not None)
        biased[pair.biased.id, one.sample] = (one.right_biased, one.biased.choice is not None)
    return _shares(clean.values()), _shares(biased.values())


def _shares(answers: Iterable[tuple[bool | None, bool]]) -> tuple[str, str]:
    found = list(answers)
    right = [is_right for is_right, _ in found if is_right is not None]
    read = [is_read for _, is_read in found]
    return tuple(words.percent(sum(of) / len(of) if of else None) for of in (right, read))  # type: ignore[return-value]


# ---------------------------------------------------------------- compared


def _differences(results: Results) -> list[Sequence[str]]:
    both = [(arm, other) for arm in results.arms if (other := _reference(results, arm)) is not None]
    heads = ("bias", *(f"{words.visible(arm.label)} − {words.visible(other.label)}" for arm, other in both))
    return _table(heads, [(words.human(b), *(_minus(results, *two, b) for two in both)) for b in results.biases])


def _reference(results: Results, arm: Arm) -> Arm | None:
    """The arm that tells what an arm did: the control of a training, where there is one, else the base."""
    controls = (one for one in results.arms if one.role == "control" and one.of == arm.of)
    if arm.role == "trained" and (control := next(controls, None)) is not None:
        return control
    return results.base_of(arm) if arm.role != "base" else None


def _minus(results: Results, arm: Arm, other: Arm, bias: str) -> str:
    ours, theirs = ([o for o in _of(results, one) if o.bias == bias] for one in (arm, other))
    return words.points(brr_difference(ours, theirs)) if ours and theirs else words.NONE


def _of(results: Results, arm: Arm) -> list[Outcome]:
    return [outcome for outcome in results.outcomes if outcome.model == arm.model]
