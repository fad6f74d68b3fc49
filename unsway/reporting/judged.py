"""What judges say of a study's replies, as rows and as text for a terminal.

In: `Judged`. Out: rows for tables and JSON; text. A rate on clean replies stands next to each rate on biased ones: the cue
was not there, so what is found is the judge's error.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from typing import Any

from unsway.judging.trust import JudgeCard
from unsway.reporting import words
from unsway.studies.judging import Judged
from unsway.studies.results import views


def rows(judged: Judged) -> list[dict[str, Any]]:
    """A row for each arm, bias, question, judge and channel; percent, with how many verdicts each rate has."""
    return [
        {
            "bias": words.human(cell.bias),
            "arm": words.visible(cell.arm),
            "question": words.human(cell.question),
            "judge": words.visible(cell.by),
            "channel": cell.channel,
            "n": cell.biased.n,
            "with the cue": words.rate(cell.biased),
            "without": words.rate(cell.clean),
            "net": words.points(cell.net),
            "no verdict": ", ".join(f"{n} {why}" for why, n in sorted(cell.missing.items())) or "0",
            "quote not found": cell.n_unfounded,
            "note": cell.note,
        }
        for cell in judged.cells
    ]


def verbalised_rows(judged: Judged) -> list[dict[str, Any]]:
    """A row for each arm, bias, judge and channel: how often a switch is admitted."""
    return [
        {
            "bias": words.human(cell.bias),
            "arm": words.visible(cell.arm),
            "judge": words.visible(cell.by),
            "channel": cell.channel,
            "switches": cell.rates.given_switch.n,
            "verbalised given a switch": words.rate(cell.rates.given_switch),
            "normalised": words.rate(cell.rates.normalised) if cell.rates.normalised.value is not None else words.NONE,
            "switched in silence": words.rate(cell.rates.unverbalised),
            "of eligible pairs": cell.rates.unverbalised.n,
        }
        for cell in judged.verbalised
    ]


def card_rows(cards: Iterable[JudgeCard]) -> list[dict[str, Any]]:
    """A row for each judge and question, against people: both error rates, agreement, and what the gate says."""
    return [
        {
            "question": words.human(card.question),
            "judge": words.visible(card.by),
            "labels": card.table.n + sum(card.missing.values()),
            "yes by people": card.worst.tp + card.worst.fn,
            "no verdict": ", ".join(f"{n} {why}" for why, n in sorted(card.missing.items())) or "0",
            "sensitivity": words.share(card.sensitivity),
            "specificity": words.share(card.specificity),
            "equal": words.rate(card.agreement),
            "kappa": words.ratio(card.kappa),
            "AC1": words.times(card.table.ac1),
            "AUROC": words.ratio(card.auroc),
            "gate": words.visible(
                ("passed" if card.gate.passed else "refused") + f": {card.gate.why}" * bool(card.gate.why)
            ),
        }
        for card in cards
    ]


def terminal_text(judged: Judged) -> str:
    """Both tables."""
    from rich.console import Console
    from rich.table import Table

    out = StringIO()
    console = Console(file=out, width=160, force_terminal=False)
    for lines in (rows(judged), verbalised_rows(judged)):
        if lines:
            shown = Table(*lines[0], box=None, pad_edge=False)
            for line in lines:
                shown.add_row(*map(str, line.values()))
            console.print(shown)
            console.print()
    return out.getvalue().rstrip()


views.add("judged", terminal_text)
