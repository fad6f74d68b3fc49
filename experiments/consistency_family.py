"""The consistency family in one table, on SmolLM2-135M: each method, trained on the same questions, and its neutral arm.

    python experiments/consistency_family.py [FOLDER] [--quick] [--plan | --table] [--model unsway/FOLDER-OF-A-MODEL]
    python experiments/consistency_family.py [FOLDER] --rows 96 --questions 200 --seeds 1 --tries 1 --methods bct,act,opct

Every method trains on rows with a hunch (`suggested_answer`, both forms, all places), and once more on rows whose cue is a
neutral note of that length at those places: the effect of a method is the difference between the two. RMCT also trains on
the clean prompt on both sides, where only the noise of sampling moves it. Every arm is asked the same test questions, with
the trained cue and four held-out cues, at the same places for every method.

1. Tries: each method at the same number of learning rates, one seed, on validation questions; the rate with the highest
   harmonic mean of (1 - BRR) and clean accuracy is chosen. With one try nothing is asked, and the first rate is used.
2. The study: base, control, each method and its neutral arm, three seeds.
3. The table: `family.md` in the folder, and the usual report. --table writes it from the replies so far.

After a kill, the same command continues. --quick: one seed, one try, 96 rows, 150 questions, two held-out cues, no rmct.
--plan prints what would be asked, and stops. Not included: NPO and DPO, which need replies that followed a cue (`unsway
data preferences`), because a recipe makes none; ACT on shuffled pairs, which is a test.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, TypeVar

from rich.console import Console

from unsway import Act, ActBct, AttCt, Bct, Control, Method, MlpCt, Opct, Recipe, Rmct, Settings
from unsway.disk import write_text
from unsway.models.weights import training_dtype
from unsway.reporting import words
from unsway.reporting.formats import markdown_table
from unsway.reporting.page import write_page
from unsway.reporting.plan import to_terminal
from unsway.stats.compare import brr_difference, held_out_means
from unsway.stats.significance import holm, sign_flip
from unsway.studies import Study, Task, Trained, estimate, plan, run
from unsway.studies.arms import Arm
from unsway.studies.executors import JobByJob
from unsway.studies.results import Results
from unsway.types import ArmKey, Outcome, Pair

TRAINED_ON = "suggested_answer"
HELD_OUT = ("post_hoc", "authority_professor", "wrong_few_shot", "distractor_fact")
RECIPE = Recipe(
    n=300, direct_share=0.2, elicit="worked", instructions="default", instruct=0, max_tokens=96, biases=TRAINED_ON
)
"""Asked after three worked examples, on questions whose options are a word or two: of others this model's replies are lost
too often for a difference of two arms to be clear (docs/log.md)."""
SETTINGS = Settings(max_tokens=96, options_after="best answer is")
"""Replies are kept to the options; with 7 to 14 % of them unread, no difference of two arms was clear (docs/log.md)."""
RATES: dict[Method, tuple[float, ...]] = {
    Bct(): (1e-3, 5e-4, 2e-4, 2e-3),
    Act(): (1e-3, 5e-4, 1e-4, 2e-3),
    Opct(max_tokens=96): (5e-4, 2e-4, 1e-4, 1e-3),
    ActBct(): (1e-3, 5e-4, 2e-4, 2e-3),
    MlpCt(): (1e-3, 5e-4, 1e-4, 2e-3),
    AttCt(): (1e-3, 5e-4, 1e-4, 2e-3),
    Rmct(max_tokens=64, temperature=0.7): (5e-4, 1e-3, 2e-4, 1e-4),
}
"""Methods, and the rates that each is tried with, as many for each: the first is taken where there is one try."""
NEUTRAL = " neutral"
"""What the name of a neutral arm ends with."""
TWICE = "rmct clean twice"
"""The arm that only noise moves."""
NUMBERS = ("rows", "batch", "rollouts", "questions", "seeds", "tries")
"""Fields of `Size` that are options of the command."""
GAP_PAIRS = 24
"""Test pairs whose inner states are compared."""
SECONDS, PEAKS = "seconds.json", "peaks.json"
"""What each job took, in a study's folder."""
MEMORY = Path("/proc/self/clear_refs")
"""Where Linux lets a process start the peak of its memory again."""
T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """How much of the design is run."""

    rows: int = 300
    """Rows of each training."""
    batch: int = 8
    """Rows of a step; RMCT has its own."""
    rollouts: int = 4
    """Replies to each prompt of OPCT; RMCT's rates take eight times as many."""
    questions: int = 400
    """Test questions."""
    seeds: int = 3
    """Trainings of each arm."""
    tries: int = 4
    """Learning rates of each method."""
    methods: tuple[str, ...] = tuple(method.name for method in RATES)
    held_out: tuple[str, ...] = HELD_OUT
    model: str = "unsway/smollm2-135m"
    """What is trained and asked: a local model."""

    def trained(self, method: Method, rate: float, name: str = "") -> Trained:
        """A training on the hunch."""
        tasks = (Task("arc_easy", 200), Task("openbookqa", 200))
        sized = method if isinstance(method, Rmct) else replace(method, batch_size=self.batch)
        if isinstance(sized, Opct | Rmct):
            sized = replace(sized, rollouts=self.rollouts * (8 if isinstance(sized, Rmct) else 1))
        return Trained(replace(sized, learning_rate=rate), tasks=tasks, recipe=replace(RECIPE, n=self.rows), name=name)

    def chosen(self) -> dict[Method, tuple[float, ...]]:
        """The methods that are compared, with the rates to try."""
        return {method: rates[: self.tries] for method, rates in RATES.items() if method.name in self.methods}

    def study_of_rates(self) -> Study:
        """Each method at each rate, on validation questions."""
        arms = [
            self.trained(method, rate, f"{method.name} {rate:g}")
            for method, rates in self.chosen().items()
            for rate in rates
        ]
        return Study(
            models=self.model,
            interventions=tuple(arms),
            biases=TRAINED_ON,
            tasks=(Task("common_knowledge", 150, "validation"),),
            elicit=RECIPE.elicit,
            settings=SETTINGS,
        )

    def study(self, rates: Mapping[str, float]) -> Study:
        """The control, the methods on the hunch, then on neutral notes (BCT last, which has the control too); RMCT's own."""
        cued = [self.trained(method, rates[method.name]) for method in self.chosen()]
        notes = replace(RECIPE, n=self.rows, biases=("neutral_note",))
        neutral = [replace(each, recipe=notes, name=f"{each.method.name}{NEUTRAL}") for each in cued]
        control = self.trained(Control(), rates.get("bct", RATES[Bct()][0]))
        twice = [
            replace(each, method=replace(each.method, clean_twice=True), name=TWICE)
            for each in cued
            if isinstance(each.method, Rmct)
        ]
        return Study(
            models=self.model,
            interventions=(None, control, *cued, *neutral[1:], *neutral[:1], *twice),
            biases=(TRAINED_ON, *self.held_out),
            tasks=(Task("common_knowledge", self.questions, "test"),),
            elicit=RECIPE.elicit,
            settings=SETTINGS,
            seeds=tuple(range(self.seeds)),
        )


# ---------------------------------------------------------------- running


class Timed(JobByJob):
    """Runs jobs here, and keeps what each took: CPU seconds, and on Linux the most memory in MB.

    A job that a kill cut in two has the seconds of both parts.
    """

    def __init__(self, folder: Path) -> None:
        self.seconds, self.peaks = folder / SECONDS, folder / PEAKS

    def one(self, fn: Callable[..., T], running: Any, number: int, **resources: Any) -> Future[T]:
        """Do a job, and return a future that is done."""
        job = str(running.jobs[number])
        before = resource.getrusage(resource.RUSAGE_SELF)
        if MEMORY.exists():
            MEMORY.write_text("5")  # the peak starts again
        future = super().one(fn, running, number, **resources)
        after = resource.getrusage(resource.RUSAGE_SELF)
        known = kept(self.seconds)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        write_text(self.seconds, json.dumps(known | {job: known.get(job, 0.0) + spent}, indent=1))
        if MEMORY.exists() and spent > 1:  # not of a job that was done before
            (line,) = re.findall(r"VmHWM:\s+(\d+) kB", MEMORY.with_name("status").read_text())
            known = kept(self.peaks)
            write_text(self.peaks, json.dumps(known | {job: max(known.get(job, 0.0), int(line) / 1e3)}, indent=1))
        return future


def kept(path: Path) -> dict[str, float]:
    """A number for each job, of a folder; none where there is no such file."""
    found: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    return found


def asked_of(study: Study, folder: Path) -> Results:
    """Run a study, in bfloat16 where this machine computes in it: all arms are asked alike."""
    return run(study, folder, on=Timed(folder), model_args={"dtype": training_dtype()})


def best_rates(size: Size, folder: Path) -> dict[str, float]:
    """The rate of each method: the first, or of several tries the one that validation questions choose."""
    if size.tries == 1:
        return {method.name: rates[0] for method, rates in size.chosen().items()}
    tried = asked_of(size.study_of_rates(), folder / "tries")
    found = {}
    for method, rates in size.chosen().items():
        scores = {}
        for rate in rates:
            cell = tried[TRAINED_ON, f"{method.name} {rate:g}"]
            kept, right = 1 - (cell["brr"].value or 0.0), cell["accuracy_clean"].value or 0.0
            scores[rate] = 2 * kept * right / (kept + right) if kept + right > 0 else 0.0
        found[method.name] = max(scores, key=lambda rate: scores[rate])
    return found


# ---------------------------------------------------------------- the table


def of_arms(found: Results, name: str, biases: Sequence[str]) -> list[Outcome]:
    """Outcomes of all seeds of a training under some biases; each seed is a sample of its own of the same questions."""
    keys = [arm.key for arm in found.arms if (arm.training or arm.label) == name]
    return [
        replace(out, arm=ArmKey(name), sample=number)
        for number, key in enumerate(keys)
        for out in found.outcomes
        if out.arm == key and out.bias.partition("@")[0] in biases
    ]


def read_pairs(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Those that count: the comparison is then of what was read."""
    return [out for out in outcomes if out.excluded is None]


def contrast(ours: list[Outcome], theirs: list[Outcome]) -> tuple[str, float | None]:
    """BRR of one arm minus that of another, of read pairs, and its exact p; in brackets whatever the others say."""
    if not read_pairs(ours) or not read_pairs(theirs):
        return words.NONE, None
    sides = tuple(defaultdict[tuple[str, ...], list[int]](list) for _ in "ab")
    for side, outcomes in zip(sides, (ours, theirs), strict=True):
        for out in (out for out in read_pairs(outcomes) if None not in (out.hit_clean, out.hit_biased)):
            side[out.question_id, out.bias, out.elicit].append(int(bool(out.hit_biased)) - int(bool(out.hit_clean)))
    sums = dict.fromkeys((question for question, *_ in sides[0].keys() & sides[1].keys()), 0)
    for cell in (
        sides[0].keys() & sides[1].keys()
    ):  # equally many outcomes on both sides, so that sums are whole numbers
        a, b = sides[0][cell], sides[1][cell]
        sums[cell[0]] += sum(a) * len(b) - sum(b) * len(a)
    read = brr_difference(read_pairs(ours), read_pairs(theirs))
    allowing = brr_difference(ours, theirs)
    ends = f" ({words.percent(allowing.low, signed=True)}…{words.percent(allowing.high, signed=True)})"
    return words.points(read) + ends, sign_flip([*sums.values()])


def family(found: Results, folder: Path) -> str:
    """The three tables of the comparison."""
    names = list(dict.fromkeys(arm.training or arm.label for arm in found.arms))
    held_out = [bias.partition("@")[0] for bias in found.biases if not found.is_trained(bias)]
    held_out = [name for name in held_out if name != TRAINED_ON]
    cued = [name for name in names if f"{name}{NEUTRAL}" in names]
    effects: list[tuple[str, ...]] = []
    tests: dict[tuple[str, str], tuple[str, float | None]] = {}
    for where, biases in (("trained", (TRAINED_ON,)), ("held out", held_out)):
        for name in cued:
            ours = of_arms(found, name, biases)
            tests[name, f"{where} − neutral"] = contrast(ours, of_arms(found, f"{name}{NEUTRAL}", biases))
            if name != "bct" and "bct" in names:
                tests[name, f"{where} − bct"] = contrast(ours, of_arms(found, "bct", biases))
    heads = list(dict.fromkeys(head for _, head in tests))
    corrected: dict[tuple[str, str], float] = {}
    for head in heads:  # one family of tests for each column
        family_ = [(key, p) for key, (_, p) in tests.items() if key[1] == head and p is not None]
        corrected |= dict(zip([key for key, _ in family_], holm([p for _, p in family_]), strict=True))
    for name in cued:
        row = [name]
        for head in heads:
            text, _ = tests.get((name, head), (words.NONE, None))
            p = corrected.get((name, head))
            row.append(text if p is None else f"{text}, p {words.p_value(p)}")
        effects.append(tuple(row))
    rates = [(name, *brrs(found, name, held_out)) for name in names]
    costs_ = [(name, *sides_of(found, name, folder)) for name in names]
    return "\n\n".join(
        "\n".join((title, "", *markdown_table(heads_, rows)))
        for title, heads_, rows in (
            ("BRR in points with 95 % intervals, of pairs that were read.", BRR_HEADS, rates),
            (
                (
                    "Differences of BRR in points, paired by question, of pairs that were read; in brackets the ends of the "
                    "interval whatever the missing answers say; exact sign-flip p, Holm over the methods of a column."
                ),
                ("method", *heads),
                effects,
            ),
            ("What else changed, and what it took, over all seeds.", SIDE_HEADS, costs_),
        )
    )


BRR_HEADS = ("arm", "trained cue", "questions", "mean of held-out cues", "toward", "away", "any change")


def brrs(found: Results, name: str, held_out: Sequence[str]) -> tuple[str, ...]:
    """BRRs of an arm, and how often its answer moves under the trained cue: toward it, away from it, at all."""
    from unsway.stats.estimates import cells

    (cell,) = cells(of_arms(found, name, (TRAINED_ON,)), by=("arm",))
    others = read_pairs(of_arms(found, name, held_out))
    mean, _ = held_out_means(others, others) if others else (None, None)
    moves = (words.rate(cell[f"switch_{way}"]) for way in ("toward", "away", "total"))
    return words.points(cell["brr_read"]), str(cell["brr"].n), words.points(mean) if mean else words.NONE, *moves


SIDE_HEADS = (
    "arm",
    "accuracy, clean → biased",
    "pairs out, %",
    "tokens a reply, clean → biased",
    "clean answers as the base's, %",
    "inside gap",
    "tokens trained",
    "tokens sampled",
    "CPU s of training",
    "peak, MB",
)


def sides_of(found: Results, name: str, folder: Path) -> tuple[str, ...]:
    """Accuracy, missing pairs, lengths, agreement with the base on clean prompts, gap inside, and costs."""
    outcomes = of_arms(found, name, tuple(bias.partition("@")[0] for bias in found.biases))
    arms = [arm for arm in found.arms if (arm.training or arm.label) == name]
    base = {out.question_id: out.clean.value for out in of_arms(found, "base", (TRAINED_ON,))}
    trained = of_arms(found, name, (TRAINED_ON,))
    same = [
        out.clean.value == base[out.question_id]
        for out in trained
        if out.clean.value is not None and base.get(out.question_id) is not None
    ]

    def share(flags: Iterable[bool | None]) -> str:
        known = [flag for flag in flags if flag is not None]
        return words.percent(fmean(known)) if known else words.NONE

    lengths = []
    for side in ("clean", "biased"):
        prompts = {getattr(pair, side).id: getattr(pair, side) for pair in found.pairs}.values()
        said = [reply for arm in arms for prompt in prompts if (reply := found.reply(arm.key, prompt))]
        lengths.append(f"{fmean(reply.tokens_out for reply in said):.0f}" if said else words.NONE)
    checkpoints = [arm.checkpoint for arm in arms if arm.checkpoint]
    sampled = sum(
        len(json.loads(line)["ids"])
        for checkpoint in checkpoints
        for path in (Path(checkpoint.uri) / "rollouts").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    fits = [f"train {base_of(found)} + {arm.label}" for arm in arms]
    spent = sum(kept(folder / SECONDS).get(fit, 0.0) for fit in fits)
    peak = max(kept(folder / PEAKS).get(fit, 0.0) for fit in fits)
    return (
        f"{share(out.right_clean for out in trained)} → {share(out.right_biased for out in trained)}",
        share(out.excluded is not None for out in outcomes),
        " → ".join(lengths),
        share(same),
        f"{fmean(inside_gap(arm, base_of(found), found.pairs) for arm in arms):.3f}",
        f"{sum(checkpoint.tokens for checkpoint in checkpoints):,}" if checkpoints else words.NONE,
        f"{sampled:,}" if sampled else words.NONE,
        f"{spent:,.0f}" if spent else words.NONE,
        f"{peak:,.0f}" if peak else words.NONE,
    )


def base_of(found: Results) -> str:
    """The model that all arms were trained from."""
    return next(arm.model for arm in found.arms if arm.checkpoint is None)


def inside_gap(arm: Arm, base: str, pairs: Iterable[Pair]) -> float:
    """ACT's relative distance of test pairs that no method trained on, behind the trained cue, in float32."""
    import torch

    from unsway.backends.local.states import Caught, catching
    from unsway.models.weights import load_model, locate
    from unsway.training.alignment import align
    from unsway.training.methods.act import activation_gap

    plain = locate(base.removeprefix("unsway/"))
    untrained = load_model(plain).eval()
    ours = load_model(locate(arm.checkpoint.uri)).eval() if arm.checkpoint else untrained

    def hidden(model: Any, ids: Sequence[int], places: Sequence[int]) -> Any:
        caught = Caught([places], 0)
        with torch.no_grad(), catching(model, "hidden", caught):
            model(torch.tensor([list(ids)]), use_cache=False, logits_to_keep=1)
        return torch.stack([caught.layers[layer][0] for layer in sorted(caught.layers)])

    gaps = []
    for pair in [pair for pair in pairs if pair.bias.partition("@")[0] == TRAINED_ON][:GAP_PAIRS]:
        places = align(plain, pair.clean, pair.biased, "after")
        biased = hidden(ours, plain.encode(pair.biased.messages()), [b for _, b in places])
        clean = hidden(untrained, plain.encode(pair.clean.messages()), [a for a, _ in places])
        gaps.append(float(activation_gap(biased, clean, "relative")))
    return fmean(gaps)


# ---------------------------------------------------------------- from the shell


def sized(given: argparse.Namespace) -> Size:
    """The whole design, a quick part of it, or what the options say."""
    quick = Size(
        rows=96, rollouts=2, questions=150, seeds=1, tries=1, methods=Size().methods[:-1], held_out=HELD_OUT[:2]
    )
    size = quick if given.quick else Size()
    named: dict[str, Any] = {
        name: getattr(given, name) for name in (*NUMBERS, "model") if getattr(given, name) is not None
    }
    lists: dict[str, Any] = {
        name: tuple(each for each in getattr(given, name).split(",") if each != "none")
        for name in ("methods", "held_out")
        if getattr(given, name)
    }
    return replace(size, **named, **lists)


def asked(size: Size) -> Iterator[Study]:
    """What is asked, with the first rates in place of those that are chosen."""
    if size.tries > 1:
        yield size.study_of_rates()
    yield size.study({method.name: rates[0] for method, rates in RATES.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("runs/consistency_family"))
    for name in ("quick", "plan", "table"):
        parser.add_argument(f"--{name}", action="store_true")
    for name in NUMBERS:
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--model", help="a local model, such as unsway/smollm2-135m or unsway/FOLDER")
    parser.add_argument("--methods", help="names, with commas")
    parser.add_argument("--held-out", help="biases, with commas; or none")
    given = parser.parse_args()
    size = sized(given)
    if given.plan:
        for each in (one for study in asked(size) for one in plan(study)):
            Console().print(to_terminal(each))
    else:
        rates = best_rates(size, given.folder)
        study = size.study(rates)
        found = estimate(study, given.folder) if given.table else asked_of(study, given.folder)
        write_text(given.folder / "family.md", f"Rates: {rates}\n\n{family(found, given.folder)}\n")
        print((given.folder / "family.md").read_text(encoding="utf-8"))
        write_page(found, given.folder / "report.html")
