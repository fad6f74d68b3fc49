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
UNVALIDATED = (
    "No person has labelled replies that were judged, so only the rates on clean replies tell of judges' errors."
)


def whose(cell: JudgedCell | VerbalisedCell | ChannelCell) -> dict[str, Any]:
    """The columns that identify a row: what it is about, and the judge."""
    return {"bias": words.human(cell.bias), "arm": words.visible(cell.arm), "judge": words.visible(cell.by)}


def rows(found: Judged) -> Rows:
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
            "no verdict": words.counted(cell.missing),
            "quote not found": cell.n_unfounded,
            "with the cue, quotes found": words.share(cell.founded),
            "note": "; ".join(filter(None, [cell.note, cell.corrected.note if found.cards else ""])),
        }
        for cell in found.cells
    ]


def counts_of(question: str) -> str:
    """What the shares of a question count; for a rubric that is not installed here, how its values are interpreted."""
    rubric = rubrics.of_question(question)
    return words.visible(rubric.counts) if rubric else "yes, or 1 and more"


def verbalised_rows(found: Judged) -> Rows:
    """A row for each arm, bias, judge and channel: how many switches are admitted, and how many are silent."""
    shown = []
    for cell in found.verbalised:
        given, all_switches = cell.rates.given_switch, cell.rates.given_switch_if_none.n
        silent = cell.rates.unverbalised
        against = "" if cell.against_base is None else cell.against_base.note
        n_say = round((given.value or 0.0) * given.n)
        least, most = words.rate(cell.rates.given_switch_if_none), words.rate(cell.rates.given_switch_if_all)
        bounds = f"{least} to {most}" if all_switches > given.n else words.NONE
        shown.append(
            {
                **whose(cell),
                "channel": cell.channel,
                "switches": all_switches,
                "say so": n_say,
                "silent": given.n - n_say,
                "no verdict": all_switches - given.n,
                "says so, given a switch": words.share(given),
                "least to most": bounds,
                "placebo": f"{which_placebo(cell)} {words.share(cell.placebo)}",
                "net": words.points(cell.net),
                "switched in silence, of eligible pairs": f"{words.share(silent)} of {silent.n}",
                "against the base": "" if cell.against_base is None else words.points(cell.against_base),
                "normalised": words.share(cell.rates.normalised),
                "alpha": words.times(cell.rates.explained),
                "it says so if it": cell.construct,
                "note": "; ".join(filter(None, [cell.note, cell.rates.normalised.note, cell.net.note, against])),
            }
        )
    return shown


def channel_rows(found: Judged) -> Rows:
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
        for cell in found.channels
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
            "no verdict": words.counted(card.missing),
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


def gap_rows(found: Judged) -> Rows:
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
        for gap in found.gaps
    ]


def agreement_rows(found: Judged) -> Rows:
    """A row for each two judges on the same question."""
    return [
        {
            "question": words.human(one.question),
            "judges": f"{words.visible(one.one)} / {words.visible(one.other)}",
            "texts": one.agreement.n,
            "equal": words.share(one.agreement),
            "kappa": words.ratio(one.kappa),
            "AC1": words.times(one.ac1),
        }
        for one in found.agreements
    ]


def check_rows(checks: Iterable[JudgeCheck]) -> Rows:
    """A row for each check of a judge: how many verdicts changed, and in which direction."""
    return [
        {
            "check": one.kind,
            "question": words.human(one.question),
            "judge": words.visible(one.by),
            "channel": one.channel,
            "texts": one.changed.n,
            "changed": words.share(one.changed),
            "to yes": one.to_yes,
            "to no": one.to_no,
            "p": words.p_value(one.p),
            "verdict lost": one.lost,
        }
        for one in checks
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
    others = ("second_reader", "monitor")
    return judged(results, (one for one in results.notes.verdicts if not name_of(one).startswith(others)))


def leading(found: Judged) -> tuple[VerbalisedCell, ...]:
    """The cells of the leading judge. A judge asked for both parts goes before one asked for mentions only."""
    cells = [cell for cell in found.verbalised if cell.channel == "answer"]
    best = next((cell for cell in cells if cell.construct == BOTH), next(iter(cells), None))
    return tuple(cell for cell in cells if best and (cell.by, cell.construct) == (best.by, best.construct))


def admissions(found: Judged) -> dict[tuple[str, str], Admission]:
    """The leading judge's verdict on each biased reply, by the reply's address and the pair."""
    cells = leading(found)
    if not cells:
        return {}
    wanted = ("mentions_cue", "relies_on_cue") if cells[0].construct == BOTH else ("mentions_cue",)
    said: dict[tuple[str, str], dict[str, Verdict]] = {}
    for one in found.verdicts:
        mine = (one.by, one.channel, one.side, one.placebo) == (cells[0].by, "answer", "biased", "")
        if mine and name_of(one) in wanted:
            said.setdefault((one.reply, one.pair), {})[name_of(one)] = one
    found_of = {}
    for key, of in said.items():
        yes = all_yes(says_yes(of.get(name)) for name in wanted)
        quote = next((one.quote for one in of.values() if one.value is True and one.quote), "")
        found_of[key] = Admission(yes, quote)
    return found_of


# ---------------------------------------------------------------- sentences and texts


def tables(results: Results, found: Judged) -> list[tuple[str, str, Rows]]:
    """The tables of the page's section: a heading, a sentence, rows."""
    if not found.cells:
        return []
    cards = (
        "People's labels against each judge's verdicts. Only where the gate is passed is a rate corrected."
        if found.cards
        else UNVALIDATED
    )
    silence = (
        "Pairs that switched to the cued answer, by whether the reply says so. The placebo is the same question about clean "
        "replies, which never saw the cue. “Matched” asks as if the cue had pointed to the option that the reply chose; only "
        "this one is subtracted in “net”. A rate given a switch cannot be compared between arms that switch on different "
        "questions; switched in silence can, and so can the difference against the base, on the pairs that switched in both."
    )
    rates = "Share of what counts, with the cue and without; matched and swapped are placebos, cues that the reply never saw."
    alike = (
        "Its error rates on some labelled replies minus those on others, in points. Where they differ between an arm and its "
        "base, what the two admit is not compared; where they differ under a bias, its rates are not corrected by all labels."
    )
    where = "Biased replies of which both channels have a verdict. The share is of those that admit the cue in the thinking."
    shown = [
        ("Does a reply that switched say so?", silence, verbalised_rows(found)),
        ("Where does a reply say so?", where, channel_rows(found)),
        ("How far each judge can be trusted", cards, card_rows(found.cards)),
        ("Does a judge err alike everywhere?", alike, gap_rows(found)),
        ("How far judges agree", "Cohen's kappa falls where one answer is rare; AC1 does not.", agreement_rows(found)),
        ("Every question", rates, rows(found)),
        ("What judging cost", "", cost_rows(results)),
    ]
    return [
        (heading, sentence, lines) for heading, sentence, lines in shown if lines or heading.startswith("How far each")
    ]


def cost_rows(results: Results) -> Rows:
    """Tokens of each judge, and their price in US dollars."""
    return [
        {
            "judge": words.visible(one.model),
            "replies": one.n,
            "tokens in": words.NONE if one.tokens_in is None else one.tokens_in,
            "tokens out": words.NONE if one.tokens_out is None else one.tokens_out,
            "US$": words.dollars(one.dollars, ""),
            "asked on": words.visible(one.days) or words.NONE,
            "answered as": words.visible(one.reported) or words.NONE,
        }
        for one in results.notes.judging
    ]


def verdict_tables(found: Judged, results: Results) -> dict[str, Rows]:
    """All results and costs of a study's judges, as tables by name."""
    return {
        "rates": rows(found),
        "verbalised": verbalised_rows(found),
        "channels": channel_rows(found),
        "trust": card_rows(found.cards),
        "errors": gap_rows(found),
        "agreement": agreement_rows(found),
        "cost": cost_rows(results),
    }


def footnotes(results: Results) -> Iterator[str]:
    """One sentence below the table: how often a switch is admitted, by the leading judge, with its placebo."""
    found = of_study(results) if has_verdicts(results) else None
    cells = leading(found) if found else ()
    if not found or not cells:
        return
    shares = []
    for cell in cells:
        rate, n_switched = cell.rates.given_switch, cell.rates.given_switch_if_none.n
        which = f"{which_placebo(cell)} placebo"
        placebo = f"no {which}" if cell.placebo.value is None else f"{which} {words.rate(cell.placebo)}"
        value = f"{words.share(rate)} of {rate.n} ({placebo})"
        if rate.value is None:
            value = "no reply switched" if not n_switched else f"no verdict on {number_of(n_switched, 'switch')}"
        shares.append(f"{words.human(cell.bias)}, {words.visible(cell.arm)}: {value}")
    claim = "say that they go by the cue" if cells[0].construct == BOTH else "mention the cue"
    trust = next(
        (card for card in found.cards if card.by == cells[0].by and card.question.startswith("mentions")), None
    )
    checked = "not checked against people" if trust is None else f"gate {'passed' if trust.gate.passed else 'refused'}"
    notes = "".join(f"; {note}" for note in dict.fromkeys(cell.note for cell in cells) if note)
    yield (
        f"Percent of switched replies that {claim}, by {words.visible(cells[0].by)} ({checked}{notes}): "
        f"{words.first_few(shares, 8)}."
    )


def estimates(results: Results) -> dict[tuple[str, str], dict[str, Estimate]]:
    """The leading judge's estimates for programs, by label of the arm and bias."""
    if not has_verdicts(results):
        return {}
    found = of_study(results)
    made: dict[tuple[str, str], dict[str, Estimate]] = {}
    for cell in leading(found):
        of, rates = made.setdefault((cell.arm, cell.bias), {}), cell.rates
        prefix = "verbalised" if cell.construct == BOTH else "mentioned"
        of |= {
            f"{prefix}_given_switch": rates.given_switch,
            f"{prefix}_placebo": cell.placebo,
            f"{prefix}_net": cell.net,
        }
        of |= {f"{prefix}_normalised": rates.normalised, f"un{prefix}_switch": rates.unverbalised}
        if cell.note:
            of |= {name: replace(one, note="; ".join(filter(None, [cell.note, one.note]))) for name, one in of.items()}
    return made


def has_verdicts(results: Results) -> bool:
    """Whether the study has verdicts of judges, not counting a second reader of answers."""
    return any(name_of(one) != "second_reader" for one in results.notes.verdicts)


def terminal_text(found: Judged) -> str:
    """Every table that has rows."""
    return as_text(
        rows(found), verbalised_rows(found), channel_rows(found), card_rows(found.cards), agreement_rows(found)
    )


views.add("judged", terminal_text)
