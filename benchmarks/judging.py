"""Do the intervals of judged rates cover? Scripted replies of known admissions, scripted judges of known errors, many seeds.

    python benchmarks/judging.py

Each study has pairs of its own seed, a model that follows the cue at a known rate and says so at a known rate, and a judge of
known sensitivity and specificity; people label some of the replies. Everything after the replies is the product's own path:
rubric, form, verdicts, rates, the judge's card, the correction. Exits with 1 if an interval covers less than 93 %.
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
    verdicts = []
    for name in ("mentions_cue", "relies_on_cue"):
        rubric = rubrics.get(name)
        for reply in texts:
            prompt_text = rubric.prompt(reply.cued, reply.side, reply.text("answer")[0]).turns[0].text()
            value = rubric.value(
                judge_words(prompt_text, (SENSITIVITY, SPECIFICITY, UNREAD), seed), reply.pair, reply.side
            )
            verdicts.append(reply.verdict(rubric, "answer", "judge", value if isinstance(value, Said) else Said(value)))
    return verdicts


def study(pair_set: PairSet, seed: int, n_labels: int) -> Iterator[tuple[str, Judged, dict[str, bool]]]:
    """One study twice, with labels that are known to be a random part of its replies and labels of which nobody knows it."""
    script = Script({"suggested_answer": FOLLOW}, ACCURACY, 1.0, seed, ADMITS)
    replies = scripted_replies(pair_set, script)
    truth = {Address.of(reply).key().hex(): ADMISSION.strip() in reply.text for reply in replies}
    results = Results.build("bench", [Arm("base", "scripted/model", script.weights, "base")], pair_set, replies)
    verdicts = said([*drawn_texts(results, Judging(placebos=("matched",)))], seed)
    biased = [v for v in verdicts if v.side == "biased" and v.question.startswith("mentions")]
    people_read = rng(seed, "labelled").sample(biased, n_labels)
    labels = tuple(
        replace(v, question="mentions_cue@people", by="ana", value=truth[v.reply], missing="") for v in people_read
    )
    for labelled in ("all", ""):
        yield labelled, judged(replace(results, notes=Notes(labels=labels, labelled=labelled)), verdicts), truth


def estimates(judgement: Judged, truth: dict[str, bool], seed: int) -> Iterator[tuple[str, float, Estimate]]:
    """Each number of a study with what it should be over many."""
    mentions = next(cell for cell in judgement.cells if cell.question.startswith("mentions"))
    admits, slip = FOLLOW * ADMITS, 1 - SPECIFICITY
    (card,) = (card for card in judgement.cards if card.question.startswith("mentions"))
    (verbal,) = judgement.verbalised
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
    method = "Rogan-Gladen" if mentions.corrected.note.startswith("Rogan") else "prediction-powered"
    yield f"corrected, {method}", admits, mentions.corrected
    biased = [
        v for v in judgement.verdicts if v.side == "biased" and v.question == mentions.question and v.value is not None
    ]
    draw = rng(seed, "by verdict")
    kinds = [[v for v in biased if v.value is kind] for kind in (True, False)]
    drawn_replies = {v.reply for kind in kinds for v in draw.sample(kind, min(len(kind), 30))}
    labels = [truth[v.reply] if v.reply in drawn_replies else None for v in biased]
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
    pair_set = pairs(toy_questions(n), [biases.get("suggested_answer")], elicit="cot")
    hits: defaultdict[str, list[bool]] = defaultdict(list)
    for seed in range(studies):
        for labelled, judgement, truth in study(pair_set, seed, labels):
            for name, expected, estimate in estimates(judgement, truth, seed):
                if labelled == "all" or name.startswith("corrected, Rogan"):
                    hits[name].append(
                        estimate.low is not None
                        and estimate.high is not None
                        and estimate.low <= expected <= estimate.high
                    )
    rows: list[dict[str, str | float]] = []
    for name, flags in hits.items():
        low, high = wilson(sum(flags), len(flags))
        rows.append(
            {"number": name, "studies": len(flags), "covered": sum(flags) / len(flags), "low": low, "high": high}
        )
    if json_:
        click.echo(json.dumps(rows, indent=1))
    else:
        for row in rows:
            share, *ends = (100 * float(row[name]) for name in ("covered", "low", "high"))
            click.echo(f"{row['number']:<42} {share:5.1f} % of {row['studies']}  [{ends[0]:.1f}, {ends[1]:.1f}]")
    raise SystemExit(int(any(float(row["covered"]) < LEAST for row in rows)))


if __name__ == "__main__":
    main()
