"""Rows as others write them: every layout becomes the same example, and nothing that matters is silently lost."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import example, loads_torch, real
from unsway.backends import backend
from unsway.data.foreign import read_examples
from unsway.data.formats import export, write_rows
from unsway.errors import BadInput, BadRow
from unsway.store import read_jsonl, write_jsonl
from unsway.training import Bct, Control, Dpo, fit
from unsway.types import Example, Part, Prompt, Turn


def rows_of(folder: Path, *rows: dict[str, Any]) -> tuple[Example, ...]:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_examples(path)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def model(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


ASKED, SYSTEM = [user("Ash or oak?")], {"role": "system", "content": "Be brief."}
PROMPT = Prompt((Turn("user", (Part("stem", "Ash or oak?"),)),))
WITH_SYSTEM = Prompt((Turn("system", (Part("stem", "Be brief."),)), *PROMPT.turns))
CHAT = Example(PROMPT, None, "Oak.", None, (), "instruct", None, "")
PREFERENCE = Example(PROMPT, None, "Oak.", None, (), "instruct", None, "", "Ash.")

CHATS: dict[str, dict[str, Any]] = {
    "openai": {"messages": [*ASKED, model("Oak.")]},
    "openai parts": {"messages": [user([{"type": "text", "text": "Ash or oak?"}]), model("Oak.")]},  # type: ignore[arg-type]
    "trl": {"prompt": ASKED, "completion": [model("Oak.")]},
    "trl plain": {"prompt": "Ash or oak?", "completion": "Oak."},
    "a chat that repeats its prompt": {"prompt": "Ash or oak?", "messages": [*ASKED, model("Oak.")]},
    "sharegpt": {"conversations": [{"from": "human", "value": "Ash or oak?"}, {"from": "gpt", "value": "Oak."}]},
    "sharegpt, openai's names": {"conversations": [*ASKED, model("Oak.")], "id": 3},
    "alpaca": {"instruction": "Ash or oak?", "input": "", "output": "Oak."},
}
PREFERENCES: dict[str, dict[str, Any]] = {
    "trl": {"prompt": ASKED, "chosen": [model("Oak.")], "rejected": [model("Ash.")]},
    "trl plain": {"prompt": "Ash or oak?", "chosen": "Oak.", "rejected": "Ash."},
    "trl implicit": {"chosen": [*ASKED, model("Oak.")], "rejected": [*ASKED, model("Ash.")]},
    "prompt and whole chats": {
        "prompt": "Ash or oak?",
        "chosen": [*ASKED, model("Oak.")],
        "rejected": [*ASKED, model("Ash.")],
    },
    "openai": {
        "input": {"messages": ASKED},
        "preferred_output": [model("Oak.")],
        "non_preferred_output": [model("Ash.")],
    },
    "sharegpt": {
        "conversations": [{"from": "human", "value": "Ash or oak?"}],
        "chosen": {"from": "gpt", "value": "Oak."},
        "rejected": {"from": "gpt", "value": "Ash."},
    },
}


@pytest.mark.parametrize("layout", CHATS)
def test_a_chat_in_any_layout_is_the_same_example(layout: str, tmp_path: Path) -> None:
    assert rows_of(tmp_path, CHATS[layout]) == (CHAT,)


@pytest.mark.parametrize("layout", PREFERENCES)
def test_a_preference_in_any_layout_is_the_same_example(layout: str, tmp_path: Path) -> None:
    assert rows_of(tmp_path, PREFERENCES[layout]) == (PREFERENCE,)


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": CHATS["sharegpt"]["conversations"], "system": "Be brief."},
        {"conversations": [{"from": "system", "value": "Be brief."}, *CHATS["sharegpt"]["conversations"]]},
        {"messages": [SYSTEM, *ASKED, model("Oak.")]},
        {"messages": [{"role": "developer", "content": "Be brief."}, *ASKED, model("Oak.")]},
        {"instruction": "Ash or oak?", "output": "Oak.", "system": "Be brief."},
    ],
)
def test_a_system_turn_is_kept_wherever_it_stands(row: dict[str, Any], tmp_path: Path) -> None:
    assert rows_of(tmp_path, row)[0].clean == WITH_SYSTEM


# ---------------------------------------------------------------- weights


@pytest.mark.parametrize("zero", [{"weight": 0}, {"weight": 0.0}, {"train": False}, {"loss": False}])
def test_rows_without_loss_are_left_out_and_counted(
    zero: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"messages": [*ASKED, model("Oak.")]}
    found = rows_of(tmp_path, good, {"messages": [*ASKED, model("Ash.", **zero)]}, good, good | zero)
    assert found == (CHAT, CHAT)
    assert "2 of 4 rows" in caplog.text and "weight 0" in caplog.text and "lines 2, 4" in caplog.text
    with pytest.raises(BadInput, match=r"All 2 rows .* have weight 0"):
        rows_of(tmp_path, good | zero, {"messages": [*ASKED, model("Ash.", **zero)]})


def test_loss_falls_on_the_turn_that_has_the_weight(tmp_path: Path) -> None:
    early = {"messages": [*ASKED, model("Oak.", weight=1), user("Sure?"), model("Ash.", weight=0)]}
    late = {"messages": [*ASKED, model("Ash.", weight=0), user("Sure?"), model("Oak.")]}
    first, second = rows_of(tmp_path, early, late)
    assert first == CHAT
    assert second.completion == "Oak." and [turn.text() for turn in second.clean.turns] == [
        "Ash or oak?",
        "Ash.",
        "Sure?",
    ]


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ({"messages": [*ASKED, model("a"), user("b"), model("c", weight=1)]}, "messages", "loss on turns 2 and 4"),
        ({"messages": [*ASKED, model("a", weight=0.5)]}, "messages.1.weight", "is '0.5'; a weight is 0 or 1"),
        ({"messages": [*ASKED, model("a")], "weight": 2}, "weight", "is '2'; a weight is 0 or 1"),
        ({"prompt": "a", "chosen": "b", "rejected": "c", "weight": 0.1}, "weight", "is '0.1'"),
        ({"messages": [*ASKED, model("a")], "tools": [{"type": "function"}]}, "tools", "holds tools"),
        ({"messages": [*ASKED, model("a", tool_calls=[{"id": 1}])]}, "messages.1.tool_calls", "holds tools"),
        ({"messages": [*ASKED, model("a")], "images": ["x.png"]}, "images", "holds more than text"),
        ({"messages": [user([{"type": "image_url"}]), model("a")]}, "messages.0.content", "must be text, is"),  # type: ignore[arg-type]
        ({"prompt": "a", "completion": "b", "label": False}, "label", "shows what not to say"),
        ({"prompt": "a", "chosen": "b"}, "rejected", "is missing"),
        ({"chosen": "b", "rejected": "c"}, "prompt", "is missing"),
        ({"chosen": [user("a"), model("b")], "rejected": [user("x"), model("c")]}, "rejected", "goes apart"),
        ({"prompt": "a", "chosen": [user("b")], "rejected": "c"}, "chosen", "must end with a turn of the assistant"),
        ({"conversations": [{"from": "human", "value": "a"}]}, "conversations", "ends with a turn of the user"),
        ({"conversations": [{"from": "tool", "value": "a"}]}, "conversations.0.from", "is 'tool'; allowed"),
        ({"instruction": "a"}, "output", "is missing"),
    ],
)
def test_what_cannot_be_trained_on_as_it_stands_is_refused(
    row: dict[str, Any], field: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadRow, match=words) as refused:
        rows_of(tmp_path, {"messages": [*ASKED, model("Oak.")]}, row)
    assert refused.value.field == field and "line 2" in str(refused.value)


def test_a_thought_in_a_field_of_its_own_stands_before_the_reply(tmp_path: Path) -> None:
    kept = "<think>\nOaks are strong.\n</think>\n\nOak."
    for name in ("reasoning_content", "reasoning", "thinking"):
        row = {"messages": [*ASKED, model("Oak.", **{name: "Oaks are strong.\n"})]}
        assert rows_of(tmp_path, row)[0].completion == kept


# ---------------------------------------------------------------- our own rows, of every edition


OURS = tuple(example(i) for i in range(6))
PREFERRED = tuple(example(i, rejected="(D) as you say") for i in range(6))
CHAT_OF_OURS = Example(PROMPT, None, "Oak.", None, (), "instruct", None, "smollm2-135m")


@pytest.mark.parametrize("rows", [(*OURS, CHAT_OF_OURS), PREFERRED])
def test_our_rows_come_back_and_so_do_those_from_before_they_had_trls_columns(
    rows: tuple[Example, ...], tmp_path: Path
) -> None:
    path = write_rows(tmp_path / "new.jsonl", rows)
    assert read_examples(path) == rows
    assert read_examples(write_jsonl(tmp_path / "old.jsonl", rows)) == rows
    assert tuple(read_jsonl(tmp_path / "old.jsonl", Example)) == rows


def test_rows_of_the_first_edition_are_read_with_their_completion() -> None:
    folder = Path(__file__).parent / "data" / "first_edition" / "data"
    (path,) = folder.glob("*/bct.jsonl")
    found = read_examples(path)
    said = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row.completion for row in found] == [row["completion"] for row in said]
    assert [len(row.clean.turns) for row in found] == [len(row["messages"]) for row in said]


def test_a_prompt_that_was_changed_beside_its_parts_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", OURS)
    path.write_text(path.read_text().replace('"content":"I would say (D). ', '"content":"I would not say (D). ', 1))
    with pytest.raises(BadRow, match="differs from the parts") as refused:
        read_examples(path)
    assert refused.value.field == "prompt"


# ---------------------------------------------------------------- TRL reads the file as it stands


@real
@loads_torch
@pytest.mark.timeout(120)
def test_trl_trains_on_the_completion_of_a_file_of_ours(base: Path, tmp_path: Path) -> None:
    from datasets import load_dataset
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    data = load_dataset(
        "json", data_files=str(write_rows(tmp_path / "rows.jsonl", (*OURS, CHAT_OF_OURS))), split="train"
    )
    args = SFTConfig(output_dir=str(tmp_path / "sft"), report_to="none", use_cpu=True, max_steps=1, disable_tqdm=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    made = SFTTrainer(model=str(base), args=args, train_dataset=data, processing_class=tokenizer)
    for row, example_ in zip(made.train_dataset, (*OURS, CHAT_OF_OURS), strict=True):
        learnt = [token for token, label in zip(row["input_ids"], row["labels"], strict=True) if label != -100]
        unlearnt = row["input_ids"][: len(row["input_ids"]) - len(learnt)]
        assert tokenizer.decode(learnt).strip() == f"{example_.completion}<|im_end|>"
        shown = (example_.biased or example_.clean).messages()[-1].content
        assert f"{shown}<|im_end|>\n<|im_start|>assistant\n" in tokenizer.decode(unlearnt)
    made.train()


@real
@loads_torch
@pytest.mark.timeout(120)
def test_trl_prefers_by_a_file_of_ours(base: Path, tmp_path: Path) -> None:
    from datasets import load_dataset
    from transformers import AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    data = load_dataset("json", data_files=str(write_rows(tmp_path / "rows.jsonl", PREFERRED)), split="train")
    args = DPOConfig(output_dir=str(tmp_path / "dpo"), report_to="none", use_cpu=True, max_steps=1, disable_tqdm=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    made = DPOTrainer(model=str(base), args=args, train_dataset=data, processing_class=tokenizer)
    for row, ours in zip(made.train_dataset, PREFERRED, strict=True):
        assert tokenizer.decode(row["chosen_ids"]).strip() == f"{ours.completion}<|im_end|>"
        assert tokenizer.decode(row["rejected_ids"]).strip() == f"{ours.rejected}<|im_end|>"
    made.train()


@real
@loads_torch
@pytest.mark.timeout(120)
def test_files_of_others_train(base: Path, tmp_path: Path) -> None:
    for how, row in ((Dpo(), PREFERENCES["trl"]), (Bct(), CHATS["sharegpt"]), (Control(), CHATS["trl plain"])):
        path = tmp_path / f"{how.name}.jsonl"
        path.write_text((json.dumps(row) + "\n") * 4)
        made = fit(path, how, str(base), backend("local"), tmp_path / how.name)
        assert made.steps == 1


def test_an_export_for_trl_keeps_what_is_rejected(tmp_path: Path) -> None:
    lost = export(PREFERRED, tmp_path / "trl.jsonl", "trl")
    row = json.loads((tmp_path / "trl.jsonl").read_text().splitlines()[0])
    assert set(row) == {"prompt", "chosen", "rejected"} and not any("rejected" in line for line in lost)
    lost = export(PREFERRED, tmp_path / "clean.jsonl", "trl", "clean")
    row = json.loads((tmp_path / "clean.jsonl").read_text().splitlines()[0])
    assert set(row) == {"prompt", "completion"} and any("rejected replies are not kept" in line for line in lost)
    assert logging.getLogger("unsway") is not None
