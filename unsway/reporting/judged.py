"""Judges' verdicts on a study's replies, for terminals, the table, the page and the slides.

In: `Judged`, or `Results` whose notes hold verdicts. Out: rows of text, sentences, and where a reply admits its cue.
Each rate on biased replies comes with the rate on clean ones, which had no cue: that rate is the judge's error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from unsway.errors import number_of
from unsway.judging import rubrics
from unsway.judging.agreement import all_yes, says_yes
from unsway.judging.checks import JudgeCheck
from unsway.judging.trust import JudgeCard, name_of
from unsway.reporting import words
from unsway.reporting.terminal import as_text
from unsway.studies.judged import Judged, judged
from unsway.studies.judged_cells import BOTH, ChannelCell, JudgedCell, VerbalisedCell
from unsway.studies.results import Results, views
from unsway.types import Estimate, Verdict

Rows = list[dict[str, Any]]
UNTOLD = "not known: no labels of both kinds in both"
UNVALIDATED = "No person has labelled replies that were judged, so only the rates on clean replies show judges' errors."


def whose(cell: JudgedCell | VerbalisedCell | ChannelCell) -> dict[str, Any]:
    """The columns that identify a row: what it is about, and the judge."""
    return {"bias": words.human(cell.bias), "arm": words.visible(cell.arm), "judge": words.visible(cell.by)}


def rows(judged_study: Judged) -> Rows:
    """A row for each arm, bias, question, judge and channel; percentages with the number of verdicts."""
    return [
        {
            **whose(cell),
            "channel": cell.channel,
            "question": words.human(cell.question),
            "counts": counts_of(cell.question),
            "n": cell.biased.n,
            "with the cue": words.share(cell.biased),
            "without": words.share(cell.clean),
            "matched": words.share(cell.matched),
            "swapped": words.share(cell.swapped),
            "net": words.points(cell.net),
            "given a switch": words.share(cell.given_switch),
            "switched and yes, of eligible pairs": words.share(cell.of_eligible),
            "corrected": words.share(cell.corrected) if cell.corrected.value is not None else "none",
            "no verdict": words.count_text(cell.missing),
            "quote not found": cell.n_unfounded,
            "with the cue, quotes found": words.share(cell.founded),
            "note": "; ".join(filter(None, [cell.note, cell.corrected.note if judged_study.cards else ""])),
        }
        for cell in judged_study.cells
    ]


def counts_of(question: str) -> str:
    """What the shares of a question count; for a rubric that is not installed here, how its values are interpreted."""
    rubric = rubrics.of_question(question)
    return words.visible(rubric.counts) if rubric else "yes, or 1 and more"


def verbalised_rows(judged_study: Judged) -> Rows:
    """A row for each arm, bias, judge and channel: how many switches are admitted, and how many are silent."""
    table_rows = []
    for cell in judged_study.verbalised:
        rate, n_switches = cell.rates.given_switch, cell.rates.given_switch_if_none.n
        silent = cell.rates.unverbalised
        note_against_base = "" if cell.against_base is None else cell.against_base.note
        n_say = round((rate.value or 0.0) * rate.n)
        least, most = words.rate(cell.rates.given_switch_if_none), words.rate(cell.rates.given_switch_if_all)
        bounds = f"{least} to {most}" if n_switches > rate.n else words.NONE
        table_rows.append(
            {
                **whose(cell),
                "channel": cell.channel,
                "switches": n_switches,
                "say so": n_say,
                "silent": rate.n - n_say,
                "no verdict": n_switches - rate.n,
                "says so, given a switch": words.share(rate),
                "least to most": bounds,
                "placebo": f"{which_placebo(cell)} {words.share(cell.placebo)}",
                "net": words.points(cell.net),
                "switched in silence, of eligible pairs": f"{words.share(silent)} of {silent.n}",
                "against the base": "" if cell.against_base is None else words.points(cell.against_base),
                "normalised": words.share(cell.rates.normalised),
                "alpha": words.times(cell.rates.explained),
                "it says so if it": cell.construct,
                "note": "; ".join(
                    filter(None, [cell.note, cell.rates.normalised.note, cell.net.note, note_against_base])
                ),
            }
        )
    return table_rows


def channel_rows(judged_study: Judged) -> Rows:
    """A row for each arm, bias and judge that was shown both channels: in which of them biased replies admit the cue."""
    return [
        {
            **whose(cell),
            "both": cell.both,
            "thinking only": cell.thinking_only,
            "answer only": cell.answer_only,
            "neither": cell.neither,
            "no verdict": cell.n_missing,
            "in the answer, given the thinking": words.share(cell.leak),
            "it says so if it": cell.construct,
            "note": cell.note,
        }
        for cell in judged_study.channels
    ]


def which_placebo(cell: VerbalisedCell) -> str:
    """The placebo used: `matched`, or `clean`, which is too easy a comparison for switched replies."""
    return cell.placebo.name.removeprefix("placebo_")


def card_rows(cards: Iterable[JudgeCard]) -> Rows:
    """A row for each judge and question, compared with people: both error rates, agreement, and the gate's verdict."""
    return [
        {
            "question": words.human(card.question),
            "judge": words.visible(card.by),
            "labels": card.worst.n,
            "yes by people": card.worst.tp + card.worst.fn,
            "no verdict": words.count_text(card.missing),
            "sensitivity": words.share(card.sensitivity),
            "specificity": words.share(card.specificity),
            "equal": words.rate(card.agreement),
            "kappa": words.ratio(card.kappa),
            "AC1": words.times(card.table.ac1),
            "AUROC": words.ratio(card.auroc),
            "gate": words.visible(
                "; ".join(filter(None, ["passed" if card.gate.passed else "refused", card.gate.why]))
            ),
        }
        for card in cards
    ]


def gap_rows(judged_study: Judged) -> Rows:
    """A row for each judge and question that people checked, and each two groups of replies whose errors may differ."""
    return [
        {
            "question": words.human(gap.question),
            "judge": words.visible(gap.by),
            "channel": gap.channel,
            "replies": words.human(gap.one) if gap.between == "biases" else words.visible(gap.one),
            "against": words.visible(gap.other),
            "sensitivity": words.points(gap.sensitivity),
            "specificity": words.points(gap.specificity),
            "errs": (gap.differs and f"another {gap.differs}") or ("no difference found" if gap.is_tested else UNTOLD),
        }
        for gap in judged_study.gaps
    ]


def agreement_rows(judged_study: Judged) -> Rows:
    """A row for each two judges on the same question."""
    return [
        {
            "question": words.human(judge_pair.question),
            "judges": f"{words.visible(judge_pair.one)} / {words.visible(judge_pair.other)}",
            "texts": judge_pair.agreement.n,
            "equal": words.share(judge_pair.agreement),
            "kappa": words.ratio(judge_pair.kappa),
            "AC1": words.times(judge_pair.ac1),
        }
        for judge_pair in judged_study.agreements
    ]


def check_rows(checks: Iterable[JudgeCheck]) -> Rows:
    """A row for each check of a judge: how many verdicts changed, and in which direction."""
    return [
        {
            "check": check.kind,
            "question": words.human(check.question),
            "judge": words.visible(check.by),
            "channel": check.channel,
            "texts": check.changed.n,
            "changed": words.share(check.changed),
            "to yes": check.to_yes,
            "to no": check.to_no,
            "p": words.p_value(check.p),
            "verdict lost": check.lost,
        }
        for check in checks
    ]


# ---------------------------------------------------------------- the judge that a page goes by


class Admission(NamedTuple):
    """One judge's verdict on whether a biased reply admits its cue."""

    says: bool | None
    """Whether the reply says that the cue decided; None without a verdict."""
    quote: str
    """The words of the reply that say so; empty if none were quoted."""


def of_study(results: Results) -> Judged:
    """The judges' results in a study's folder; empty without judges. Monitors have separate tables."""
    excluded_judges = ("second_reader", "monitor")
    return judged(
        results, (verdict for verdict in results.notes.verdicts if not name_of(verdict).startswith(excluded_judges))
    )


def leading(judged_study: Judged) -> tuple[VerbalisedCell, ...]:
    """The cells of the leading judge. A judge asked for both parts goes before one asked for mentions only."""
    cells = [cell for cell in judged_study.verbalised if cell.channel == "answer"]
    best = next((cell for cell in cells if cell.construct == BOTH), next(iter(cells), None))
    return tuple(cell for cell in cells if best and (cell.by, cell.construct) == (best.by, best.construct))


def admissions(judged_study: Judged) -> dict[tuple[str, str], Admission]:
    """The leading judge's verdict on each biased reply, by the reply's address and the pair."""
    cells = leading(judged_study)
    if not cells:
        return {}
    questions = ("mentions_cue", "relies_on_cue") if cells[0].construct == BOTH else ("mentions_cue",)
    verdicts: dict[tuple[str, str], dict[str, Verdict]] = {}
    for verdict in judged_study.verdicts:
        is_ours = (verdict.by, verdict.channel, verdict.side, verdict.placebo) == (cells[0].by, "answer", "biased", "")
        if is_ours and name_of(verdict) in questions:
            verdicts.setdefault((verdict.reply, verdict.pair), {})[name_of(verdict)] = verdict
    admission_of = {}
    for key, answers in verdicts.items():
        yes = all_yes(says_yes(answers.get(name)) for name in questions)
        quote = next((verdict.quote for verdict in answers.values() if verdict.value is True and verdict.quote), "")
        admission_of[key] = Admission(yes, quote)
    return admission_of


# ---------------------------------------------------------------- sentences and texts


def tables(results: Results, judged_study: Judged) -> list[tuple[str, str, Rows]]:
    """The tables of the page's section: a heading, a sentence, rows."""
    if not judged_study.cells:
        return []
    cards = (
        "People's labels against each judge's verdicts. A rate is corrected only if the gate is passed."
        if judged_study.cards
        else UNVALIDATED
    )
    switches = (
        "Pairs that switched to the cued answer, by whether the reply says so. The placebo is the same question about clean "
        "replies, which never saw the cue. “Matched” asks as if the cue had pointed to the option that the reply chose; only "
        "this one is subtracted in “net”. A rate given a switch cannot be compared between arms that switch on different "
        "questions; switched in silence can, and so can the difference against the base, on the pairs that switched in both."
    )
    rates = "Share of what counts, with the cue and without; matched and swapped are placebos, cues that the reply never saw."
    errors = (
        "Its error rates on some labelled replies minus those on others, in points. Where they differ between an arm and its "
        "base, what the two admit is not compared; where they differ under a bias, its rates are not corrected by all labels."
    )
    channels = (
        "Biased replies of which both channels have a verdict. "
        "The share is of those that admit the cue in the thinking."
    )
    candidates = [
        ("Does a reply that switched say so?", switches, verbalised_rows(judged_study)),
        ("Where does a reply say so?", channels, channel_rows(judged_study)),
        ("How far each judge can be trusted", cards, card_rows(judged_study.cards)),
        ("Does a judge err alike everywhere?", errors, gap_rows(judged_study)),
        (
            "How far judges agree",
            "Cohen's kappa falls where one answer is rare; AC1 does not.",
            agreement_rows(judged_study),
        ),
        ("Every question", rates, rows(judged_study)),
        ("What judging cost", "", cost_rows(results)),
    ]
    return [
        (heading, sentence, table_rows)
        for heading, sentence, table_rows in candidates
        if table_rows or heading.startswith("How far each")
    ]


def cost_rows(results: Results) -> Rows:
    """Tokens of each judge, and their price in US dollars."""
    return [
        {
            "judge": words.visible(cost.model),
            "replies": cost.n,
            "tokens in": words.NONE if cost.tokens_in is None else cost.tokens_in,
            "tokens out": words.NONE if cost.tokens_out is None else cost.tokens_out,
            "US$": words.dollars(cost.dollars, ""),
            "asked on": words.visible(cost.days) or words.NONE,
            "answered as": words.visible(cost.reported) or words.NONE,
        }
        for cost in results.notes.judging
    ]


def verdict_tables(judged_study: Judged, results: Results) -> dict[str, Rows]:
    """All results and costs of a study's judges, as tables by name."""
    return {
        "rates": rows(judged_study),
        "verbalised": verbalised_rows(judged_study),
        "channels": channel_rows(judged_study),
        "trust": card_rows(judged_study.cards),
        "errors": gap_rows(judged_study),
        "agreement": agreement_rows(judged_study),
        "cost": cost_rows(results),
    }


def footnotes(results: Results) -> Iterator[str]:
    """One sentence below the table: how often a switch is admitted, by the leading judge, with its placebo."""
    judge_results = of_study(results) if has_verdicts(results) else None
    cells = leading(judge_results) if judge_results else ()
    if not judge_results or not cells:
        return
    shares = []
    for cell in cells:
        rate, n_switched = cell.rates.given_switch, cell.rates.given_switch_if_none.n
        placebo_name = f"{which_placebo(cell)} placebo"
        placebo = f"no {placebo_name}" if cell.placebo.value is None else f"{placebo_name} {words.rate(cell.placebo)}"
        value = f"{words.share(rate)} of {rate.n} ({placebo})"
        if rate.value is None:
            value = "no reply switched" if not n_switched else f"no verdict on {number_of(n_switched, 'switch')}"
        shares.append(f"{words.human(cell.bias)}, {words.visible(cell.arm)}: {value}")
    claim = "say that they go by the cue" if cells[0].construct == BOTH else "mention the cue"
    card = next(
        (card for card in judge_results.cards if card.by == cells[0].by and card.question.startswith("mentions")), None
    )
    gate_text = "not checked against people" if card is None else f"gate {'passed' if card.gate.passed else 'refused'}"
    notes = "".join(f"; {note}" for note in dict.fromkeys(cell.note for cell in cells) if note)
    yield (
        f"Percent of switched replies that {claim}, by {words.visible(cells[0].by)} ({gate_text}{notes}): "
        f"{words.first_few(shares, 8)}."
    )


def estimates(results: Results) -> dict[tuple[str, str], dict[str, Estimate]]:
    """The leading judge's estimates for programs, by label of the arm and bias."""
    if not has_verdicts(results):
        return {}
    judge_results = of_study(results)
    estimates_of: dict[tuple[str, str], dict[str, Estimate]] = {}
    for cell in leading(judge_results):
        cell_estimates = estimates_of.setdefault((cell.arm, cell.bias), {})
        rates = cell.rates
        prefix = "verbalised" if cell.construct == BOTH else "mentioned"
        cell_estimates |= {
            f"{prefix}_given_switch": rates.given_switch,
            f"{prefix}_placebo": cell.placebo,
            f"{prefix}_net": cell.net,
        }
        cell_estimates |= {f"{prefix}_normalised": rates.normalised, f"un{prefix}_switch": rates.unverbalised}
        if cell.note:
            cell_estimates |= {
                name: replace(estimate, note="; ".join(filter(None, [cell.note, estimate.note])))
                for name, estimate in cell_estimates.items()
            }
    return estimates_of


def has_verdicts(results: Results) -> bool:
    """Whether the study has verdicts of judges, not counting a second reader of answers."""
    return any(name_of(verdict) != "second_reader" for verdict in results.notes.verdicts)


def terminal_text(judged_study: Judged) -> str:
    """Every table that has rows."""
    return as_text(
        rows(judged_study),
        verbalised_rows(judged_study),
        channel_rows(judged_study),
        card_rows(judged_study.cards),
        agreement_rows(judged_study),
    )


views.add("judged", terminal_text)
