"""Whatever one adds is one file or one value: each toy here is listed by the command line and used, and edits nothing else.

Methods and back-ends have theirs in test_one_file_methods.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from intervening import saying
from keeping import keep_arm

import unsway
from tests.tiny import loads_torch, real, tiny_model
from unsway import registry
from unsway.banks import Bank
from unsway.biases import Bias
from unsway.cli import main
from unsway.cli.known import REGISTRIES, registry_of
from unsway.effects import EffectItem, EffectMeasure, SideEffect
from unsway.effects.asked import AskedEffect
from unsway.effects.scoring import scores
from unsway.errors import BadInput
from unsway.judging import rubrics
from unsway.judging.rubrics import Rubric
from unsway.judging.verdicts import Judge, JudgedReply, verdicts
from unsway.pairing import PairSet, pairs
from unsway.prompts.render import render
from unsway.readers import DeclaredReader, readers
from unsway.reporting import report
from unsway.sampling import ask, run
from unsway.sources import load
from unsway.sources.registry import Source, Split
from unsway.studies.arms import Arm
from unsway.studies.folder import keep
from unsway.testing import Script, scripted, toy_questions
from unsway.types import Message, Pair, Question, Reading, Reply, Settings, Side

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put files of a package where installed packages are, each an entry point; everything is forgotten afterwards."""
    for kind in REGISTRIES:
        found = registry_of(kind)
        found.names()
        monkeypatch.setattr(found, "_things", dict(found._things))
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
    monkeypatch.syspath_prepend(tmp_path / "site")
    modules = set(sys.modules)

    def put(**files: str) -> None:
        info = tmp_path / "site" / "toys-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join(["[unsway.plugins]", *(f"{name} = {name}" for name in files)]))
        for name, text in files.items():
            (tmp_path / "site" / f"{name}.py").write_text(text)
        registry._plugins.cache_clear()

    yield put
    registry._plugins.cache_clear()
    for name in set(sys.modules) - modules:
        if name.startswith("toy_"):
            del sys.modules[name]


def listed(*verb: str) -> list[str]:
    """What a listing of the command line names."""
    done = CliRunner().invoke(main, [*verb, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [row["name"] for row in json.loads(done.stdout)]


def reported(asked: PairSet, name: str, folder: Path) -> str:
    """The page of a study of a model that follows every cue of that bias."""
    replies = run(asked, scripted(asked, {name: 1.0}), folder=folder)
    assert len(replies) == 2 * len(asked)
    keep(folder, asked, Arm("base", replies[0].model, replies[0].weights, "base"))
    return report(folder, folder / "report.html").read_text(encoding="utf-8")


BIAS = '''
from unsway.biases import bias
from unsway.types import Part, Prompt, Turn

@bias("toy_stamped", version=1, summary="An option carries a stamp", paper="")
def stamped(question, clean, option, draw):
    """Followed when the stamped option is answered."""
    *before, turn = clean.turns
    return Prompt((*before, Turn("user", (*turn.parts, Part("cue", f"\\n\\nOption {option + 1} carries a stamp.")))))
'''


def test_a_bias_is_one_file(install: Install, tmp_path: Path) -> None:
    install(toy_bias=BIAS)
    assert "toy_stamped" in listed("biases")
    asked = pairs(toy_questions(12), ["toy_stamped"])
    assert all(pair.biased.stripped() == pair.clean for pair in asked)
    assert "toy stamped" in reported(asked, "toy_stamped", tmp_path / "study")


CUE_FILE = "place: front\nsummary: A guess from HR\n\nHR thinks it is {answer}.\n"


def cue_file(folder: Path) -> str:
    path = folder / "toy_hr.cue.txt"
    path.write_text(CUE_FILE)
    return str(path)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (
            lambda folder: unsway.cue("A colleague thinks it is {answer}.", place="end", name="toy_colleague"),
            "toy_colleague",
        ),
        (cue_file, "toy_hr"),
    ],
    ids=["value", "file"],
)
def test_a_cue_is_one_value_or_one_file(make: Callable[[Path], Bias | str], name: str, tmp_path: Path) -> None:
    asked = pairs(toy_questions(12), [make(tmp_path)])
    assert all(pair.biased.stripped() == pair.clean for pair in asked)
    assert name.replace("_", " ") in reported(asked, name, tmp_path / "study")


SOURCE = """
from unsway.sources import Split, source
from unsway.types import Question

@source("toy_capitals", revision="1", license="CC0", splits=(Split("test", 1),), summary="Capitals")
def capitals(split):
    yield Question("What is the capital of France?", ("Paris", "Lyon", "Nice"), 0, "", split)
"""


def test_a_source_is_one_file(install: Install, tmp_path: Path) -> None:
    install(toy_source=SOURCE)
    assert "toy_capitals" in listed("sources") and "toy_capitals" in listed("list", "sources")
    (question,) = load("toy_capitals")
    assert question.gold is not None and question.options[question.gold] == "Paris"
    assert "toy_capitals@1" in reported(pairs([question], ["post_hoc"]), "post_hoc", tmp_path / "study")


ELICITATION = """
from unsway.banks import Bank
from unsway.prompts.elicitations import elicitation

elicitation("toy_bare", Bank("toy_bare", 3, ("One letter, please.",)), style="direct")
"""


def test_an_elicitation_is_one_file(install: Install, tmp_path: Path) -> None:
    install(toy_elicitation=ELICITATION)
    assert "toy_bare" in listed("list", "elicitations")
    asked = pairs(toy_questions(12), ["wrong_few_shot"], elicit="toy_bare")
    assert {pair.elicit for pair in asked} == {"toy_bare@3"}
    assert all("One letter, please." in pair.clean.turns[-1].text() for pair in asked)
    assert all("Answer: (" in pair.biased.cue() for pair in asked), "shots follow its style of reply"
    assert "toy_bare" in reported(asked, "wrong_few_shot", tmp_path / "study")


READER = """
import re
from unsway.readers import reader
from unsway.types import Reading

@reader("toy_first", version=4, summary="The first letter in brackets")
def first(pair, side, reply):
    found = re.search(r"\\(([A-D])\\)", reply.text)
    return Reading(None, "unparsed") if found is None else Reading("ABCD".index(found[1]), "ok", "first", found.span(1))
"""


def test_a_reader_is_one_file(install: Install, tmp_path: Path) -> None:
    install(toy_reader=READER)
    assert "toy_first" in listed("list", "readers")
    mine = replace(unsway.cue("It is {letter}.", name="toy_read"), reader="toy_first")
    asked = pairs(toy_questions(12), [mine])
    assert {pair.rule.reader for pair in asked} == {"toy_first"}
    assert "toy_first@4" in reported(asked, "toy_read", tmp_path / "study")
    del readers._things["toy_first"]
    with pytest.raises(BadInput, match=r"are read by 'toy_first', which is not installed here; .* Install the package"):
        report(tmp_path / "study", tmp_path / "report.html")


RUBRIC = """
from unsway.banks import Bank
from unsway.judging.rubrics import rubric

@rubric("toy_long", Bank("toy_long", 2, ("Is this reply long, yes or no?\\n{reply}",)), summary="Whether a reply is long")
def value(words, pair, side):
    return {"yes": True, "no": False}.get(words.strip().lower())
"""


def test_a_judge_rubric_is_one_file(install: Install) -> None:
    install(toy_rubric=RUBRIC)
    assert "toy_long" in listed("list", "rubrics")
    asked = pairs(toy_questions(2), ["post_hoc"])
    replies = run(asked, scripted(asked, {}))
    judged = [JudgedReply(asked.pairs[0], "clean", replies[0]), JudgedReply(asked.pairs[0], "biased", replies[1])]
    found = verdicts(judged, rubrics.get("toy_long"), saying("yes", lambda messages: "Yes"))
    assert [(each.question, each.by, each.value) for each in found] == [("toy_long@2", "saying/yes", True)] * 2
    assert Judge(found)(judged[0].pair, judged[0].side, judged[0].reply).value is True


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1, "made 1 of the words 'Yes'; a verdict is true or false"),
        ("yes", "made 'yes' of the words"),
        (ZeroDivisionError, r"'odd' failed on the words 'Yes' \(ZeroDivisionError"),
    ],
)
def test_what_is_no_verdict_is_not_kept_as_one(value: Any, said: str) -> None:
    asked = pairs(toy_questions(1), ["post_hoc"])
    judged = [JudgedReply(asked.pairs[0], "clean", run(asked, scripted(asked, {}))[0])]
    model = saying("yes", lambda messages: "Yes")

    def read(words: str, pair: Pair, side: Side) -> Any:
        if isinstance(value, type):
            raise value
        return value

    odd = Rubric("odd", Bank("odd", 1, ("Is it odd?\n{reply}",)), "odd", read)
    with pytest.raises(BadInput, match=said):
        verdicts(judged, odd, model)
    (marked,) = verdicts(judged, replace(odd, value=lambda *_: 9, scale=(1, 5)), model)
    assert marked.value is None, "a mark that is not on the scale"


INTERVENTION = """
from dataclasses import dataclass
from unsway.interventions import Changed, InterventionKind, kinds
from unsway.types import Part, Prompt, Turn

@dataclass(frozen=True)
class Hush:
    name = "toy_hush"
    versioned = "toy_hush@1"
    biases = ()

    def apply(self, pairs, model, sampling=None, seed=0):
        hush = Turn("system", (Part("instruction", "Hush."),))
        prompts = [prompt for pair in pairs for prompt in (pair.clean, pair.biased)]
        return Changed.of(pairs, {prompt.id: Prompt((hush, *prompt.turns)) for prompt in prompts})

def parse(name):
    return Hush() if name == "toy_hush" else None

kinds.add("toy_hush", InterventionKind(Hush, parse, lambda: ("toy_hush",), "Says hush first"))
"""


def test_an_intervention_is_one_file(install: Install, tmp_path: Path) -> None:
    install(toy_intervention=INTERVENTION)
    assert "toy_hush" in listed("list", "interventions")
    heard: set[str] = set()

    def say(messages: tuple[Message, ...]) -> str:
        heard.add(messages[0].content)
        return "The best answer is: (A)."

    asked = pairs(toy_questions(12), ["post_hoc"])
    found = unsway.measure(saying("toy", say), asked, intervention="toy_hush", folder=tmp_path / "study")
    assert heard == {"Hush."} and found.cells[0].n_pairs == 12
    assert "toy_hush" in report(found, tmp_path / "report.html").read_text(encoding="utf-8")


SIDE_EFFECT = """
from unsway.effects import EffectItem, EffectMeasure, side_effect
from unsway.prompts.render import render

brief = EffectMeasure(
    name="brief",
    summary="share of replies under 50 words",
    score=lambda item, replies: float(len(replies[0][0].text.split()) < 50) if replies[0] else None,
    margin=0.05,
)

@side_effect("toy_brief", version=1, question="Is it still brief?", measures=(brief,))
def build(inputs):
    return tuple(EffectItem(q.id, (render(q, inputs.elicit),), q) for q in inputs.taken())
"""


def test_a_side_effect_is_one_file(install: Install, tmp_path: Path) -> None:
    install(toy_effect=SIDE_EFFECT)
    assert "toy_brief" in listed("list", "effects")
    asked = pairs(toy_questions(100), ["post_hoc"])
    models = {label: scripted(asked, {}, name=label) for label in ("base", "bct")}
    keep_arm(tmp_path / "study", asked, Script({}), "base", "base")
    keep_arm(tmp_path / "study", asked, Script({}), "bct", "trained")
    (row,) = unsway.side_effects(tmp_path / "study", ["toy_brief"], using=models).rows
    assert (row.effect, row.verdict, row.value.value) == ("toy_brief@1", "kept", 1.0)
    assert "Nothing broke in bct" in report(tmp_path / "study", tmp_path / "report.html").read_text(encoding="utf-8")


ENGINE = '''
from unsway.models.engines.base import Engine, Generation, engines

class ToyEngine(Engine):
    """Always says A."""

    name = "toy_engine"
    most_waiting = 8

    def __init__(self, weights, dtype="float32"):
        super().__init__(weights, dtype)
        self.reply = tuple(weights.tokenizer.encode("The answer is (A)."))

    def serve(self, requests):
        for request, generation in requests:
            generation.set_result(Generation(self.reply[: request.max_tokens], "end"))

    def free(self): ...

engines.add("toy_engine", ToyEngine)
'''


@real
@loads_torch
def test_an_engine_is_one_file(install: Install, tmp_path: Path) -> None:
    install(toy_engine=ENGINE)
    assert "toy_engine" in listed("list", "engines")
    prompts = [pair.clean for pair in pairs(toy_questions(3), ["post_hoc"])]
    model = f"unsway/{tiny_model(tmp_path / 'tiny', context=2048)}"
    replies = ask(prompts, model, settings=Settings(max_tokens=20), model_args={"engine": "toy_engine"})
    assert {reply.text for reply in replies} == {"The answer is (A)."}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "returned None for the clean reply to .*, which has 3 options"),
        (Reading(3, "ok"), r"returned Reading\(value=3"),
        (Reading(None, "ok"), "None with why"),
        (Reading(None, "odd"), "status='odd'"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_reading_of_the_pair_is_not_counted_as_some_answer(found: Any, said: str) -> None:
    (pair,) = pairs(load("procedural/arithmetic", 1), ["post_hoc"])
    pair = replace(pair, question=replace(pair.question, options=pair.question.options[:3]))
    reply = Reply(pair.clean.id, "m", "", 0, "(A)", None, (), "end", Settings(), 1, 1)
    with pytest.raises(BadInput, match=said):
        DeclaredReader("odd", 1, "odd", lambda pair, side, reply: found)(pair, "clean", reply)


@pytest.mark.parametrize("wrong", [1.5, -0.1, float("inf"), "yes"])
def test_a_score_outside_its_span_is_refused_by_the_name_of_its_side_effect(wrong: Any) -> None:
    question, settings = toy_questions(1)[0], Settings()
    item = EffectItem(question.id, (render(question, "cot"),), question)

    def scored(value: Any, **about: Any) -> None:
        measure = EffectMeasure(name="share", summary="a share", score=lambda item, replies: value, **about)
        effect = SideEffect(name="odd", version=1, question="Odd?", measures=(measure,), build=lambda inputs: (item,))
        scores(AskedEffect(effect, (item,), settings), measure, lambda prompt, settings, samples: ())

    with pytest.raises(BadInput, match=r"'odd' scored .* in 'share' on question .*its span, \(0\.0, 1\.0\), or None"):
        scored(wrong)
    for value in (None, float("nan"), 0, 1, True, 1.0000000001):
        scored(value)
    scored(7, kind="letters")
    scored(120, kind="median")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (lambda split: iter(["a"]), "gave 'a', which is no Question"),
        (lambda split: None, r"failed on its split 'test' \(TypeError"),
        (
            lambda split: [Question("Q?", ("a", "a"), 0, "", "")],
            r"0 questions .* 1 row skipped \(1 × options: .*row 1\)",
        ),
    ],
)
def test_a_source_that_gives_no_questions_is_named(rows: Any, said: str) -> None:
    odd = Source(
        name="odd", rows=rows, revision="1", license="", splits=(Split("test", 1),), summary="", default="test"
    )
    with pytest.raises(BadInput, match=said):
        load(odd, 1)
