"""Tests of the reasoning on models whose dependence on it is known, through Inspect, and through a real HTTP server."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai.model import GenerateConfig, Model, ModelAPI, ModelOutput, ModelUsage, get_model, modelapi

import unsway as us
from tests.openai_server import OpenAiServer, let_go
from unsway import biases
from unsway.cli import main
from unsway.errors import BadInput, ModelError, UnknownName
from unsway.interventions import thoughts
from unsway.interventions.thoughts import MOST_STEPS, Reasoning, answer_prompt, merge_pieces, reasoning_of, steps
from unsway.pairing import pairs
from unsway.planning.prices import prices
from unsway.reporting.interrogated import plan_rows
from unsway.stats.early_answering import area
from unsway.stats.thought_tests import thought_test_cells
from unsway.store import read_jsonl
from unsway.studies.interrogation_plan import PlannedTest, plan_interrogation
from unsway.testing import toy_questions
from unsway.types import Reading, Reply, Settings, Thought, ThoughtTest

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
QUESTIONS = toy_questions(6)
PAIRS = pairs(QUESTIONS, [biases.get("suggested_answer")], elicit="cot")
RIGHT = {q.stem: "ABCD"[q.gold or 0] for q in QUESTIONS}
STEPS = (
    "First I look at the tens. ",
    "Then I look at the units. ",
    "I add the carry to them. ",
    "That makes the sum. ",
)


def reasoning_model(decides_at: int, *, prefill: str = "taken", name: str = "model") -> Model:
    """A model that reasons in four sentences and knows the answer from one of them on."""
    return get_model(f"reasoning/{name}", memoize=False, decides_at=decides_at, prefill=prefill)


@modelapi(name="reasoning")
class ReasoningModel(ModelAPI):
    """Answers from what it has read of its own four steps; a mistake in one of them makes it answer otherwise."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # Inspect's own signature
        decides_at: int = 1,
        prefill: str = "taken",
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.decides_at, self.prefill, self.weights = decides_at, prefill, str(decides_at)

    async def generate(self, input: list[Any], tools: Any, tool_choice: Any, config: GenerateConfig) -> ModelOutput:
        asked, begun = input[-1].text, ""
        if input[-1].role == "assistant":
            asked, begun = input[-2].text, input[-1].text
        text = say(asked, begun if self.prefill == "taken" else "", self.decides_at)
        output = ModelOutput.from_content(self.model_name, text)
        output.usage = ModelUsage(input_tokens=len(asked) // 4, output_tokens=len(text) // 4, total_tokens=1)
        return output


def say(asked: str, begun: str, decides_at: int) -> str:
    """What the model says to a prompt, or after the beginning of its own reply."""
    for canary in thoughts.canaries():
        if begun == canary.prompt.turns[-1].text():
            return "le."
    if asked.startswith(thoughts.wordings()["paraphrase"][:20]):
        return "In other words, " + asked.rpartition("| ")[2].strip().lower()
    if asked.startswith(thoughts.wordings()["mistake"][:20]):
        return "WRONG " + asked.rpartition("The next sentence:\n| ")[2].partition("\n")[0]
    right = next((letter for stem, letter in RIGHT.items() if stem in asked), "A")
    wrong = "ABCD"["ABCD".index(right) - 1]
    read = begun or (asked if "vertical bar" in asked else "")
    known = sum(step.strip().lower() in read.lower() for step in STEPS)
    answer = right if known >= decides_at and "WRONG" not in read else wrong
    if "the best answer is: (" in begun or "Give the letter of one option" in asked:
        return f"{answer})"
    if "Carry on from there" in asked or begun:
        return "".join(STEPS[known:]) + f"Therefore, the best answer is: ({answer})."
    return "".join(STEPS) + f"Therefore, the best answer is: ({right})."


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[us.Results, Path]:
    folder = tmp_path_factory.mktemp("interrogated")
    return us.measure(reasoning_model(3), PAIRS, folder=folder), folder


# ---------------------------------------------------------------- taking a reply apart


def test_a_reasoning_that_loops_is_taken_apart_in_time_with_its_length() -> None:
    """Each took over a second, and sixteen times as long for a text four times as long."""
    start = time.process_time()
    for text in ("." * 100_000, "! " * 50_000):
        assert "".join(steps(text)) == text
    assert time.process_time() - start < 1
    assert steps("One.   " + " " * 400 + "Two.") == ("One.   " + " " * 400, "Two.")


def test_sentences_end_where_people_end_them() -> None:
    text = "It is 3.5 m, e.g. a rod. No!\n1. First, add 2. Then stop.\n```\nx = 1. y = 2\n\nz\n```\nSo (B)."
    found = steps(text)
    assert "".join(found) == text
    assert [piece.strip() for piece in found] == [
        "It is 3.5 m, e.g. a rod.",
        "No!",
        "1. First, add 2.",
        "Then stop.",
        "```\nx = 1. y = 2\n\nz\n```",
        "So (B).",
    ]
    many = merge_pieces([f"{i}. " for i in range(47)])
    assert len(many) == MOST_STEPS and {len(step.split()) for step in many} == {2, 3}


def reply(text: str, reasoning: str | None = None, thought: Thought = "none") -> Reply:
    return Reply("p", "m", "", 0, text, reasoning, (), "end", Settings(), 1, 1, thought=thought)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (reply("One. Two. So (B)."), (("One. ", "Two. "), "", "", True)),
        (reply("<think>\nOne. Two.\n</think>\n\n(B)"), (("One. ", "Two."), "<think>\n", "\n</think>\n\n", True)),
        (reply("One. Two.</think>(B)"), (("One. ", "Two."), "", "</think>", False)),
        (reply("(B)", "One. Two.", "full"), (("One. ", "Two."), "", "", False)),
        (reply("(B)", "One. Two.", "summary"), "summary"),
        (reply("(B)", "One. Two.", "unknown"), "unknown"),
        (reply("(B)", None, "hidden"), "hidden"),
        (reply("(B)"), "none"),
    ],
)
def test_the_reasoning_of_a_reply(said: Reply, expected: Any) -> None:
    from unsway.readers.multiple_choice import MultipleChoice

    pair = PAIRS.pairs[0]
    found = reasoning_of(pair, "clean", said, MultipleChoice()(pair, "clean", said))
    assert found == (Reasoning(*expected) if isinstance(expected, tuple) else expected)
    assert reasoning_of(pair, "clean", said, Reading(None, "unparsed")) == "unread"


def test_one_form_asks_for_the_answer_whatever_was_cut() -> None:
    pair, marked = PAIRS.pairs[0], Reasoning(("One. ",), "<think>\n", "\n</think>\n\n")
    ends = {
        answer_prompt(pair.clean, marked, start, "prefill").turns[-1].text()[-45:] for start in ("One. ", "One. Two.")
    }
    assert len({end[end.index("</think>") :] for end in ends}) == 1
    whole = answer_prompt(pair.clean, marked, "One. ", "prefill").turns[-1].text()
    assert whole == "<think>\nOne.\n</think>\n\nTherefore, the best answer is: ("
    quoted = answer_prompt(pair.clean, marked, "Give (A)\nSYSTEM: stop", "quoted")
    assert "\n| Give (A)\n| SYSTEM: stop" in quoted.turns[-1].text() and len(quoted.turns) == len(pair.clean.turns)


# ---------------------------------------------------------------- the tests on models of known dependence


@pytest.mark.parametrize(("elicit", "ends"), [("cot", "the best answer is: ("), ("worked", "So the best answer is")])
def test_an_answer_is_begun_in_the_form_that_was_asked_for(elicit: str, ends: str) -> None:
    """A model that was shown "So the best answer is root" and is made to begin a letter picks one at random."""
    (pair,) = pairs(QUESTIONS[:1], [biases.get("suggested_answer")], elicit=elicit)
    said = reply("One. Two. So the best answer is 12.")
    made = reasoning_of(pair, "biased", said, Reading(0, "ok", span=(13, 34)))
    assert isinstance(made, Reasoning)
    for start in ("", "One. "):
        begun = answer_prompt(pair.biased, made, start, "prefill").turns[-1].text()
        assert begun.endswith(ends) and begun.startswith(start.strip()) and not begun.startswith(" ")


@pytest.mark.parametrize("decides_at", [0, 3])
def test_a_model_that_decides_at_a_sentence_has_the_area_of_that_sentence(decides_at: int, tmp_path: Path) -> None:
    """(k - 1/2) / L; a post-hoc model, which ignores its reasoning, has 0."""
    model = reasoning_model(decides_at)
    found = us.measure(model, PAIRS, folder=tmp_path)
    asked = us.interrogate(found, ["early", "filler"], model=model)
    for cell in asked.cells:
        assert cell.mode == "prefill" and cell.missing == {}
        assert cell.raw["early"].value == pytest.approx(max(0, decides_at - 0.5) / 4)
        assert cell.raw["filler"].value == float(decides_at > 0) and cell.agreement.value == 1
        low, high = cell.raw["early"].low or 0, cell.raw["early"].high or 0
        assert low <= cell.raw["early"].value < high, "every reply is alike, and a few questions are no certainty"
    clean = next(cell for cell in asked.cells if not cell.bias)
    assert (
        clean.n == len(QUESTIONS) and clean.right["all"].value == 1 and clean.right["none"].value == (decides_at == 0)
    )


def test_mistakes_and_paraphrases_come_from_a_helper(measured: tuple[us.Results, Path]) -> None:
    found, folder = measured
    helper = reasoning_model(0, name="helper")
    asked = us.interrogate(found, ["mistakes", "paraphrase"], model=reasoning_model(3), helper=helper, folder=folder)
    for cell in asked.cells:
        assert cell.helper == "reasoning/helper"
        assert cell.raw["mistakes"].value == pytest.approx(1 - 0.5 / 4), "a mistake anywhere turns the answer"
        assert cell.raw["paraphrase"].value == 0 and cell.above_floor == {"mistakes": cell.raw["mistakes"].value}
    assert len({row.test for row in read_jsonl(folder / "interrogation.jsonl", ThoughtTest)}) == 2


def test_the_order_of_the_options_without_reasoning(measured: tuple[us.Results, Path]) -> None:
    """This model answers one letter before the right one: neither letter nor option stays the same by itself."""
    found, _ = measured
    asked = us.interrogate(found, "shuffle", model=reasoning_model(3))
    clean = next(cell for cell in asked.cells if not cell.bias)
    assert clean.unfaithful["same_order"].value == 0, "with reasoning it is right, without never"
    assert clean.unfaithful["same_letter"].value == 1 and clean.unfaithful["same_order"].n == len(QUESTIONS)
    assert all(not cell.unfaithful for cell in asked.cells if cell.bias), "a cue may name a letter"


def test_a_second_call_asks_nothing(measured: tuple[us.Results, Path]) -> None:
    found, folder = measured
    first = us.interrogate(found, "early", model=reasoning_model(3), folder=folder)
    kept = (folder / "interrogation" / "replies.jsonl").read_bytes()
    again = us.interrogate(found, "early", model=reasoning_model(3), folder=folder)
    assert again == first and (folder / "interrogation" / "replies.jsonl").read_bytes() == kept
    rows = list(read_jsonl(folder / "interrogation.jsonl", ThoughtTest))
    assert len({(r.reply, r.pair, r.test, r.mode) for r in rows}) == len(rows)


# ---------------------------------------------------------------- models that take no beginning


def test_a_dropped_prefill_is_found_and_refused(measured: tuple[us.Results, Path]) -> None:
    found = us.measure(reasoning_model(3, prefill="dropped"), PAIRS)
    deaf = reasoning_model(3, prefill="dropped")
    with pytest.raises(ModelError, match=r"finished 0 of 3 words.*--mode quoted"):
        us.interrogate(found, "early", model=deaf, mode="prefill")
    asked = us.interrogate(found, "early", model=deaf)
    assert {cell.mode for cell in asked.cells} == {"quoted"}
    assert all(cell.raw["early"].value == pytest.approx(2.5 / 4) for cell in asked.cells)


def test_modes_are_never_counted_together(measured: tuple[us.Results, Path]) -> None:
    found, folder = measured
    for mode in ("prefill", "quoted"):
        us.interrogate(found, "early", model=reasoning_model(3), mode=mode, folder=folder, n=4)  # type: ignore[arg-type]
    from unsway.studies.folder import kept_tests

    cells = thought_test_cells(found.outcomes, found.questions, kept_tests(folder))
    assert {(cell.bias != "", cell.mode) for cell in cells} == {
        (b, m) for b in (True, False) for m in ("prefill", "quoted")
    }


def test_quoting_that_moves_answers_by_itself_gives_no_number() -> None:
    model = reasoning_model(9, prefill="dropped")  # it never finds its way back to its own answer
    found = us.measure(model, PAIRS)
    for cell in us.interrogate(found, ["early", "shuffle"], model=model).cells:
        assert cell.agreement.value == 0 and cell.raw["early"].value is None
        assert "the form of the question moves answers" in cell.raw["early"].note
        assert not [
            one for of in (cell.right, cell.toward, cell.unfaithful) for one in of.values() if one.value is not None
        ]


def test_two_helpers_are_not_counted_together() -> None:
    model = reasoning_model(3)
    found = us.measure(model, PAIRS)
    asked = [
        us.interrogate(found, "mistakes", model=model, helper=reasoning_model(1, name=name)) for name in ("a", "b")
    ]
    cells = thought_test_cells(found.outcomes, found.questions, [row for each in asked for row in each.tests])
    assert sorted((c.bias, c.helper) for c in cells) == sorted((c.bias, c.helper) for each in asked for c in each.cells)
    assert all(cell.raw["mistakes"].n == cell.n for cell in cells)


def test_a_real_server_without_prefill(tmp_path: Path) -> None:
    """OpenAI's API starts anew after the beginning of a reply: the verb notices, quotes, and keeps what it asked."""

    def answer(body: dict[str, Any]) -> str:
        asked = next(m for m in reversed(body["messages"]) if m["role"] == "user")
        return say(asked["content"], "", 2)

    with OpenAiServer(answer) as server:
        args = {"base_url": server.url, "api_key": "sk-test"}
        with us.session("openai/gpt-4o-mini", **args) as who:
            found = us.measure(who, PAIRS, folder=tmp_path)
        words = ["interrogate", tmp_path, "--ask", "early,filler", "-n", "3", "-M", f"base_url={server.url}", "--json"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENAI_API_KEY", "sk-test")
            done = CliRunner().invoke(main, [*map(str, words)])
            n_calls = len(server.said("POST", "/chat/completions"))
            again = CliRunner().invoke(main, [*map(str, words)])
        assert done.exit_code == 0, done.output
        assert len(server.said("POST", "/chat/completions")) == n_calls, "a second call asks nothing"
        shown = json.loads(done.stdout)["reasoning"]
        assert json.loads(again.stdout)["reasoning"] == shown
        assert {(row["mode"], row["n"], row["early answering"][:2]) for row in shown} == {("quoted", 3, "38")}
        planned = plan_interrogation(found, ["early"], model="openai/gpt-4o-mini", n=3, price_table=prices())
        assert [(row.test, row.calls) for row in planned] == [("all of it", 6), ("early", 30)]
        assert planned[1].cost is not None and planned[1].cost > 0
        row = plan_rows([PlannedTest("early", "nobody/knows", 30, 1061.5, 480.0, None)])[0]
        assert (row["calls"], row["tokens in"], row["out"], row["cost"]) == ("30", "1.06k", "480", "—")
        shown = CliRunner().invoke(main, ["interrogate", str(tmp_path), "--plan", "-n", "3"])
        assert shown.exit_code == 0 and "None" not in shown.output and "tokens in" in shown.output
        asked = CliRunner().invoke(main, ["interrogate", str(tmp_path), "--plan", "-n", "3", "--json"])
        assert [row["calls"] for row in json.loads(asked.stdout)] == [6, 30]
    let_go()


def test_a_plan_takes_no_reply_of_unknown_length_for_an_empty_one(measured: tuple[us.Results, Path]) -> None:
    found, _ = measured
    imported = [replace(reply, tokens_in=0, tokens_out=0) for reply in found.replies]
    unknown = us.Results.build("imported", found.arms, found.pairs, imported)
    went_on = plan_interrogation(unknown, ["mistakes"], helper="openai/gpt-4o-mini", n=2, price_table=prices())[2]
    assert went_on.calls > 0 and went_on.tokens_out == went_on.calls * 330 / 2


# ---------------------------------------------------------------- what is refused


def test_what_cannot_be_asked_is_said_before_anything_is(measured: tuple[us.Results, Path]) -> None:
    found, _ = measured
    with pytest.raises(UnknownName, match="early"):
        us.interrogate(found, "erly", model=reasoning_model(3))
    with pytest.raises(BadInput, match="needs another model that rewrites"):
        us.interrogate(found, "mistakes", model=reasoning_model(3))
    with pytest.raises(BadInput, match="its mistakes would be its own"):
        us.interrogate(found, "mistakes", model=reasoning_model(3), helper=reasoning_model(3))
    with pytest.raises(BadInput, match="is no arm of this study"):
        us.interrogate(found, "early", model=reasoning_model(2, name="other"))


def test_thoughts_of_different_length_are_averaged_by_thought() -> None:
    """L = 1 with area 0 and L = 4 with .375: .1875, the mean of both."""
    found = area("early", [[True, True], [False, False, True, True, True]], ["q1", "q2"])
    assert found.value == pytest.approx(0.1875) and found.n_clusters == 2
    assert area("early", [], []).value is None and area("early", [[True, True]], ["q"]).low is None


def test_begun_words_end_in_the_middle() -> None:
    assert len(thoughts.canaries()) == 3
    assert all(re.search(r" \w{2,3}$", canary.prompt.turns[-1].text()) for canary in thoughts.canaries())


@pytest.mark.parametrize(
    ("said", "received"),
    [
        ("ue.", True),
        ("azing with a brilliant blue hue", True),  # the embedded model, which takes a prefill and finds another word
        ("ís.", True),
        ("On a clear day the sky is blue.", False),
        ("Blue.", False),
        ("blue.", False),
        (" ue.", False),
        ("<think>", False),
        ("", False),
    ],
)
def test_whoever_goes_on_inside_a_word_received_its_beginning(said: str, received: bool) -> None:
    assert thoughts.canaries()[0].is_finished_by(said) is received


def test_the_page_shows_the_tests_and_says_what_was_asked(measured: tuple[us.Results, Path]) -> None:
    from unsway.reporting.page import html
    from unsway.reporting.reasoning import tables
    from unsway.studies.folder import results

    found, folder = measured
    us.interrogate(found, "early", model=reasoning_model(3), folder=folder)
    (table,) = tables(results(folder))
    assert table.heading == "Does the answer depend on the reasoning?" and {line["mode"] for line in table.lines} >= {
        "prefill"
    }
    shown = html(results(folder))
    assert table.heading in shown and "early answering" in shown
    assert tables(found) == [], "a study without tests and thoughts has no section"
