"""The recipe to the letter: even shares, filters, tasks of one's own, and rounds that do not select."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from intervening import saying

from tests.openai_server import OpenAiServer, let_go
from unsway.biases.evidence import FORMS, evidence
from unsway.cli import main
from unsway.data import Recipe, all_but, mixture
from unsway.data.dealing import deal
from unsway.data.tasks import SETS, tasks
from unsway.errors import BadInput, UnknownName
from unsway.pairing import pairs
from unsway.prompts.render import letter
from unsway.readers.parse import read
from unsway.sampling import ask
from unsway.testing import scripted, toy_questions
from unsway.types import Message, Pair, Question, Toward

FOUR = ("suggested_answer", "suggested_against")


@cache
def known(questions: tuple[Question, ...]) -> tuple[Pair, ...]:
    """Every clean prompt of these questions, under every instruction that a recipe draws."""
    return tuple(
        pair
        for elicit in ("cot", "direct")
        for seed in (0, 5)
        for pair in pairs(questions, ["post_hoc"], elicit=elicit, aim="any", seed=seed, instructions="varied")
    )


def model_for(questions: tuple[Question, ...], **how: Any) -> Any:
    """A scripted model that knows them."""
    return scripted(known(questions), {}, **how)


def test_for_and_against_by_letter_and_quoted_are_exactly_even(tmp_path: Path) -> None:
    questions = toy_questions(120, split="train")
    mix = mixture(Recipe(n=80, biases=FOUR, instruct=0, seed=5), questions, model_for(questions), folder=tmp_path)
    shares = Counter((pair.elicit.partition("@")[0], pair.bias.partition("@")[0]) for pair in mix.pairs)
    cues = [f"{bias}/{form}" for bias in FOUR for form in ("letter", "quoted")]
    assert shares == {(elicit, cue): 10 for elicit in ("cot", "direct") for cue in cues}


def test_a_question_that_two_files_name_otherwise_has_one_row() -> None:
    questions = toy_questions(8, split="train")
    twins = [replace(question, id=f"q{i}", source="theirs.jsonl@1") for i, question in enumerate(questions)]
    with pytest.raises(BadInput, match="there are 8"):
        deal(Recipe(n=9, instruct=0), [*questions, *twins])


def test_biases_with_and_without_forms_have_equal_shares() -> None:
    cues = [cue.name for cue in Recipe(biases=(*FOUR, "post_hoc")).cues]
    assert Counter(cue.partition("/")[0] for cue in cues) == {
        "suggested_answer": 2,
        "suggested_against": 2,
        "post_hoc": 2,
    }
    assert [cue.name for cue in Recipe(biases=("suggested_answer/quoted",)).cues] == ["suggested_answer/quoted"]


@pytest.mark.parametrize(
    ("field", "wrong", "rule"),
    [
        ("n", 2.5, "a whole number"),
        ("instructions", "vared", "one of 'default', 'varied'"),
        ("temperature", "hot", "a finite number"),
        ("temperature", -1, "a number, 0"),
        ("max_tokens", 0, "a whole number of tokens, 1 or more"),
        ("exclude", "arc_easy", "a tuple, each entry text"),
        ("keep", "wrong", "one of 'all', 'right', 'disagree'"),
    ],
)
def test_a_recipe_refuses_what_a_field_cannot_be(field: str, wrong: Any, rule: str) -> None:
    with pytest.raises(BadInput, match=f"{field} is {wrong!r}; it is {rule}"):
        Recipe(**{field: wrong})  # type: ignore[misc]


def test_cut_replies_are_asked_anew_in_order_and_shares_stay_even(tmp_path: Path) -> None:
    questions = toy_questions(200, split="train")
    recipe = Recipe(n=40, biases=FOUR, instruct=0, seed=5)
    model = model_for(questions)
    generate, cut = model.api.generate, 0

    async def sometimes_cut(*args: Any, **kwargs: Any) -> Any:
        nonlocal cut
        output = await generate(*args, **kwargs)
        if hash_of(args, kwargs) % 3 == 0:
            output.choices[0].stop_reason, cut = "max_tokens", cut + 1
        return output

    model.api.generate = sometimes_cut
    mix = mixture(recipe, questions, model, folder=tmp_path)
    assert cut and mix.incomplete == cut
    assert set(Counter(pair.bias.partition("@")[0] for pair in mix.pairs).values()) == {10}
    smaller = mixture(Recipe(n=20, biases=FOUR, instruct=0, seed=5), questions, model, folder=tmp_path)
    first = {pair.id for pair in smaller.pairs}
    assert first < {pair.id for pair in mix.pairs}
    assert mixture(recipe, questions, model, folder=tmp_path) == mix


def test_replies_that_are_no_targets_are_counted_by_reason(tmp_path: Path) -> None:
    questions = toy_questions(60, split="train")
    model = model_for(questions)
    generate, asked = model.api.generate, Counter[str]()
    kinds = ("whole", "length", "thought", "empty", "filter", "unknown", "whole", "whole")

    async def odd(*args: Any, **kwargs: Any) -> Any:
        output = await generate(*args, **kwargs)
        kind = kinds[hash_of(args, kwargs) % len(kinds)]
        asked[kind] += 1
        stops = {"length": "max_tokens", "filter": "content_filter", "unknown": "unknown"}
        output.choices[0].stop_reason = stops.get(kind, "stop")
        texts = {"thought": f"<think>{output.completion}", "empty": " ", "filter": ""}
        output.completion = texts.get(kind, output.completion)
        output.choices[0].message.content = output.completion
        return output

    model.api.generate = odd
    made = mixture(Recipe(n=16, biases=FOUR, instruct=0, seed=5), questions, model, folder=tmp_path)
    assert min(asked[kind] for kind in kinds) > 0
    assert made.no_targets == {
        "was cut": asked["length"] + asked["thought"],
        "is empty": asked["empty"],
        "was held back by a filter": asked["filter"],
        "does not say how it ended": asked["unknown"],
    }
    assert made.incomplete == sum(asked.values()) - asked["whole"]
    manifest = json.loads(made.write(tmp_path).with_name("examples.jsonl.manifest.json").read_text())
    assert manifest["no_targets"] == made.no_targets
    with pytest.raises(BadInput, match=r"of all replies so far: \d+ × .*is empty.*if they are cut"):
        mixture(Recipe(n=60, biases=FOUR, instruct=0, seed=5), questions, model, folder=tmp_path)


def test_data_build_prints_why_replies_are_no_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "any")
    said = ("", "The best answer is: (A).")
    with OpenAiServer() as server:
        server.answer = lambda body: said[len(server.calls) % 2]
        words = ["data", "build", "openai-api/local/m", "-M", f"base_url={server.url}", "-M", "max_connections=1"]
        words += ["--questions", "procedural/dates", "-n", "6", "--out", str(tmp_path)]
        done = CliRunner().invoke(main, words, catch_exceptions=False)
    let_go()
    assert done.exit_code == 0 and "\n  " in done.output
    assert (
        f"Not used as targets: {len(server.calls) - 6} replies.\n  {len(server.calls) - 6} × is empty\n" in done.output
    )
    assert "2000" not in done.output


@pytest.mark.parametrize("cut", [0, 7])  # with and without other replies that are cut
def test_a_reply_that_changes_changes_its_own_row_and_no_other(tmp_path: Path, cut: int) -> None:
    questions = toy_questions(60, split="train")
    recipe = Recipe(n=24, biases=FOUR, instruct=8, seed=5, instruct_tasks=str(tmp_path / "tasks.jsonl"))
    tasks = [f"Name {i} birds." for i in range(36)]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps({"prompt": task}) + "\n" for task in tasks))

    def rows(folder: str, changed: str | None = None, what: str = "") -> list[tuple[str, str | None]]:
        model = model_for(questions)
        model.api.lines = Anything(dict(model.api.lines))
        generate = model.api.generate

        async def otherwise(*args: Any, **kwargs: Any) -> Any:
            output = await generate(*args, **kwargs)
            text = (kwargs.get("input") or args[0])[-1].text
            if (cut and sum(map(ord, text)) % cut == 0) or (what == "cut" and text == changed):
                output.choices[0].stop_reason = "max_tokens"
            if text == changed:
                output.completion = f"Otherwise: {output.completion}"
                output.choices[0].message.content = output.completion
            return output

        model.api.generate = otherwise
        made = mixture(recipe, questions, model, folder=tmp_path / folder)
        return [(row.clean.messages()[-1].content, row.completion) for row in made.examples]

    before = rows("before")
    assert len(before) == 32
    for what in ("cut", "changed"):
        for number in (1, 26):
            prompt, _ = before[number]
            after = rows(f"{what} {number}", prompt, what)
            moved = [i for i, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
            assert moved == [number] and (after[number][0] != prompt) == (what == "cut")


def test_where_questions_are_scarce_one_reply_that_is_cut_moves_few_rows(tmp_path: Path) -> None:
    questions = toy_questions(64, split="train")
    recipe = Recipe(n=48, biases=FOUR, instruct=0, seed=5)

    def rows(folder: str, cut: str) -> list[str]:
        model = model_for(questions)
        generate = model.api.generate

        async def sometimes_cut(*args: Any, **kwargs: Any) -> Any:
            output = await generate(*args, **kwargs)
            text = (kwargs.get("input") or args[0])[-1].text
            if sum(map(ord, text)) % 12 == 0 or text == cut:
                output.choices[0].stop_reason = "max_tokens"
            return output

        model.api.generate = sometimes_cut
        made = mixture(recipe, questions, model, folder=tmp_path / folder)
        return [row.clean.messages()[-1].content for row in made.examples]

    before = rows("before", "")
    moved = [sum(a != b for a, b in zip(before, rows(str(i), before[i]), strict=True)) for i in range(0, 48, 12)]
    assert min(moved) == 1 and max(moved) <= 3 and sum(moved) <= 1.5 * len(moved)


class Anything(dict[str, str]):
    """The replies of a scripted model, which says something of its own to any other prompt."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return "An apple, or a wren."


def test_questions_that_one_cue_does_not_need_serve_another(tmp_path: Path) -> None:
    questions = toy_questions(64, split="train")
    recipe = Recipe(n=36, biases=FOUR, instruct=0, seed=5)
    model = model_for(questions)
    generate = model.api.generate

    async def sometimes_cut(*args: Any, **kwargs: Any) -> Any:
        output = await generate(*args, **kwargs)
        if hash_of(args, kwargs) % 3 == 0:
            output.choices[0].stop_reason = "max_tokens"
        return output

    model.api.generate = sometimes_cut
    dealt = [each for kind in deal(recipe, questions) for each in kind]
    whole = [sum(sum(map(ord, pair.clean.turns[-1].text())) % 3 != 0 for pair in each.pairs) for each in dealt]
    assert any(n < each.n_rows for n, each in zip(whole, dealt, strict=True)), "no cue runs out of its own questions"
    mix = mixture(recipe, questions, model, folder=tmp_path)
    shares = Counter((pair.elicit.partition("@")[0], pair.bias.partition("@")[0]) for pair in mix.pairs)
    assert set(shares.values()) == {4, 5} and len({pair.question.id for pair in mix.pairs}) == 36
    assert mixture(recipe, questions, model, folder=tmp_path) == mix
    own = Recipe(n=8, biases=FOUR, instruct=0, seed=5)
    assert {pair.id for pair in mixture(own, questions, model, folder=tmp_path).pairs} < {pair.id for pair in mix.pairs}
    with pytest.raises(BadInput, match="questions are left for them"):
        mixture(Recipe(n=60, biases=FOUR, instruct=0, seed=5), questions, model, folder=tmp_path)


def test_questions_that_a_cue_cannot_be_put_to_serve_another(tmp_path: Path) -> None:
    questions = toy_questions(40, n_options=10, split="train")
    recipe = Recipe(n=28, biases=("always_same_letter", "post_hoc"), direct_share=0, instruct=0, seed=5)
    mix = mixture(recipe, questions, model_for(questions), folder=tmp_path)
    assert set(Counter(pair.bias.partition("@")[0] for pair in mix.pairs).values()) == {14}


def hash_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    messages = kwargs.get("input") or args[0]
    return sum(map(ord, messages[-1].text))


def test_filters_keep_what_they_say(tmp_path: Path) -> None:
    questions = toy_questions(160, split="train")
    model = model_for(questions, accuracy=0.5)

    def answers(keep: str) -> list[tuple[int | None, Any]]:
        recipe = Recipe(n=40, biases=FOUR, instruct=0, seed=5, keep=keep)  # type: ignore[arg-type]
        made = mixture(recipe, questions, model, folder=tmp_path)
        by_id = {pair.id: pair for pair in made.pairs}
        rows = [(row, by_id[row.pair_id or ""]) for row in made.examples]
        return [(read(row.completion, options=pair.question.options).choice, pair) for row, pair in rows]

    assert all(choice == pair.question.gold for choice, pair in answers("right"))
    assert all(choice != pair.target.option for choice, pair in answers("disagree"))
    found = [choice == pair.target.option for choice, pair in answers("all") if isinstance(pair.target, Toward)]
    assert any(found) and not all(found)


def test_instruct_tasks_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(
        '{"prompt": "Name a fruit."}\n{"messages": [{"role": "user", "content": "Name a bird."}], "x": 1}\n'
    )
    questions = toy_questions(40, split="train")
    model = model_for(questions)
    model.api.lines = Anything(dict(model.api.lines))
    recipe = Recipe(n=8, biases=FOUR, instruct=4, seed=5, instruct_tasks=str(path))
    mix = mixture(recipe, questions, model, folder=tmp_path / "out")
    tasks = [row for row in mix.examples if row.kind == "instruct"]
    assert {row.clean.messages()[0].content for row in tasks} == {"Name a fruit.", "Name a bird."} and len(tasks) == 4
    path.write_text('{"other": 1}\n')
    with pytest.raises(BadInput, match="a row must have a prompt"):
        mixture(recipe, questions, model, folder=tmp_path / "out")


def test_wrong_instruct_tasks_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    questions = toy_questions(40, split="train")
    recipe = Recipe(n=8, biases=FOUR, instruct=4, instruct_tasks="alpacca")
    with pytest.raises(BadInput, match=r"none of the sets \(alpaca, self_instruct\)"):
        mixture(recipe, questions, model_for(questions), folder=tmp_path)
    assert not (tmp_path / "replies.jsonl").exists()


def test_pinned_sets_of_tasks_are_read_as_their_authors_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path))
    alpaca = [{"instruction": "Add.", "input": "1 and 2", "output": "3"}, {"instruction": "Name a bird.", "input": ""}]
    made = {
        "alpaca": json.dumps(alpaca),
        "self_instruct": json.dumps({"instruction": "Compare.", "instances": [{"input": "a, b"}, {"input": "c, d"}]})
        + "\n",
    }
    for name, (asset, file) in SETS.items():
        path = tmp_path / asset / file
        path.parent.mkdir(parents=True)
        path.write_text(made[name])
    assert tasks("alpaca") == (("Add.\n\n1 and 2", "Name a bird."), "alpaca@1")
    assert tasks("self_instruct") == (("Compare.\n\na, b", "Compare.\n\nc, d"), "self_instruct@1")
    assert tasks("")[1].startswith("instruct_tasks@") and len(tasks("")[0]) > 50
    own = tmp_path / "own.json"
    for text, wrong in (("{", "Invalid JSON"), ('[{"prompt": 7}]', "0.prompt: Input should be a valid string")):
        own.write_text(text)
        with pytest.raises(BadInput, match=rf"own.json is no list of tasks \({wrong}"):
            tasks(str(own))


@pytest.mark.parametrize("bias", ["are_you_sure", "positional", "spurious_hindsight"])
def test_biases_whose_clean_reply_is_no_target_are_refused(bias: str) -> None:
    with pytest.raises(BadInput, match="cannot be trained on"):
        Recipe(biases=(bias,))


def test_an_elicitation_that_there_is_not_is_refused_at_once() -> None:
    with pytest.raises(UnknownName, match="cot"):
        Recipe(elicit="cott")


def test_all_but_one_trains_on_what_fits() -> None:
    recipe = Recipe(biases=all_but("post_hoc"))
    assert "post_hoc" not in [bias.name for bias in recipe.biases] and len(recipe.biases) >= 12


def test_the_verb_takes_exclusions_and_tests_for_overlap(tmp_path: Path) -> None:
    words = ["data", "build", "scripted/none", "--questions", "procedural/dates", "-n", "5", "--out", str(tmp_path)]
    found = CliRunner().invoke(main, [*words, "--test-questions", "procedural/dates"])
    assert (found.exit_code == 1 and "overlap" in found.output.lower()) or "same" in found.output
    found = CliRunner().invoke(main, [*words, "--exclude", "procedural/dates"])
    assert found.exit_code == 1 and "there are 0" in found.output


def test_rows_round_trip_as_json(tmp_path: Path) -> None:
    questions = toy_questions(40, split="train")
    mix = mixture(Recipe(n=8, biases=FOUR, instruct=0), questions, model_for(questions), folder=tmp_path)
    path = mix.write(tmp_path / "rows")
    said = [json.loads(line)["completion"] for line in path.read_text().splitlines()]
    assert said == [[{"role": "assistant", "content": r.completion}] for r in mix.examples]
    assert len(ask([pair.clean for pair in mix.pairs][:1], model_for(questions))) == 1


def test_evidence_rows_are_prompts_with_grounds_and_the_models_own_replies_that_follow_them(tmp_path: Path) -> None:
    recipe = Recipe(n=4, biases=FOUR, instruct=0, evidence=10, seed=5)
    right = {}
    for number, form in enumerate(FORMS):
        questions, given = evidence(form, 8 * len(range(number, 10, len(FORMS))), seed=5)
        for pair in pairs(questions, [given], elicit="cot", aim="gold", seed=5):
            right[pair.biased.messages()[-1].content, pair.biased.messages()[0].content] = pair.question.gold
    asked: Counter[tuple[Message, ...]] = Counter()

    def say(messages: tuple[Message, ...]) -> str:
        asked[messages] += 1
        gold = right.get((messages[-1].content, messages[0].content))
        option = 0 if gold is None else gold if asked[messages] > 1 or len(messages) > 1 else (gold + 1) % 4
        return f"Try {asked[messages]}. The best answer is: ({letter(option)})."

    mix = mixture(recipe, toy_questions(40, split="train"), saying("evidence", say), folder=tmp_path)
    rows = [row for row in mix.examples if row.kind == "instruct"]
    sources = Counter(one.source.partition("@")[0] for one in mix.provenance)
    forms = {"evidence/records": 3, "evidence/premises": 3, "evidence/steps": 2, "evidence/labels": 2}
    assert len(rows) == 10 and sources == {"toy": 4, **forms}
    assert all(row.biased is None and row.target is None and row.clean.cue() for row in rows)
    for row in rows:  # a correction stands in a later turn, and is followed at once; the others are asked a second time
        messages = row.clean.messages()
        gold = right[messages[-1].content, messages[0].content]
        assert gold is not None
        assert row.completion == f"Try {1 if len(messages) > 1 else 2}. The best answer is: ({letter(gold)})."
    with pytest.raises(BadInput, match="evidence = -1"):
        Recipe(evidence=-1)


def test_a_model_that_never_follows_grounds_gives_no_evidence_rows(tmp_path: Path) -> None:
    recipe = Recipe(n=4, biases=FOUR, instruct=0, evidence=10, seed=5)
    silent = saying("silent", lambda messages: "That may be so.")
    with pytest.raises(
        BadInput, match="3 evidence rows of document are wanted, but only 0 of 24 prompts have a whole reply"
    ):
        mixture(recipe, toy_questions(40, split="train"), silent, folder=tmp_path)
