"""A cue in a system turn: both sides differ by the cue alone, also where the chat template has a system prompt of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import unsway as us
from tests.tiny import loads_torch, real, tiny_model
from unsway.data import Recipe, mixture
from unsway.data.preferences import preferences
from unsway.errors import BadInput
from unsway.models.session import LOCAL
from unsway.models.weights import locate
from unsway.sampling import run
from unsway.sampling.context import beside_default_system
from unsway.stats.outcomes import outcomes
from unsway.store import replies_in
from unsway.testing import scripted, toy_questions
from unsway.training.alignment import align
from unsway.types import Message, Settings

PAIRS = us.pairs(toy_questions(3), ["reward_history", "suggested_answer"])
PLAIN = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"


pytestmark = pytest.mark.usefixtures("torch_first")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model", context=2048)


def with_template(tiny: Path, folder: Path, template: str) -> Path:
    folder.mkdir()
    for file in tiny.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "chat_template.jinja").write_text(template)
    return folder


@real
@loads_torch
def test_the_cue_stands_behind_the_system_prompt_of_the_template(tiny: Path, tmp_path: Path) -> None:
    weights = locate(str(tiny))
    assert weights.default_system == "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    found = us.measure(str(tiny), PAIRS, folder=tmp_path, settings=Settings(max_tokens=4))
    asked = beside_default_system(PAIRS, locate(str(tiny)))
    rewards = [pair for pair in PAIRS if pair.bias.startswith("reward_history")]
    assert set(asked) == {pair.biased.id for pair in rewards}
    for pair in rewards:
        whole, cue = asked[pair.biased.id], pair.biased.turns[0].text()
        rendered = weights.rendered(whole.messages())
        assert rendered.replace(f"\n\n{cue}", "") == weights.rendered(pair.clean.messages())
        assert whole.stripped() != pair.biased and whole.turns[0].text().endswith(cue)
        reply = found.reply(found.arms[0].key, pair.biased)
        assert reply is not None and reply.prompt_id == whole.id
    kept = {reply.prompt_id for reply in replies_in(tmp_path / "replies.jsonl")}
    assert len(kept) == 9 and kept.isdisjoint({pair.biased.id for pair in rewards})
    again = us.measure(str(tiny), PAIRS, folder=tmp_path, settings=Settings(max_tokens=4))
    assert again.outcomes == found.outcomes and len(found.outcomes) == 6
    assert len(list(replies_in(tmp_path / "replies.jsonl"))) == 9


@real
@loads_torch
def test_under_a_system_prompt_of_ones_own_nothing_is_added(tiny: Path, tmp_path: Path) -> None:
    us.measure(str(tiny), PAIRS, folder=tmp_path, intervention="prompted:ignore", settings=Settings(max_tokens=4))
    rows = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text().splitlines()]
    assert len(rows) == 9
    logged = "".join(path.name for path in (tmp_path / "logs").iterdir())
    assert logged and "SmolLM" not in (tmp_path / "pairs.jsonl").read_text()


@real
@loads_torch
@pytest.mark.parametrize(
    ("template", "default"),
    [
        (PLAIN, ""),
        (
            "<system>{% if messages[0].role == 'system' %}{{ messages[0].content }}{% set messages = messages[1:] %}"
            "{% else %}Be kind.{% endif %}" + PLAIN,
            "Be kind.",
        ),
    ],
)
def test_templates_with_and_without_a_system_prompt(tiny: Path, tmp_path: Path, template: str, default: str) -> None:
    folder = with_template(tiny, tmp_path / "model", template)
    assert locate(str(folder)).default_system == default
    assert len(beside_default_system(PAIRS, locate(str(folder)))) == (3 if default else 0)


@real
@loads_torch
def test_a_template_that_leaves_out_more_is_refused(tiny: Path, tmp_path: Path) -> None:
    odd = with_template(tiny, tmp_path / "odd", "{% if messages[0].role != 'system' %}Be kind. {% endif %}" + PLAIN)
    assert locate(str(odd)).rendered((Message("user", "x"),)) == "Be kind. <user>x<assistant>"
    with pytest.raises(
        BadInput,
        match=r"reward_history@\S+ is a system turn.*'<system>.*where it writes 'Be kind\. .*otherwise.*Leave the bias out",
    ):
        us.measure(str(odd), PAIRS, folder=tmp_path / "out", settings=Settings(max_tokens=4))
    assert json.loads((tmp_path / "out" / "arms.json").read_text())["arms"] == []


@real
@loads_torch
def test_inspects_own_command_puts_it_there_too(tiny: Path, tmp_path: Path) -> None:
    from inspect_ai import eval as inspect_eval

    from unsway.evals.tasks import bias

    task = bias("reward_history", "procedural/dates", n=2)
    (log,) = inspect_eval(task, model=f"unsway/{tiny}", max_tokens=4, log_dir=str(tmp_path / "logs"), display="none")
    assert log.samples is not None
    first = [sample.messages[0] for sample in log.samples]
    cued = [message.text for message in first if message.role == "system"]
    assert len(first) == 4 and len(cued) == 2
    assert all(text.startswith(f"{locate(str(tiny)).default_system}\n\n") for text in cued)


@real
@loads_torch
def test_training_rows_have_it_too(tiny: Path, tmp_path: Path) -> None:
    """Written by a model of random weights that ends its replies soon, because every second token ends them."""
    folder = with_template(tiny, tmp_path / "brief", (tiny / "chat_template.jinja").read_text())
    ends = json.loads((folder / "config.json").read_text())["eos_token_id"]
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [ends, *range(0, 400, 2)]}))
    recipe = Recipe(n=2, direct_share=0.0, biases=("reward_history",), instruct=0, max_tokens=30)
    rows = mixture(recipe, toy_questions(80, split="train"), str(folder)).examples
    assert len(rows) == 2
    for row in rows:
        assert row.biased and row.biased.turns[0].text().startswith(f"{locate(str(folder)).default_system}\n\n")
        assert row.biased.stripped() == row.clean.stripped()
        weights = locate(str(folder))
        compared, n = align(weights, row.clean, row.biased), len(weights.encode(row.clean.messages()))
        assert [a for a, _ in compared] == list(range(24, n))  # all behind the template's own system turn


@real
@loads_torch
def test_preferences_have_the_prompt_that_was_asked(tiny: Path) -> None:
    asked = us.pairs(toy_questions(8), ["reward_history"])
    own = f"{LOCAL}{tiny}"
    said = [replace(reply, model=own) for reply in run(asked, scripted(asked, {"reward_history": 1.0}, accuracy=1.0))]
    found = preferences(asked, said, outcomes(asked, said))
    assert len(found.rows) == 8
    default = locate(str(tiny)).default_system
    assert all(row.biased and row.biased.turns[0].text().startswith(f"{default}\n\n") for row in found.rows)
    assert all(row.biased and row.biased.stripped() == row.clean.stripped() for row in found.rows)
