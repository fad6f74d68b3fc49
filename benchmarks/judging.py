"""Do the intervals of judged rates cover? Scripted replies of known admissions, scripted judges of known errors, many seeds.

    python benchmarks/judging.py

Each study has pairs of its own seed, a model that follows the cue at a known rate and says so at a known rate, and a judge of
known sensitivity and specificity; people label some of the replies. Everything after the replies is the product's own path:
rubric, form, verdicts, rates, the judge's card, the correction. Exits with 1 where an interval covers less than 93 %.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import click

from unsway import biases
from unsway.judging import rubrics
from unsway.judging.rubrics import Said
from unsway.judging.verdicts import JudgedReply
from unsway.pairing import PairSet, pairs
from unsway.seeds import rng
from unsway.stats.corrected import two_phase
from unsway.stats.intervals import wilson
from unsway.studies.arms import Arm
from unsway.studies.judged import Judged, judged
from unsway.studies.judging import Judging, drawn_texts
from unsway.studies.results import Notes, Results
from unsway.testing import ADMISSION, Script, judge_words, scripted_replies, toy_questions
from unsway.types import Estimate, Verdict
from unsway.types.address import Address

FOLLOW, ADMITS, ACCURACY = 0.5, 0.4, 0.75
SENSITIVITY, SPECIFICITY, UNREAD = 0.85, 0.92, 0.05
LEAST = 0.93
"""The share of studies whose interval must hold the truth."""


def said(texts: list[JudgedReply], seed: int) -> list[Verdict]:
    """The verdicts of a scripted judge on mentions and reliance, from its words in the form."""
    found = []
    for name in ("mentions_cue", "relies_on_cue"):
        rubric = rubrics.get(name)
        for each in texts:
            asked = rubric.prompt(each.cued, each.side, each.text("answer")[0]).turns[0].text()
            read = rubric.value(judge_words(asked, (SENSITIVITY, SPECIFICITY, UNREAD), seed), each.pair, each.side)
            found.append(each.verdict(rubric, "answer", "judge", read if isinstance(read, Said) else Said(read)))
    return found


def study(asked: PairSet, seed: int, n_labels: int) -> Iterator[tuple[str, Judged, dict[str, bool]]]:
    """One study twice, with labels that are known to be a random part of its replies and labels of which nobody knows it."""
    script = Script({"suggested_answer": FOLLOW}, ACCURACY, 1.0, seed, ADMITS)
    replies = scripted_replies(asked, script)
    truth = {Address.of(reply).key().hex(): ADMISSION.strip() in reply.text for reply in replies}
    found = Results.build("bench", [Arm("base", "scripted/model", script.weights, "base")], asked, replies)
    verdicts = said([*drawn_texts(found, Judging(placebos=("matched",)))], seed)
    biased = [v for v in verdicts if v.side == "biased" and v.question.startswith("mentions")]
    chosen = rng(seed, "labelled").sample(biased, n_labels)
    labels = tuple(
        replace(v, question="mentions_cue@people", by="ana", value=truth[v.reply], missing="") for v in chosen
    )
    for labelled in ("all", ""):
        yield labelled, judged(replace(found, notes=Notes(labels=labels, labelled=labelled)), verdicts), truth


def estimates(made: Judged, truth: dict[str, bool], seed: int) -> Iterator[tuple[str, float, Estimate]]:
    """Each number of a study with what it should be over many."""
    mentions = next(cell for cell in made.cells if cell.question.startswith("mentions"))
    admits, slip = FOLLOW * ADMITS, 1 - SPECIFICITY
    (card,) = (one for one in made.cards if one.question.startswith("mentions"))
    (verbal,) = made.verbalised
    says = ADMITS * SENSITIVITY + (1 - ADMITS) * slip
    yield "mention rate with the cue", admits * SENSITIVITY + (1 - admits) * slip, mentions.biased
    yield "false-positive rate (clean)", slip, mentions.clean
    yield "net", admits * (SENSITIVITY - slip), mentions.net
    yield "verbalised, given a switch", says, verbal.rates.given_switch
    yield "normalised", says, verbal.rates.normalised
    yield "switched in silence", FOLLOW * (1 - says), verbal.rates.unverbalised
    yield "given a switch, net of the placebo", ADMITS * (SENSITIVITY - slip), verbal.net
    yield "sensitivity", SENSITIVITY, card.sensitivity
    yield "specificity", SPECIFICITY, card.specificity
    how = "Rogan-Gladen" if mentions.corrected.note.startswith("Rogan") else "prediction-powered"
    yield f"corrected, {how}", admits, mentions.corrected
    biased = [
        v for v in made.verdicts if v.side == "biased" and v.question == mentions.question and v.value is not None
    ]
    draw = rng(seed, "by verdict")
    kinds = [[v for v in biased if v.value is kind] for kind in (True, False)]
    drawn = {v.reply for kind in kinds for v in draw.sample(kind, min(len(kind), 30))}
    labels = [truth[v.reply] if v.reply in drawn else None for v in biased]
    yield "corrected, two-phase", admits, two_phase(labels, [bool(v.value) for v in biased], [v.pair for v in biased])


@click.command(help=__doc__)
@click.option(
    "--studies",
    default=1000,
    show_default=True,
    help="At 300, an interval that covers 95 % falls below 93 % in 5 % of runs.",
)
@click.option("--questions", "n", default=150, show_default=True)
@click.option("--labels", default=60, show_default=True, help="Replies that people label.")
@click.option("--json", "json_", is_flag=True)
def main(studies: int, n: int, labels: int, json_: bool) -> None:
    asked = pairs(toy_questions(n), [biases.get("suggested_answer")], elicit="cot")
    hits: defaultdict[str, list[bool]] = defaultdict(list)
    for seed in range(studies):
        for labelled, made, truth in study(asked, seed, labels):
            for name, right, one in estimates(made, truth, seed):
                if labelled == "all" or name.startswith("corrected, Rogan"):
                    hits[name].append(one.low is not None and one.high is not None and one.low <= right <= one.high)
    rows: list[dict[str, str | float]] = []
    for name, held in hits.items():
        low, high = wilson(sum(held), len(held))
        rows.append({"number": name, "studies": len(held), "covered": sum(held) / len(held), "low": low, "high": high})
    if json_:
        click.echo(json.dumps(rows, indent=1))
    else:
        for row in rows:
            share, *ends = (100 * float(row[name]) for name in ("covered", "low", "high"))
            click.echo(f"{row['number']:<42} {share:5.1f} % of {row['studies']}  [{ends[0]:.1f}, {ends[1]:.1f}]")
    raise SystemExit(int(any(float(row["covered"]) < LEAST for row in rows)))


if __name__ == "__main__":
    main()
