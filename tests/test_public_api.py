"""The program that users type: measure, look, measure more alike, join, show; on a scripted model."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import api_page
import pytest
from intervening import saying

import unsway as us
from unsway.biases import resolve
from unsway.errors import BadInput, UnknownName
from unsway.pairing import pairs
from unsway.sampling import Sampling
from unsway.sources import load
from unsway.sources import resolve as resolve_source
from unsway.studies.folder import kept_verdicts, results
from unsway.studies.results import plain_name
from unsway.testing import scripted, toy_questions
from unsway.types import Checkpoint, Settings

QUESTIONS = toy_questions(40)
MINE = us.cue("Someone from HR thinks it is {answer}.", place="end", name="hr")
BIASES = ["suggested_answer", "post_hoc", MINE]
EVERY = pairs(QUESTIONS, BIASES)


def model(follow: float, name: str = "model") -> object:
    """A scripted model that follows each cue at a known rate."""
    return scripted(EVERY, {bias.name: follow for bias in map(resolve, BIASES)}, accuracy=0.9, name=name)


def test_the_program_of_the_readme_runs(tmp_path: Path) -> None:
    found = us.measure(model(0.8), QUESTIONS, ["suggested_answer", "post_hoc"])
    assert found["post_hoc"].brr.value > 0.5  # type: ignore[operator]
    assert found.title == "scripted/model"
    assert "post hoc" in repr(found) and "<table" in found._repr_html_() and "| bias |" in found.markdown()
    more = us.measure(found.model, found.questions, [MINE], like=found)
    assert more["hr"].brr.n + more["hr"].brr.n_excluded == len(QUESTIONS)
    joined = found + more
    assert {plain_name(bias) for bias in joined.biases} == {"suggested_answer", "post_hoc", "hr"}
    for alone in (found["post_hoc"], more["hr"]):  # alike but for the family that p-values are corrected over
        assert replace(joined[plain_name(alone.bias)], p_holm=None) == replace(alone, p_holm=None)
    calm = us.measure(model(0.1, "calm"), like=joined, biases=BIASES, label="calm")
    both = joined + calm
    assert [arm.label for arm in both.arms] == ["scripted/model", "calm"]
    assert both["hr", "calm"].brr.value < both["hr"].brr.value  # type: ignore[operator]
    path = us.report(both, tmp_path / "report.html")
    assert "calm" in path.read_text(encoding="utf-8")


def test_results_of_one_model_decoded_in_two_ways_do_not_join() -> None:
    greedy = us.measure(model(0.5), QUESTIONS[:3], ["post_hoc"])
    short = us.measure(model(0.5), QUESTIONS[:3], ["post_hoc"], settings=us.Settings(max_tokens=50))
    with pytest.raises(BadInput, match="was asked with max_tokens 1000, and with max_tokens 50"):
        _ = greedy + short


def test_a_frame_has_a_row_for_each_arm_bias_and_source() -> None:
    found = us.measure(model(0.5), QUESTIONS[:6], ["post_hoc", "suggested_answer"])
    frame = found.frame()
    assert list(frame["bias"]) == list(found.biases) and frame["brr"][0] == found["post_hoc"].brr.value


def test_a_frame_holds_no_dictionaries() -> None:
    asked = us.pairs(QUESTIONS[:30], ["post_hoc", "suggested_answer"])
    found = us.measure(scripted(asked, {}, parse_rate=0.6), asked)
    frame = found.frame()
    assert not [name for name in frame.columns if any(isinstance(each, dict) for each in frame[name])]
    whys = [name for name in frame.columns if name.startswith("excluded_")]
    for i, cell in enumerate(found.cells):
        assert cell.excluded and {w: n for w in whys if (n := int(frame[w][i]))} == {
            f"excluded_{why}": n for why, n in cell.excluded
        }


def test_names_that_were_not_measured_raise_with_the_closest() -> None:
    found = us.measure(model(0.5), QUESTIONS[:6], ["post_hoc"])
    assert found.cell(found.arms[0], "post_hoc") == found["post_hoc"] == found[found.biases[0]]
    with pytest.raises(UnknownName, match="post_hoc"):
        found["post_hok"]
    with pytest.raises(UnknownName, match="post_hoc"):
        found.cell(found.arms[0], "suggested_answer")
    with pytest.raises(UnknownName, match="scripted/model"):
        found["post_hoc", "scripted/modle"]
    with pytest.raises(UnknownName, match="brr"):
        found["post_hoc"]["bbr"]


def test_a_folder_keeps_every_arm_and_asks_nothing_again(tmp_path: Path) -> None:
    first = us.measure(model(0.5), QUESTIONS[:8], ["post_hoc"], folder=tmp_path, label="a")
    again = us.measure(model(0.5), QUESTIONS[:8], ["post_hoc"], folder=tmp_path, label="a")
    assert again == first and len((tmp_path / "replies.jsonl").read_text().splitlines()) == 16
    second = us.measure(model(0.1, "b"), like=first, folder=tmp_path, label="b")
    assert [arm.label for arm in second.arms] == ["a", "b"]


def test_another_model_that_is_measured_alike_is_not_said_to_be_the_first_ones_checkpoint() -> None:
    made = Checkpoint("x", "scripted/a", "local", "x", "Bct()", "f" * 64, 1, 9, trained_on=("post_hoc",))
    how = us.Measurement(Sampling(Settings(max_tokens=300), label="mine"), checkpoint=made, seed=3)
    first, second = (saying(name, lambda _: "Therefore, the best answer is: (A).") for name in "bc")
    trained = us.measure(first, QUESTIONS[:8], ["post_hoc"], how=how, intervention="prompted:ignore")
    (same,) = us.measure(trained.model, like=trained).arms
    assert same == trained.arms[0] and same.checkpoint == made and same.intervention == "prompted:ignore"
    other = us.measure(second, like=trained)
    (arm,) = other.arms
    assert (arm.label, arm.role, arm.checkpoint, arm.trained, arm.intervention) == (arm.model, "base", None, (), "")
    assert other.measured.how.seed == 3 and other.replies[0].settings.max_tokens == 300  # type: ignore[union-attr]


def test_what_was_measured_of_given_pairs_or_lies_in_a_folder_is_measured_alike(tmp_path: Path) -> None:
    asked = pairs(QUESTIONS[:8], ["post_hoc", "suggested_answer"], elicit="direct")
    model = scripted((*asked, *EVERY), {})
    warm = Settings(temperature=0.7, max_tokens=20)
    found = us.measure(model, asked, settings=warm, samples=2, folder=tmp_path)
    for like in (found, results(tmp_path)):
        other = us.measure(model, like=like)
        assert other.pairs == tuple(asked) and len(other.replies) == len(found.replies) == 48
        assert {reply.settings for reply in other.replies} == {warm}
        one = us.measure(model, biases=["post_hoc"], like=like)
        assert {pair.elicit for pair in one.pairs} == {pair.elicit for pair in asked} and len(one.pairs) == 8
    both = found + us.measure(model, QUESTIONS[:8], ["post_hoc"], elicit="cot", settings=warm)
    with pytest.raises(BadInput, match="Name one: elicit="):
        us.measure(model, biases=["post_hoc"], like=both)


def test_nothing_to_ask_is_refused() -> None:
    with pytest.raises(BadInput, match="nothing to ask"):
        us.measure(model(0.5))
    with pytest.raises(BadInput, match="No bias applies to any"):
        us.measure(model(0.5), (), ["post_hoc"])
    with pytest.raises(UnknownName, match="suggested_answer"):
        us.measure(model(0.5), QUESTIONS, ["suggested_anwser"])
    with pytest.raises(BadInput, match=r"unsway.load\('procedural/dates', 300\)"):
        us.measure(model(0.5), "procedural/dates")  # type: ignore[arg-type]
    for more in ({"biases": ["post_hoc"]}, {"elicit": "direct"}):
        with pytest.raises(BadInput, match="cues and their wording already"):
            us.measure(model(0.5), EVERY, **more)  # type: ignore[arg-type]


def test_one_bias_needs_no_list(tmp_path: Path) -> None:
    one, own = (us.measure(model(0.5), QUESTIONS[:4], bias) for bias in ("post_hoc", MINE))
    assert [plain_name(found.biases[0]) for found in (one, own)] == ["post_hoc", "hr"]


def test_another_model_under_a_label_that_is_taken_is_refused(tmp_path: Path) -> None:
    us.measure(model(0.5), QUESTIONS[:4], "post_hoc", folder=tmp_path, label="mine")
    with pytest.raises(BadInput, match=r"label 'mine', and the model asked for now is scripted/b.*--label"):
        us.measure(model(0.5, "b"), QUESTIONS[:4], "post_hoc", folder=tmp_path, label="mine")
    elsewhere = scripted(EVERY, {"post_hoc": 0.1}, name="model")
    with pytest.raises(BadInput, match="has other weights or another address"):
        us.measure(elsewhere, QUESTIONS[:4], "post_hoc", folder=tmp_path, label="mine")
    (arm,) = results(tmp_path).arms
    assert (arm.label, arm.model) == ("mine", "scripted/model")


def test_every_public_name_has_a_first_sentence_and_the_page_lists_it() -> None:
    for name in us.__all__:
        sentence = api_page.first_sentence(getattr(us, name))
        assert sentence.endswith((".", "…")) or sentence.endswith("?"), f"us.{name}: {sentence!r}"
    assert api_page.PAGE.read_text(encoding="utf-8") == api_page.page(), "write it again: python tests/api_page.py"


# ---------------------------------------------------------------- what a user may get wrong


def test_verbs_on_a_study_take_its_folder_and_keep_there_what_is_said(tmp_path: Path) -> None:
    us.measure(model(0.5), QUESTIONS, ["post_hoc"], folder=tmp_path)
    judged = us.judge(str(tmp_path), "mentions_cue")
    assert judged.verdicts and kept_verdicts(tmp_path) == judged.verdicts
    assert us.judge(tmp_path, "mentions_cue").verdicts == us.judge(results(tmp_path), "mentions_cue").verdicts
    grades = saying("grader", lambda messages: "7")
    assert us.monitor(tmp_path, grades, n=2).verdicts
    assert len(kept_verdicts(tmp_path)) > len(judged.verdicts)
    asked = us.interrogate(tmp_path, "early", model=model(0.5), mode="quoted", n=0)
    assert asked.tests == ()
    with pytest.raises(BadInput, match="holds no study"):
        us.judge(tmp_path / "nothing")


def test_a_study_is_asked_whether_it_measured_a_bias() -> None:
    found = us.measure(model(0.5), QUESTIONS[:4], ["post_hoc", MINE])
    assert "post_hoc" in found and found.bias("hr") in found and "hindsight" not in found and 5 not in found
    assert [found[name].brr.n for name in found] == [found[bias].brr.n for bias in found.biases]


def test_rows_of_a_data_set_are_refused_with_what_to_do(tmp_path: Path) -> None:
    rows = [{"prompt": "What is 2 + 2?", "completion": "4"}]
    with pytest.raises(BadInput, match=r"some of the type dict\..*the path of a JSONL file.*to_json"):
        us.fit(rows, us.Bct(), "smollm2-135m", us.Local(), tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"temperature": 10**400}, "temperature is 1000"),
        ({"temperature": -1}, "temperature is -1; it is a number, 0"),
        ({"temperature": "hot"}, "temperature is 'hot'"),
        ({"max_tokens": 0}, "max_tokens is 0; it is a whole number of tokens, 1 or more"),
        ({"max_tokens": 10.5}, "max_tokens is 10.5"),
        ({"max_tokens": None}, "max_tokens is None"),
        ({"thinking_budget": 0}, "thinking_budget is 0"),
        ({"top_p": 0}, "top_p is 0; it is a fraction"),
        ({"top_p": float("nan")}, "top_p is nan"),
        ({"seed": "x"}, "seed is 'x'; it is a whole number"),
        ({"seed": True}, "seed is True; it is a whole number"),
        ({"temperature": True}, "temperature is True; it is a number"),
        ({"options_after": 5}, "options_after is 5; it is words of a reply"),
        ({"force_answer": ("A",)}, "force_answer is .*; it is words of a reply"),
        ({"letter_begins": 5}, "letter_begins is 5; it is words of a reply"),
        ({"effort": "hgih"}, "effort is 'hgih'; it is one of none, minimal, low"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Settings(**given)
    assert Settings(temperature=1, max_tokens=1, thinking_budget=1, top_p=0.5)


def test_arguments_in_another_order_are_refused_in_words(tmp_path: Path) -> None:
    questions = toy_questions(2)
    made = us.pairs(questions, ["post_hoc"])
    model = scripted(made, {})
    found = us.measure(model, made)
    swapped: list[tuple[Any, str]] = [
        (lambda: us.measure(made, model), "Model .* stands where a question is expected"),
        (lambda: us.measure(made, questions, ["post_hoc"]), "PairSet .* stands where a model is expected"),
        (lambda: us.measure(model, list(made)), "Pair .* stands where a question"),
        (lambda: us.measure(model, 5), "int .* stands where a question"),
        (lambda: us.measure(model, like=model), "Model .* stands where Results are"),
        (lambda: us.pairs(model, "post_hoc"), "Model .* stands where a question"),
        (lambda: us.ask(made, model), "Pair .* stands where a prompt"),
        (
            lambda: us.ask(model, [pair.clean for pair in made]),
            "Model .* stands where a prompt|list .* stands where a model",
        ),
        (lambda: us.judge(made, "mentions_cue", by=model), "PairSet .* stands where a study"),
        (lambda: us.judge(found, model, by=model), "Model .* stands where a rubric"),
        (lambda: us.monitor(made, by=model), "PairSet .* stands where a study"),
        (lambda: us.report(made, tmp_path / "a.html"), "PairSet .* stands where a study"),
        (lambda: us.report("a.html", found), "Results .* stands where the path"),
        (lambda: us.train("bct", "smollm2-135m", model), "Model .* stands where a question"),
        (lambda: us.fit((), "bct", "smollm2-135m", us.Local(), tmp_path), "str .* stands where a method"),
        (lambda: us.plan(made), "PairSet .* stands where a study"),
        (lambda: us.cue(5, place="end"), "int .* stands where the words of a cue"),
        (lambda: us.load("procedural/arithmetic", "4"), "n is '4'; it is a whole number of questions"),
        (lambda: us.load(made), "PairSet .* stands where a source"),
        (lambda: us.load({}), "lacks 'file'"),
        (lambda: us.load("procedural/arithmetic", seed="x"), "str .* stands where a seed"),
        (lambda: us.load("procedural/arithmetic", split=5), "int .* stands where the name of a split"),
        (lambda: us.load("procedural/arithmetic", columns=5), "int .* stands where columns"),
        (lambda: us.cue("{answer}", name=5), "int .* stands where the name of a cue"),
        (lambda: us.pairs(questions, "post_hoc", seed="x"), "seed is 'x'; it is a whole number in pairs"),
        (lambda: us.pairs(questions, "post_hoc", arguments=5), "int .* stands where arguments"),
        (lambda: us.pairs(questions, "post_hoc", aim="off"), "aim is 'off'; it is one of 'wrong', 'gold', 'any'"),
        (lambda: us.Budget("5"), "str .* stands where the limit"),
        (lambda: us.ask([], model, samples=-1), "samples is -1"),
        (lambda: us.interrogate(found, "early", model=model, n=-1), "n is -1; it is 0 or more"),
        (lambda: us.monitor(found, model, n=-1), "n is -1"),
        (lambda: us.judge(found, by=[model], n=-1), "n is -1"),
        (lambda: us.ask([], model, 5), "int .* stands where a Sampling"),
        (lambda: us.fit((), us.Bct(), "smollm2-135m", "local", tmp_path), "str .* stands where a back-end"),
        (lambda: us.measure(model, made, intervention=us.Fewshot), "type .* is no intervention"),
        (lambda: us.outcomes(questions, found.replies), "Question .* stands where pairs"),
        (lambda: us.outcomes(made, made), "Pair .* stands where replies"),
        (lambda: us.cells(made), "Pair .* stands where outcomes"),
        (lambda: us.cells(found.outcomes, level="x"), "level is 'x'; it is a finite number in cells"),
        (lambda: us.estimate(made, tmp_path), "PairSet .* stands where a study"),
        (lambda: us.chart(made, "brr"), "PairSet .* stands where results"),
        (lambda: us.note(5, "text"), "project is 5; it is a path on this machine in note"),
        (lambda: us.measure(model, made, how=5), "int .* stands where a Measurement"),
        (lambda: us.measure(model, made, folder=5), "Sampling.folder is 5; it is a path on this machine or None"),
        (lambda: us.measure(model, made, folder="s3://b/x"), "folder is 's3://b/x'; it is a path on this machine"),
        (
            lambda: us.run(us.Study(models="m", biases="post_hoc"), "s3://b/x"),
            "folder is 's3://b/x'; it is a path on this",
        ),
        (lambda: us.mixture(us.Bct(), questions, model), "Bct .* stands where a recipe"),
        (lambda: us.Study(models="m", biases="post_hoc", n=2.5), "Study.n is 2.5; it is a whole number"),
        (lambda: us.Study(models="m", biases="post_hoc", seeds=2.5), "float .* stands where a seed"),
        (lambda: us.Study(models="m", biases="post_hoc", interventions=5), "int .* is no intervention"),
        (lambda: us.run(us.Study(models="m", biases="post_hoc"), tmp_path, on=5), "int .* stands where an executor"),
        (lambda: us.run(us.Study(models="m", biases="post_hoc"), tmp_path, using=5), "using is 5; it is a dictionary"),
        (lambda: us.Task("mmlu", n="x"), "Task.n is 'x'; it is a whole number or None"),
        (lambda: us.Trained(us.Bct(), recipe=5), "Trained.recipe is 5; it is a value of the class Recipe"),
        (lambda: us.Trained({}), "lacks 'kind'"),
        (lambda: us.Fewshot(2.5), "Fewshot.k is 2.5"),
        (lambda: us.side_effects(tmp_path, "spill"), "names is 'spill'; it is several, each text, or None"),
    ]
    for call, said in swapped:
        with pytest.raises(BadInput, match=said):
            call()


def test_too_few_questions_name_the_source() -> None:
    few = resolve_source("procedural/dates")
    with pytest.raises(BadInput, match=r"^procedural/dates@1 has \d+ questions \(split default\); asked for -1\."):
        load(few, -1)


def test_cues_and_recipes_can_be_pickled() -> None:
    back = pickle.loads(pickle.dumps(MINE))
    assert back == MINE and us.pairs(QUESTIONS, [back]).pairs == us.pairs(QUESTIONS, [MINE]).pairs
    recipe = us.Recipe(biases=[MINE, "post_hoc"])
    assert pickle.loads(pickle.dumps(recipe)) == recipe
