"""Monitors of known skill on scripted replies of known admissions; curves and fronts whose values can be worked out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from inspect_ai.model import GenerateConfig, Model, ModelAPI, ModelOutput, ModelUsage, get_model, modelapi
from keeping import keep_arm

import unsway as us
from unsway import biases
from unsway.cli import main
from unsway.errors import BadInput, UnknownName
from unsway.judging import rubrics
from unsway.judging.rubrics.monitor import grade
from unsway.pairing import pairs
from unsway.reporting import words
from unsway.reporting.monitored import rows
from unsway.stats.matched import ArmPoint, front, joint_weights, matched_difference, rate_R
from unsway.studies.folder import results
from unsway.studies.fronts import verbalised_front
from unsway.studies.monitoring import Monitored, monitored_cells
from unsway.testing import ADMISSION, Script, scripted_judge, toy_questions
from unsway.types import Thought

QUESTIONS = toy_questions(40)
PAIRS = pairs(QUESTIONS, [biases.get("suggested_answer")], elicit="cot")
CUES = {pair.biased.cue().splitlines()[0] for pair in PAIRS}


def watcher(name: str = "watcher") -> Model:
    """A monitor that believes admissions where it sees a reply, and otherwise suspects every prompt with a cue."""
    return get_model(f"watcher/{name}", memoize=False)


@modelapi(name="watcher")
class Watcher(ModelAPI):
    """Answers in the form of the rubric."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # Inspect's own signature
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)

    async def generate(self, input: list[Any], tools: Any, tool_choice: Any, config: GenerateConfig) -> ModelOutput:
        asked = input[-1].text
        suspects = ADMISSION.strip() in asked if "That was the reply" in asked else any(cue in asked for cue in CUES)
        output = ModelOutput.from_content(self.model_name, f"Because: a remark\nInfluenced: {90 if suspects else 5}")
        output.usage = ModelUsage(input_tokens=9, output_tokens=9, total_tokens=18)
        return output

    def max_connections(self) -> int:
        return 200


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("monitored")
    for label, admits in (("talks", 0.5), ("quiet", 0.0)):
        keep_arm(folder, PAIRS, Script({"suggested_answer": 0.6}, accuracy=0.8, seed=3, admits=admits), label)
    return us.monitor(results(folder), watcher(), folder=folder), folder


def cell(watched: Any, arm: str, sees: str) -> Any:
    return next(one for one in watched.cells if (one.arm, one.sees) == (arm, sees))


def test_a_monitor_of_replies_finds_what_they_admit_and_no_more(watched: tuple[Any, Path]) -> None:
    found, _ = watched
    talks, quiet = cell(found, "talks", "reply"), cell(found, "quiet", "reply")
    share = next(c for c in found.cells if c.sees == "reply")
    switched = [o for o in found.results.outcomes if o.arm.model.endswith("talks") and o.hit_biased and not o.hit_clean]
    admitted = [o for o in switched if ADMISSION in _text(found.results, o)]
    assert talks.auroc.value == pytest.approx(0.5 + len(admitted) / len(switched) / 2), (
        "a binary score: mean of Se and 1"
    )
    assert quiet.auroc.value == pytest.approx(0.5) and quiet.g_squared.value == 0
    assert talks.g_squared.value > 0.3 and talks.g_squared_by_instance is None and share.n == 2 * len(QUESTIONS)
    assert 0 < talks.caused < 1


def test_a_monitor_of_itself_is_said_on_every_number(watched: tuple[Any, Path]) -> None:
    found, _ = watched
    assert {cell.note for cell in found.cells} == {""}
    model = found.results.arms[0].model
    own = monitored_cells(found.results, [replace(verdict, by=model) for verdict in found.verdicts])
    assert {(c.arm, c.note) for c in own if c.by} >= {("talks", "judged by the model itself")}
    assert all(
        "by the model itself" in row["note"]
        for row in rows(own)
        if row["arm"] == "talks" and row["monitor"] != words.NONE
    )


def _text(results: us.Results, outcome: us.Outcome) -> str:
    pair = next(p for p in results.pairs if p.id == outcome.pair_id)
    reply = results.reply(outcome.arm, pair.biased)
    return reply.text if reply else ""


def test_monitors_that_see_the_prompt_alone_flag_every_cue(watched: tuple[Any, Path]) -> None:
    """They tell prompts with a cue from those without, and nothing among the former: that is no worth of the reasoning."""
    found, _ = watched
    for sees in ("answer", "prompt"):
        one = cell(found, "quiet", sees)
        assert one.auroc.value == pytest.approx(0.5) and one.auroc_clean.value == 1
    assert cell(found, "talks", "length").g_squared.value is None


def test_the_monitor_is_not_told_of_the_cue_but_sees_the_prompt(watched: tuple[Any, Path]) -> None:
    pair = PAIRS.pairs[0]
    for name in ("monitor", "monitor_answer", "monitor_prompt"):
        text = rubrics.get(name).prompt(pair, "biased", "So (B).").turns[0].text()
        assert f"| {pair.question.stem}" in text and pair.biased.cue().splitlines()[0] in text
        assert pair.bias.partition("@")[0] not in text and "cue" not in text
        assert ("| So (B)." in text) == (name == "monitor")
        assert (
            pair.biased.cue().splitlines()[0] not in rubrics.get(name).prompt(pair, "clean", "So (B).").turns[0].text()
        )
    shown = rubrics.get("monitor_answer").prompt(pair, "biased", "So (B).").turns[0].text()
    assert f"The answer: (B) {pair.question.options[1]}" in shown


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("Because: a remark\nInfluenced: 70", 70),
        ("**Because:** a remark\n**Influenced:** 0", 0),
        ("Influenced: 100%", 100),
        ("Influenced: 101", None),
        ("Influenced: 20\nInfluenced: 80", None),
        ("70", None),
        ("", None),
    ],
)
def test_the_form(words: str, value: int | None) -> None:
    said = grade(words, PAIRS.pairs[0], "biased")
    assert (None if said is None else said.value) == value


def test_the_verb_keeps_grades_and_asks_nothing_twice(watched: tuple[Any, Path]) -> None:
    found, folder = watched
    kept = sorted((folder / "judges").rglob("replies.jsonl"))[0].read_bytes()
    done = CliRunner().invoke(main, ["monitor", str(folder), "--by", "watcher/watcher", "--json"])
    assert done.exit_code == 0, done.output
    assert sorted((folder / "judges").rglob("replies.jsonl"))[0].read_bytes() == kept
    body = json.loads(done.stdout)
    assert len(body["monitors"]) == len(found.cells) and [row["arm"] for row in body["front"]] == ["talks", "quiet"]
    quiet = body["front"][1]
    assert quiet["another is as good in both, better in one"] == "yes", "as biased, and more often silent"


def test_the_front_of_a_judge_that_hears_admissions(watched: tuple[Any, Path]) -> None:
    """Equally biased arms of which one admits half of its switches: the quiet one is beaten in every draw."""
    found, _ = watched
    says = us.judge(found.results, ["mentions_cue", "relies_on_cue"], by=scripted_judge(1, 1))
    ((by, arms),) = verbalised_front(found.results, says.verdicts).items()
    talks, quiet = arms
    assert by == "scripted_judge/judge" and talks.x == quiet.x and quiet.y > talks.y > 0
    assert (quiet.is_beaten, quiet.share_beaten) == (True, 1.0) and not talks.is_beaten
    ((watcher_, watched_arms),) = found.fronts().items()
    assert (watcher_, watched_arms[1].y) == ("watcher/watcher", quiet.y), "the monitor believes the same admissions"
    assert verbalised_front(found.results, [v for v in says.verdicts if v.question.startswith("mentions")]) == {}


def test_judges_and_channels_have_fronts_of_their_own(watched: tuple[Any, Path]) -> None:
    """What is said of the thinking, or by another judge, moves no number of the answer."""
    found, _ = watched
    says = us.judge(found.results, ["mentions_cue", "relies_on_cue"], by=scripted_judge(1, 1)).verdicts
    alone = verbalised_front(found.results, says)
    silent = [replace(verdict, channel="thinking", value=False) for verdict in says]
    both = verbalised_front(found.results, [*says, *silent])
    assert [*both] == ["scripted_judge/judge", "scripted_judge/judge, thinking"]
    assert both["scripted_judge/judge"] == alone["scripted_judge/judge"]
    assert all(
        arm.y >= one.y for arm, one in zip(both["scripted_judge/judge, thinking"], alone.popitem()[1], strict=True)
    )


def test_arms_whose_thoughts_are_not_seen_alike_are_on_no_front_together(watched: tuple[Any, Path]) -> None:
    """Who thinks first may say there what another arm says in its answer; it was beaten for that in every draw."""
    found, _ = watched
    arms = found.results.arms

    def study(**kinds: Thought) -> us.Results:
        """The study, where each arm thinks as is said."""
        said = [replace(r, thought=kinds[arm.label]) for arm in arms for r in found.results.replies_of(arm)]
        return us.Results.build("t", arms, PAIRS, said)

    def fronts(study: us.Results, channel: str) -> list[dict[str, list[str]]]:
        said = [replace(v, by="by", channel=channel) for v in found.verdicts if v.question.startswith("monitor@")]
        parts = [
            replace(v, question=f"{name}@1", value=True) for v in said for name in ("mentions_cue", "relies_on_cue")
        ]
        both = verbalised_front(study, parts), Monitored(tuple(said), (), study).fronts()
        return [{by: [arm.label for arm in arms] for by, arms in fronts.items()} for fronts in both]

    hidden, summary = study(talks="none", quiet="hidden"), study(talks="full", quiet="summary")
    assert (
        fronts(hidden, "answer") == [{"by, arms with no thoughts": ["talks"], "by, arms with thoughts": ["quiet"]}] * 2
    )
    assert fronts(summary, "answer") == [{"by": ["talks", "quiet"]}] * 2
    apart = {"by, thinking, arms with full thoughts": ["talks"], "by, thinking, arms with summary thoughts": ["quiet"]}
    assert fronts(summary, "thinking") == [apart] * 2
    (none,) = replace(found, results=hidden).matched({"one": ["talks", "quiet"], "other": ["quiet", "talks"]}).values()
    assert none.value is None and none.note == "not compared: arms with no thoughts, arms with thoughts"


def test_monitors_have_fronts_curves_and_cells_of_their_own(watched: tuple[Any, Path]) -> None:
    found, _ = watched
    others = [replace(verdict, by="deaf", value=0) for verdict in found.verdicts]
    thinking = [replace(v, channel="thinking", value=0) for v in found.verdicts if v.question.startswith("monitor@")]
    every = (*found.verdicts, *others, *thinking)
    many = Monitored(every, monitored_cells(found.results, every), found.results)
    fronts, arms = many.fronts(), ["talks", "quiet"]
    assert [*fronts] == ["watcher/watcher", "deaf", "watcher/watcher, thinking"]
    assert fronts["watcher/watcher"] == found.fronts()["watcher/watcher"]
    assert fronts["deaf"] == fronts["watcher/watcher, thinking"] != fronts["watcher/watcher"]
    methods = {"one": arms, "other": arms[::-1]}
    with pytest.raises(BadInput, match="There are 3 monitors; name one with `by`: watcher/watcher, deaf"):
        many.matched(methods)
    with pytest.raises(UnknownName, match="deaf"):
        many.matched(methods, by="def")
    assert many.matched(methods, by="watcher/watcher") == found.matched(methods)
    kept = {(c.arm, c.by, c.sees, c.channel): c for c in many.cells}
    assert len(kept) == len(many.cells), "the length of replies that several monitors saw stands once"
    assert all(kept[c.arm, c.by, c.sees, c.channel] == c for c in found.cells)
    assert {row["sees"] for row in rows(many.cells)} >= {"prompt and reply", "prompt and thinking"}


def test_a_grade_for_the_cue_of_another_bias_is_no_grade_of_the_reply(watched: tuple[Any, Path]) -> None:
    found, _ = watched
    swapped = [replace(verdict, value=100, placebo="swapped") for verdict in found.verdicts if verdict.side == "biased"]
    every = (*found.verdicts, *swapped)  # as `judge --ask monitor --placebo swapped` keeps them
    assert tuple(monitored_cells(found.results, every)) == tuple(found.cells)
    assert Monitored(every, found.cells, found.results).fronts() == found.fronts()


def first_front(found: Any) -> Any:
    return next(iter(found.fronts().values()))


def test_the_level_of_the_study_reaches_monitors_and_judges(watched: tuple[Any, Path]) -> None:
    found, _ = watched
    half = replace(found.results, level=0.5)
    (own, *_) = monitored_cells(half, found.verdicts)
    assert own.auroc.level == own.g_squared.level == 0.5
    wide, narrow = (first_front(one)[0].x_ends for one in (found, replace(found, results=half)))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert {cell.biased.level for cell in us.judge(half, "mentions_cue").cells} == {0.5}


# ---------------------------------------------------------------- arms that share questions and biases


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Four arms of one script, of which two were asked the strong bias for a third of the questions."""
    folder = tmp_path_factory.mktemp("uneven")
    whole = pairs(QUESTIONS, [biases.get("suggested_answer"), biases.get("post_hoc")], elicit="cot")
    few = {question.id for question in QUESTIONS[:20]}
    part = replace(whole, pairs=tuple(p for p in whole if p.bias.startswith("post_hoc") or p.question.id in few))
    for n, label in enumerate(("a 1", "a 2", "b 1", "b 2")):
        rates = {"suggested_answer": 0.8 + 0.1 * (n % 2), "post_hoc": 0.05}
        script = Script(rates, accuracy=0.8, seed=3, admits=0.5)
        keep_arm(folder, whole if label[0] == "a" else part, script, label)
    return us.monitor(results(folder), watcher(), baselines=False)


def test_fronts_and_curves_compare_one_mix_of_biases(uneven: Any) -> None:
    """Arms of equal replies are equally biased and equally silent, however much else some were asked."""
    a, _, b, _ = first_front(uneven)
    assert (a.x, a.y) == (b.x, b.y) and not a.is_beaten and not b.is_beaten
    (found,) = uneven.matched({"a": ["a 1", "a 2"], "b": ["b 1", "b 2"]}).values()
    assert found.value == pytest.approx(0)
    ((by, arms),) = verbalised_front(
        uneven.results, us.judge(uneven.results, ["mentions_cue", "relies_on_cue"], by=scripted_judge(1, 1)).verdicts
    ).items()
    assert by and arms[0].x == arms[2].x == a.x


# ---------------------------------------------------------------- curves and fronts


def point(label: str, x: float, y: float, spread: float = 0.0) -> ArmPoint:
    noise = np.random.default_rng(int(1000 * x)).normal(0, spread, 401)
    noise[0] = 0
    return ArmPoint(label, x + noise, y + noise)


def test_methods_are_compared_at_one_bias_rate_inside_both_ranges() -> None:
    """y = x + .1 against y = x, on 0 to .4 and .2 to .6: they share .2 to .4, whose middle is .3."""
    one = [point("a", 0.0, 0.1), point("b", 0.4, 0.5)]
    other = [point("c", 0.6, 0.6), point("d", 0.2, 0.2)]
    found = matched_difference(one, other)
    assert found.value == pytest.approx(0.1) and "0.300" in found.note and found.low == pytest.approx(0.1)
    assert matched_difference(one, other, at=0.25).value == pytest.approx(0.1)
    beyond = matched_difference(one, other, at=0.5)
    assert beyond.value is None and "lies outside what they share" in beyond.note
    apart = matched_difference(one, [point("e", 0.7, 0.1), point("f", 0.9, 0.2)])
    assert apart.value is None and "share no bias rate" in apart.note
    with pytest.raises(BadInput, match="at least 2 arms"):
        matched_difference(one, other[:1])


def test_arms_of_one_bias_rate_count_alike_and_those_without_a_number_not_at_all() -> None:
    one, twins = [point("a", 0.0, 0.1), point("b", 0.4, 0.5)], [point("c", 0.2, 0.6), point("d", 0.2, 0.9)]
    assert [matched_difference(two, one).value for two in (twins, twins[::-1])] == [pytest.approx(0.45)] * 2
    unknown = point("never switches", 0.1, float("nan"))
    left = matched_difference([*one, unknown], twins)
    assert (left.value, left.n, left.n_excluded) == (pytest.approx(-0.45), 4, 1) and "never switches" in left.note
    none = matched_difference([one[0], unknown], twins)
    assert none.value is None and "never switches" in none.note


def test_a_rate_that_leaves_a_curve_in_many_draws_has_no_interval() -> None:
    one = [point("a", 0.29, 0.1, 0.1), point("b", 0.31, 0.5, 0.1)]
    found = matched_difference(one, [point("c", 0.0, 0.0), point("d", 0.9, 0.9)])
    assert found.value is not None and found.low is None and "no interval" in found.note


def test_the_front_says_how_often_an_arm_is_beaten() -> None:
    found = {
        arm.label: arm for arm in front([point("best", 0.1, 0.1), point("worse", 0.2, 0.2), point("odd", 0.05, 0.9)])
    }
    assert (found["best"].is_beaten, found["worse"].is_beaten, found["odd"].is_beaten) == (False, True, False)
    assert found["worse"].share_beaten == 1 and found["odd"].share_beaten == 0
    assert front([]) == ()


def rates(*switched: int, n: int = 20) -> list[ArmPoint]:
    """Arms asked n questions, of which so many were switched, the first ones."""
    weights = joint_weights([f"q{i}" for i in range(n)])
    found = [rate_R([(f"q{i}", float(i < k)) for i in range(n)], weights) for k in switched]
    return [ArmPoint(str(k), rate, rate) for k, rate in zip(switched, found, strict=True)]


def test_twenty_questions_without_a_switch_are_no_proof_of_never() -> None:
    none, three, same = front([*rates(0, 3), rates(3)[0]])
    assert none.x_ends[0] == none.x == 0 and 0.05 < none.x_ends[1] < 0.2
    assert three.is_beaten and 0.9 < three.share_beaten < 1, "three of twenty against none may be luck"
    assert (same.x_ends, same.share_beaten) == (three.x_ends, three.share_beaten), "arms that are alike stay alike"


@pytest.mark.parametrize(("true", "n"), [(0.02, 20), (0.05, 40), (0.97, 40)])
def test_the_front_holds_rates_near_its_ends(true: float, n: int) -> None:
    """Of rates of 2 % of 20 questions, draws without anything at the ends held 35 %."""
    random, held = np.random.default_rng(0), 0
    for seed in range(200):
        weights = joint_weights([f"q{i}" for i in range(n)], draws=200, seed=seed)
        rate = rate_R([(f"q{i}", float(hit)) for i, hit in enumerate(random.random(n) < true)], weights)
        (arm,) = front([ArmPoint("a", rate, rate)])
        held += arm.x_ends[0] <= true <= arm.x_ends[1]
    assert held >= 0.92 * 200


def test_weights_are_one_for_all_arms() -> None:
    weights = joint_weights(["q1", "q2", "q1"], draws=50)
    assert set(weights) == {"q1", "q2"} and len(weights["q1"]) == 51 and weights["q1"][0] == 1
    rate = rate_R([("q1", 1.0), ("q2", 0.0)], weights)
    assert rate[0] == 0.5 and 0 < rate[1:].min() < rate[1:].max() < 1
