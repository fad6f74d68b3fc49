"""Studies of unusual shapes that a report must still show well; scripted models with known rates.

In: nothing. Out: `Results` by name, each made once per process. `python tests/screenshots.py` takes pictures of them;
tests/browser checks for text that is cut, overlaps or leaves the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from random import Random

import scripted_study

from unsway.prompts.render import MAX_OPTIONS
from unsway.seeds import rng
from unsway.studies.arms import Arm
from unsway.studies.results import Notes, Results
from unsway.types import Checkpoint, Pair, Question, Reply

Rates = Mapping[str, tuple[float, ...]]

_SIX = (
    ("base", "base", ()),
    ("prompted:ignore", "prompted", ()),
    ("fewshot:4-paired", "prompted", ()),
    ("control", "control", ()),
    ("bct on one", "trained", ("suggested_answer",)),
    ("bct on three", "trained", ("suggested_answer", "post_hoc", "distractor_argument")),
)


def arm(label: str, role: str, trained: tuple[str, ...] = (), of: str = "scripted/owl-135m") -> Arm:
    """An arm made from a model."""
    if role == "base":
        return Arm(label, of, "3f9a0c11d2e47b58", "base", of=of)
    if role == "prompted":
        return Arm(label, of, "3f9a0c11d2e47b58", "prompted", of=of, intervention=label)
    made = Checkpoint(f"{of}+{label}", of, "scripted", f"runs/{label}", "bct(rank=16)", "ab" * 32, 76, 412_800, 1.25)
    return Arm(label, f"{of}+{label}", f"{label[:16]:>16}", role, made, of, "", trained)  # type: ignore[arg-type]


def build(title: str, who: tuple[Arm, ...], asked: tuple[Pair, ...], follows: Rates, **more: object) -> Results:
    """The study, scripted."""
    said = more.pop("said", None) or tuple(scripted_study.replies(asked, who, follows_of=follows))
    about = {"unsway": "0.1.0", "study": "Study(models=('scripted/owl-135m',), n=40)"}
    notes = Notes(instead=scripted_study.instead(asked, who), about=about)
    return Results.build(title, who, asked, said, notes=notes, **more)  # type: ignore[arg-type]


def scaled(*factors: float) -> Rates:
    """The base's rates, times a factor for each arm."""
    return {bias: tuple(min(0.97, rates[0] * by) for by in factors) for bias, rates in scripted_study.FOLLOWS.items()}


@cache
def many_arms() -> Results:
    """Six arms, nine biases."""
    who = tuple(arm(*one) for one in _SIX)
    return build("Six arms, nine biases", who, scripted_study.pairs(60), scaled(1.0, 1.2, 1.5, 1.0, 0.55, 0.2))


@cache
def one_arm() -> Results:
    """A single unmodified model."""
    return build("One model as it is", (arm("owl-135m", "base"),), scripted_study.pairs(60), scaled(1.0))


@cache
def refused() -> Results:
    """A base that nothing sways: no ratio can be given."""
    who = tuple(scripted_study.arms())
    asked = scripted_study.pairs(30, scripted_study.BIASES[:4])
    return build(
        "A base that nothing sways", who, asked, scaled(0.02, 0.02, 0.02), trained_biases=scripted_study.BIASES[:2]
    )


@cache
def empty_cell() -> Results:
    """One cell without a reply that can be read, one that was not asked, one that was asked in part."""
    who, asked = scripted_study.arms(), scripted_study.pairs(30, scripted_study.BIASES[:4])
    trained = who[2].model
    by_prompt = {one.biased.id: one.bias.partition("@")[0] for one in asked}

    def kept(i: int, reply: Reply) -> Reply | None:
        bias = by_prompt.get(reply.prompt_id)
        if reply.model == trained and bias == "post_hoc":
            return replace(reply, text="It could be any of them.")
        lost = reply.model == trained and (bias == "wrong_few_shot" or (bias == "distractor_fact" and i % 2))
        return None if lost else reply

    said = tuple(filter(None, (kept(i, reply) for i, reply in enumerate(scripted_study.replies(asked, who)))))
    biases = scripted_study.BIASES[:2]
    return build("Cells that are empty", who, asked, scripted_study.FOLLOWS, said=said, trained_biases=biases)


@cache
def several_models() -> Results:
    """Three models, each with its own control and training."""
    names = ("scripted/owl-135m", "some-organisation/A-Rather-Long-Model-Name-70B-Instruct-2026", "scripted/wren-1b")
    kinds = (("base", "base"), ("control", "control"), ("bct", "trained"))
    short = [name.rpartition("/")[2] for name in names]
    who = tuple(
        replace(
            arm(label, role, scripted_study.BIASES[:2] if role == "trained" else (), name),
            label=model if role == "base" else f"{model} {label}",
        )
        for label, role in kinds
        for name, model in zip(names, short, strict=True)
    )
    follows = scaled(1.0, 1.3, 0.6, 1.0, 1.2, 0.6, 0.2, 0.7, 0.1)
    return build("Three models", who, scripted_study.pairs(40, scripted_study.BIASES[:5]), follows)


@cache
def many_options() -> Results:
    """As many options as there are letters; names of arms and a title that have no space to break at."""
    posed = tuple(_lettered(i, rng(0, "lettered", i)) for i in range(20))
    asked = scripted_study.pairs_of(posed, scripted_study.BIASES[:3])
    who = tuple(replace(one, label=one.label * 20) for one in scripted_study.arms())
    title = f"{MAX_OPTIONS} options" + "!" * 300
    return build(title, who, asked, scripted_study.FOLLOWS, trained_biases=scripted_study.BIASES[:2])


def _lettered(i: int, draw: Random) -> Question:
    a, b = draw.randint(11, 79), draw.randint(11, 79)
    options = [str(a + b + k) for k in range(MAX_OPTIONS)]
    draw.shuffle(options)
    stem = f"A shelf holds {a} jars and another {b} (shelf {i}). How many are there?"
    return Question(stem, tuple(options), options.index(str(a + b)), "made_sums@2", "test")


@cache
def corrected() -> Results:
    """Trainings that leave a negative BRR, almost none, and more than before."""
    biases = scripted_study.BIASES[:4]
    who = (arm("base", "base"), arm("control", "control"), arm("bct", "trained", biases[:2]))
    follows = {
        "suggested_answer": (0.42, 0.45, 0.1),
        "post_hoc": (0.62, 0.6, -0.95),
        "wrong_few_shot": (0.30, 0.31, 0.50),
        "distractor_fact": (0.3, 0.3, -0.9),
    }
    return build("Corrected too far", who, scripted_study.pairs(60, biases), follows)


ODD: dict[str, Callable[[], Results]] = {
    make.__name__: make for make in (many_arms, one_arm, refused, empty_cell, several_models, many_options, corrected)
}
