"""Interventions change what is asked, in both arms alike, and neither the question nor its cue."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import biasing
import pytest
from intervening import CUT, guesses, measured, prompts_of, saying, swayed
from jinja2 import TemplateError

from tests.forking import elsewhere
from unsway import assets, sources
from unsway.banks import bank
from unsway.data import Recipe, mixture
from unsway.errors import BadInput, UnknownName
from unsway.interventions import Fewshot, Prompted, get, leave_one_out, names, sweep
from unsway.interventions.base import worked_example
from unsway.interventions.shots import ARMS
from unsway.models.session import Session, Subject, session
from unsway.pairing import PairSet, pairs
from unsway.sampling import Sampling, ask, run
from unsway.sampling.context import check_fit
from unsway.seeds import digest
from unsway.stats.estimates import cells
from unsway.stats.outcomes import outcomes
from unsway.store import ReplyStore, read_manifest
from unsway.testing import toy_questions
from unsway.training import Bct, Control
from unsway.types import Message, Part, Prompt, Settings, Turn

TRAIN = toy_questions(100, split="train")
TESTED = toy_questions(120)[100:]
BIASES = ("suggested_answer", "post_hoc", "reward_history", "are_you_sure", "distractor_fact")


def proxy(k: int = 3, arm: Any = "naive", **more: Any) -> Fewshot:
    return Fewshot(k, arm, questions=TRAIN, **more)


def put(how: Any, made: PairSet, **more: Any) -> Mapping[str, Prompt]:
    return how.apply(made.pairs, saying("guesses", guesses), **more).prompts  # type: ignore[no-any-return]


def front(asked: Prompt, original: Prompt) -> tuple[Turn, ...]:
    """The turns that were put before an original, after checking that the original is all there."""
    own = original.turns[1:] if original.turns[0].role == "system" else original.turns
    assert asked.turns[-len(own) :] == own
    kept = len(original.turns) - len(own)
    assert asked.turns[:kept] == original.turns[:kept]
    return asked.turns[kept : len(asked.turns) - len(own)]


# ---------------------------------------------------------------- names


def test_names_lead_to_interventions_that_are_called_so() -> None:
    assert len(names()) == len(set(names())) > 20
    assert all(get(name).name == name for name in names())
    versioned = [get(name).versioned for name in names()]
    assert len(set(versioned)) == len(versioned)
    assert all(text.startswith(f"{name}@") for name, text in zip(names(), versioned, strict=True))


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("4:naive", "fewshot:4-naive"),
        ("4-paired", "fewshot:4-paired"),
        ("fewshot:100-biased", "fewshot:100-biased"),
        ("2-biased-drawn/post_hoc+suggested_answer/letter", "fewshot:2-biased-drawn/post_hoc+suggested_answer/letter"),
        ("prompted:ignore-user", "prompted:ignore-user"),
        ("rewrite:extract", "rewrite"),
    ],
)
def test_short_and_long_forms(short: str, name: str) -> None:
    assert get(short).name == name == get(name).name


@pytest.mark.parametrize(
    ("wrong", "close"),
    [
        ("fewshot:4-naif", "fewshot:4-naive"),
        ("fewshot:0-naive", "fewshot:"),
        ("prompted:ignored", "prompted:ignore"),
        ("rewrites", "rewrite"),
        ("fewshot:4-biased/post_hoq", "post_hoc"),
        ("", "Known"),
    ],
)
def test_unknown_names_are_refused_with_the_closest(wrong: str, close: str) -> None:
    with pytest.raises(UnknownName, match=close):
        get(wrong)


def test_values_that_cannot_be() -> None:
    for wrong in (lambda: Fewshot(0), lambda: Fewshot(2, "both"), lambda: Prompted("ignore", "front")):  # type: ignore[arg-type]
        with pytest.raises(BadInput):
            wrong()
    with pytest.raises(UnknownName, match="ignore"):
        Prompted("ignor")


def test_what_is_shown_is_not_held_out() -> None:
    assert all(proxy(2, arm).biases == ("suggested_answer", "suggested_against") for arm in ("biased", "paired"))
    silent = [proxy(2, "naive"), proxy(2, "repeated"), get("prompted:ignore"), get("rewrite")]
    assert all(how.biases == () for how in silent)


def test_versions_move_with_what_matters_alone() -> None:
    one = proxy()
    assert replace(one, recipe=Recipe(n=7, instruct=3, seed=5)).versioned == one.versioned
    others = [
        proxy(recipe=Recipe(temperature=0.5)),
        replace(one, questions=TRAIN[1:]),
        proxy(recipe=Recipe(biases=("post_hoc",))),
    ]
    assert len({how.versioned.partition("@")[2] for how in (one, *others)}) == 4


# ---------------------------------------------------------------- few-shot


@pytest.mark.parametrize("elicit", biasing.ONE_TURN)
@pytest.mark.parametrize("arm", ARMS)
def test_both_arms_stand_behind_the_same_shots_and_keep_question_and_cue(arm: Any, elicit: str) -> None:
    made = pairs(TESTED, BIASES, elicit=elicit)
    instead = put(proxy(3, arm), made)
    assert set(instead) == {prompt.id for prompt in prompts_of(made)}
    prefixes = {front(instead[prompt.id], prompt) for prompt in prompts_of(made)}
    (shots,) = prefixes
    times = 2 if arm in ("paired", "repeated") else 1
    assert [turn.role for turn in shots].count("assistant") == 3 * times
    assert shots[0].role == "user" and shots[-1].role == "assistant"
    assert all(a.role != b.role for a, b in pairwise(shots))
    for pair in made:
        clean, biased = instead[pair.clean.id], instead[pair.biased.id]
        assert biased.stripped() == clean.stripped() and biased.cue() == pair.biased.cue()
        assert clean.n_model_turns == 0 and biased.n_model_turns == pair.biased.n_model_turns


def test_shots_are_the_rows_that_would_be_trained_on(tmp_path: Path) -> None:
    made, model = pairs(TESTED, ["post_hoc"]), saying("guesses", guesses)
    recipe = Recipe(n=4, instruct=0, direct_share=0, max_tokens=1000, seed=7)
    rows = mixture(recipe, TRAIN, model)
    for arm, how in {"naive": Control(), "biased": Bct()}.items():
        instead = put(proxy(4, arm), made, seed=7, sampling=Sampling(folder=tmp_path))
        shots = front(instead[made.pairs[0].clean.id], made.pairs[0].clean)
        shown = {(shots[i].text(), shots[i + 1].text()) for i in range(0, len(shots), 2)}
        trained = [how.texts(row) for row in rows.examples]
        assert shown == {(texts.prompt[-1].content, texts.completions[0]) for texts in trained}
    kept = {(reply.text, reply.settings.temperature) for reply in ReplyStore(tmp_path / "replies.jsonl")}
    assert kept == {(row.completion, 1.0) for row in rows.examples}
    manifests = [read_manifest(path) for path in (tmp_path / "interventions").glob("*.jsonl")]
    assert len(manifests) == 2
    assert all(found and found["rows"] == 4 and "fewshot:4-" in found["intervention"] for found in manifests)


def test_paired_shows_both_prompts_and_repeated_the_clean_one_twice() -> None:
    made = pairs(TESTED, ["post_hoc"])
    shots = {
        arm: [turn.text() for turn in front(put(proxy(2, arm), made)[made.pairs[0].clean.id], made.pairs[0].clean)]
        for arm in ARMS
    }
    naive, biased = shots["naive"], shots["biased"]
    assert naive[1::2] == biased[1::2] and naive[::2] != biased[::2]
    assert shots["paired"] == naive[:2] + biased[:2] + naive[2:] + biased[2:]
    assert shots["repeated"] == naive[:2] + naive[:2] + naive[2:] + naive[2:]


def test_a_sweep_adds_shots_and_changes_none() -> None:
    made = pairs(TESTED, ["post_hoc"])
    one = made.pairs[0].biased
    found = [front(put(proxy(k), made)[one.id], one) for k in (1, 2, 4, 8, 16, 32)]
    assert [len(turns) for turns in found] == [2, 4, 8, 16, 32, 64]
    assert all(found[-1][: len(turns)] == turns for turns in found)
    assert sweep("paired", (1, 2)) == ("fewshot:1-paired", "fewshot:2-paired")


def test_no_tested_question_is_a_shot() -> None:
    made = pairs(TRAIN[:90], ["suggested_answer"])
    instead = put(proxy(10), made)
    shots = front(instead[made.pairs[0].clean.id], made.pairs[0].clean)
    asked = [turn.text() for turn in shots if turn.role == "user"]
    assert len(asked) == 10
    left = [question for question in TRAIN if any(text.startswith(question.stem) for text in asked)]
    assert len(left) == 10
    sources.check_overlap(left, [pair.question for pair in made])
    with pytest.raises(BadInput, match=r"n = 11 rows.* there are 10 questions"):
        put(proxy(11), made)


def test_shots_are_asked_as_the_prompts_are_and_the_worked_example_comes_once() -> None:
    made = pairs(TESTED[:4], ["post_hoc"], elicit="brief") + pairs(TESTED[:4], ["post_hoc"], elicit="direct")
    instead = put(proxy(5, recipe=Recipe(instructions="default")), made)
    for pair in made:
        shots = front(instead[pair.clean.id], pair.clean)
        example = worked_example(pair.clean.turns)
        assert bool(example) == pair.elicit.startswith("brief")
        instruction = (pair.clean.turns[-1].parts or ())[-1].text
        assert all(turn.text().endswith(instruction) for turn in shots[::2])
        assert not {turn.text() for turn in example} & {turn.text() for turn in shots}


def test_each_question_can_have_shots_of_its_own_and_both_arms_share_them() -> None:
    made = pairs(TESTED, ["suggested_answer", "post_hoc"])
    more = pairs([replace(q, options=q.options[::-1], id="") for q in TESTED], ["post_hoc"])
    instead = put(proxy(3, drawn=True), made + more)
    fronts = {prompt.id: front(instead[prompt.id], prompt) for prompt in prompts_of(made + more)}
    assert all(fronts[pair.clean.id] == fronts[pair.biased.id] for pair in made)
    assert len({fronts[pair.clean.id] for pair in made}) > 15
    turned = dict(zip((q.id for q in TESTED), more.pairs, strict=True))
    assert all(fronts[pair.clean.id] == fronts[turned[pair.question.id].clean.id] for pair in made)
    assert put(proxy(3, drawn=True), made) == {key: instead[key] for key in (prompt.id for prompt in prompts_of(made))}


def test_a_bias_is_left_out_of_the_shots_it_is_measured_behind() -> None:
    how = proxy(4, "biased", recipe=Recipe(biases=("suggested_answer", "post_hoc", "distractor_fact")))
    left = how.without("post_hoc")
    assert left.biases == ("suggested_answer", "distractor_fact") and "post_hoc" not in left.name
    with pytest.raises(BadInput, match="no bias is left"):
        left.without("suggested_answer", "distractor_fact/whatever")
    made = leave_one_out(how.recipe.biases, 4)
    assert made["post_hoc"] == "fewshot:4-biased/suggested_answer+distractor_fact" == get(made["post_hoc"]).name


@pytest.mark.parametrize("bias", ["are_you_sure", "reward_history"])
def test_biases_that_are_no_turns_of_user_and_assistant_are_no_shots(bias: str) -> None:
    with pytest.raises(BadInput, match=f"{bias} cannot be (shown|trained)"):
        put(proxy(2, "biased", recipe=Recipe(biases=(bias,))), pairs(TESTED[:2], ["post_hoc"]))


def test_a_reply_that_was_cut_is_no_shot() -> None:
    made = pairs(TESTED[:3], ["post_hoc"])

    def half(messages: tuple[Message, ...]) -> str:
        return guesses(messages) + CUT * ("plus 3" in messages[-1].content or "plus 5" in messages[-1].content)

    instead = proxy(6).apply(made.pairs, saying("half", half)).prompts
    shots = front(instead[made.pairs[0].clean.id], made.pairs[0].clean)
    assert len(shots) == 12 and not any("plus 3" in turn.text() or "plus 5" in turn.text() for turn in shots)
    with pytest.raises(
        BadInput, match=r"replies \d+ were not whole or not kept \(of all replies so far: \d+ × was cut\)"
    ):
        proxy(6).apply(made.pairs, saying("never", lambda messages: CUT))


def everything() -> str:
    """A digest of every prompt of two interventions, to the letter."""
    made = pairs(TESTED[:5], BIASES)
    found = [put(how, made, seed=3).items() for how in (proxy(4, "paired"), proxy(4, drawn=True))]
    return digest([[key, [[t.role, t.text()] for t in prompt.turns]] for items in found for key, prompt in items])


def test_another_process_makes_the_same_prompts_byte_by_byte() -> None:
    assert elsewhere(everything) == everything()


# ---------------------------------------------------------------- prompted


def test_system_prompts_are_ours_and_speak_of_no_option() -> None:
    texts = bank("system_prompts").entries
    assert len(texts) >= 4
    for wording in ("ignore", "explain", "polite"):
        assert f"prompted:{wording}" in names()


@pytest.mark.parametrize("place", ["system", "user"])
def test_a_prompted_baseline_says_one_thing_before_both_arms(place: Any) -> None:
    made = pairs(TESTED, BIASES, elicit="brief")
    how = Prompted("ignore", place)
    instead = put(how, made)
    text = next(entry for entry in bank("system_prompts").entries if entry.startswith("ignore: "))[8:]
    for pair in made:
        clean, biased = instead[pair.clean.id], instead[pair.biased.id]
        assert biased.stripped() == clean.stripped() and biased.cue() == pair.biased.cue()
        for asked, original in ((clean, pair.clean), (biased, pair.biased)):
            role = next(turn for turn in asked.turns if text in turn.text()).role
            assert role == place and sum(turn.role == "system" for turn in asked.turns) <= 1
            said = "".join(turn.text() for turn in asked.turns)
            assert said.replace(f"{text}\n\n", "").replace(text, "") == "".join(t.text() for t in original.turns)


# ---------------------------------------------------------------- does it fit


def test_a_prompt_that_does_not_fit_a_hosted_model_warns(caplog: pytest.LogCaptureFixture) -> None:
    long = Prompt((Turn("user", (Part("stem", "word " * 8000),)),))
    hosted = Session(Subject("openai/gpt-4", "", "openai/gpt-4", {}))
    with caplog.at_level(logging.WARNING):
        check_fit([long, pairs(TESTED[:1], ["post_hoc"]).pairs[0].clean], hosted, Settings(), advice="Take less.")
    assert "1 of 2 prompts do not fit openai/gpt-4" in caplog.text and "Take less." in caplog.text


class Counted:
    """Stands for weights whose tokenizer takes a word for a token."""

    context = 8192

    def encode(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
        return tuple(range(sum(len(message.content.split()) for message in messages)))


def refused_where_too_long(local: Session) -> None:
    prompts = [Prompt((Turn("user", (Part("stem", "word " * n),)),)) for n in (10, 2000, 9000)]
    with pytest.raises(BadInput, match=r"1 of 3 prompts do not fit .* 8192 tokens\. Take less\."):
        check_fit(prompts, local, Settings(), advice="Take less.")
    spoken = Prompt((*prompts[0].turns, Turn("assistant", None), *prompts[0].turns))
    check_fit([*prompts[:2], spoken], local, Settings(max_tokens=4000), advice="")
    with pytest.raises(BadInput, match="1 of 1"):
        check_fit([spoken], local, Settings(max_tokens=4096), advice="")


def test_prompts_that_do_not_fit_a_local_model_are_refused_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unsway.sampling.context.local_weights", lambda name: Counted())
    local = Session(Subject("unsway/toy", "w", "unsway/toy", {}))
    refused_where_too_long(local)
    many = PairSet(tuple(pairs(TESTED[:3], ["post_hoc"])))
    with pytest.raises(BadInput, match=r"6 of 6 prompts do not fit .* allow shorter replies"):
        Prompted("ignore").apply(many.pairs, local, Sampling(Settings(max_tokens=8192)))


def test_a_template_without_system_turns_is_said_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoSystem(Counted):
        def encode(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
            if messages[0].role == "system":
                raise TemplateError("System role not supported")
            return super().encode(messages)

    monkeypatch.setattr("unsway.sampling.context.local_weights", lambda name: NoSystem())
    local, made = Session(Subject("unsway/toy", "w", "unsway/toy", {})), pairs(TESTED[:3], ["post_hoc"])
    with pytest.raises(BadInput, match=r"System role not supported\. Put .*prompted:WORDING-user"):
        get("prompted:ignore").apply(made.pairs, local)
    assert len(get("prompted:ignore-user").apply(made.pairs, local).prompts) == 6


# ---------------------------------------------------------------- end to end


@pytest.mark.parametrize("name", ["fewshot:2-biased", "prompted:ignore"])
def test_a_known_reduction_is_found(name: str, tmp_path: Path) -> None:
    made = pairs(toy_questions(140)[100:], ["suggested_answer"])
    model = saying(f"swayed-{name}", swayed(made, 0.8, shown=0.3))
    how = replace(get(name), questions=TRAIN) if name.startswith("fewshot") else get(name)
    (base,) = cells(outcomes(made, run(made, model, folder=tmp_path)), level=0.999)
    (changed,) = cells(outcomes(made, measured(made, how, model, tmp_path)), level=0.999)
    for cell, known in ((base, 0.8), (changed, 0.3)):
        assert cell["brr"].low is not None and cell["brr"].high is not None
        assert cell["brr"].low <= known <= cell["brr"].high
        assert cell["brr"].n == 40


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.filterwarnings("default")  # torch's and transformers' own
@pytest.mark.skipif(assets.folder_of("smollm2-135m") is None, reason="`make assets` fetches the embedded model")
def test_the_embedded_model_is_asked_behind_shots_and_rewrites(tmp_path: Path) -> None:
    questions = sources.load("common_knowledge", n=1)
    made = pairs(questions, ["suggested_answer"], elicit="brief")
    short = Settings(max_tokens=24)
    with session("unsway/smollm2-135m") as model:
        refused_where_too_long(model)
        for name in ("fewshot:1-paired", "rewrite"):
            instead = get(name).apply(made.pairs, model, Sampling(short, folder=tmp_path))
            assert len(instead.prompts) + len(instead.missing) == len({p.id for p in prompts_of(made)})
            replies = ask(instead.prompts.values(), model, folder=tmp_path, settings=short)
            assert len(replies) == len({asked.id for asked in instead.prompts.values()})
