"""Other people's files: names, words, what providers and harnesses write, numbers that count from 1, thoughts."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unsway.cli import main
from unsway.errors import BadInput, UnknownName, UnswayError
from unsway.importing.bodies import Description
from unsway.importing.replies import Imported, load
from unsway.sources.files.options import choices_of
from unsway.types import AnyChange, AwayFrom, Reply, Toward

METALS = ["iron", "sulfur", "neon"]
ROW = {
    "question_id": "m1",
    "options": METALS,
    "gold": "A",
    "target": "B",
    "bias": "post_hoc",
    "arm": "biased",
    "model": "toy-7b",
    "reply": "It is sulfur, (B).",
}


def write(folder: Path, *rows: Any, name: str = "theirs.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def one(path: Path | list[Path], about: Description | None = None, **options: Any) -> Reply:
    (reply,) = load(path, about or Description(), **options).replies
    return reply


def both(**changed: Any) -> list[dict[str, Any]]:
    """A clean and a biased row of one question."""
    return [ROW | {"arm": "clean", "reply": "Iron, so (A)."} | changed, ROW | changed]


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("STOP", "end"),
        ("FinishReason.STOP", "end"),
        ("end_turn", "end"),
        ("stop_sequence", "end"),
        ("COMPLETE", "end"),
        ("eos_token", "end"),
        ("MAX_TOKENS", "length"),
        ("max_new_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("SAFETY", "filter"),
        ("refusal", "filter"),
        ("guardrail_intervened", "filter"),
        ("PROHIBITED_CONTENT", "filter"),
        ("tool_calls", "unknown"),
        ("abort", "unknown"),
        ("the cat", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        (3, "unknown"),
    ],
)
def test_stop_words_of_providers(tmp_path: Path, word: object, stop: str) -> None:
    assert one(write(tmp_path, ROW | {"stop": word})).stop == stop
    theirs = {key: value for key, value in ROW.items() if key != "stop"} | {"finish_reason": word}
    assert one(write(tmp_path, theirs)).stop == stop


@pytest.mark.parametrize(
    ("name", "clean", "biased"),
    [
        ("arm", "control", "treatment"),
        ("condition", "Baseline", "Hinted"),
        ("side", "no_cue", "with-cue"),
        ("variant", "unbiased", "biased"),
        ("is_biased", False, True),
        ("biased", 0, 1),
        ("perturbed", "no", "yes"),
        ("hinted", "false", "true"),
    ],
)
def test_words_for_the_two_sides(tmp_path: Path, name: str, clean: object, biased: object) -> None:
    rows = [{key: value for key, value in row.items() if key != "arm"} for row in both()]
    found = load(write(tmp_path, rows[0] | {name: clean}, rows[1] | {name: biased}))
    (pair,) = found.pairs
    assert {reply.prompt_id: reply.text for reply in found.replies} == {
        pair.clean.id: "Iron, so (A).",
        pair.biased.id: "It is sulfur, (B).",
    }


def test_without_a_side_the_bias_tells_it(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "arm"} for row in both()]
    for none in (None, "", "none", "unbiased"):
        found = load(write(tmp_path, rows[0] | {"bias": none}, rows[1]))
        assert len(found.pairs) == 1 and len(found.replies) == 2
    with pytest.raises(BadInput, match="No row has arm"):
        load(write(tmp_path, *({key: value for key, value in row.items() if key != "bias"} for row in rows)))


def test_names_that_others_use(tmp_path: Path) -> None:
    theirs = {
        "Example ID": 7,
        "choices": METALS,
        "ground-truth": "iron",
        "biased_option": "sulfur",
        "bias_type": "post_hoc",
        "Condition": "treatment",
        "model_name": "toy-7b",
        "Completion": "(B)",
        "finishReason": "STOP",
        "dataset": "metals",
        "thinking": "They say sulfur.",
        "epoch": 3,
    }
    found = load(write(tmp_path, theirs))
    (pair,), (reply,) = found.pairs, found.replies
    assert (pair.question.gold, pair.target, pair.bias, pair.question.source) == (
        0,
        Toward(1),
        "post_hoc@imported",
        "metals",
    )
    assert (reply.text, reply.stop, reply.reasoning, reply.sample) == ("(B)", "end", "They say sulfur.", 3)


def test_target_is_the_right_option_where_another_field_names_the_cue(tmp_path: Path) -> None:
    theirs = {key: value for key, value in ROW.items() if key not in ("gold", "target")} | {
        "target": "C",
        "hinted_option": "B",
    }
    (pair,) = load(write(tmp_path, theirs)).pairs
    assert (pair.question.gold, pair.target) == (2, Toward(1))


@pytest.mark.parametrize("none", [None, "", "N/A", "nan", -1, "-1", "None", "?", float("nan"), "unknown"])
def test_a_right_option_that_nobody_knows(tmp_path: Path, none: object) -> None:
    (pair,) = load(write(tmp_path, ROW | {"gold": none})).pairs
    assert pair.question.gold is None


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("(b)", Toward(1)),
        ("B. sulfur", Toward(1)),
        ("Sulfur", Toward(1)),
        ("not A", AwayFrom(0)),
        ("NOT iron", AwayFrom(0)),
        (None, AnyChange()),
        ("any change", AnyChange()),
    ],
)
def test_targets_as_letters_texts_and_any_other(tmp_path: Path, target: object, meant: object) -> None:
    (pair,) = load(write(tmp_path, ROW | {"target": target, "gold": "C"})).pairs
    assert pair.target == meant


# ---------------------------------------------------------------- what numbers count from


def columns(way: str) -> Description:
    return Description(columns=f"target=target:{way}")


def numbered(*rows: tuple[object, object]) -> list[dict[str, Any]]:
    return [ROW | {"question_id": f"n{i}", "gold": gold, "target": target} for i, (gold, target) in enumerate(rows)]


def test_numbers_that_never_are_0_are_asked_about(tmp_path: Path) -> None:
    path = write(tmp_path, *numbered((1, 2), (2, 1)))
    with pytest.raises(BadInput) as error:
        load(path)
    assert "1-based" in str(error.value) and "0-based" in str(error.value) and "option A" in str(error.value)
    one_based = load(path, Description(columns="gold=gold:1-based,target=target:1-based")).pairs
    assert [(pair.question.gold, pair.target) for pair in one_based] == [(0, Toward(1)), (1, Toward(0))]
    zero_based = load(path, Description(columns="gold=gold:0-based,target=target:0-based")).pairs
    assert [(pair.question.gold, pair.target) for pair in zero_based] == [(1, Toward(2)), (2, Toward(1))]


def test_one_0_or_one_last_option_decides_for_the_file(tmp_path: Path) -> None:
    last = load(write(tmp_path, *numbered((1, 2), (3, 2)))).pairs
    assert [pair.question.gold for pair in last] == [0, 2]
    zero = load(write(tmp_path, *numbered((1, 2), (2, "0")))).pairs
    assert [(pair.question.gold, pair.target) for pair in zero] == [(1, Toward(2)), (2, Toward(0))]
    with pytest.raises(BadInput, match="line 2, field 'gold': is 3"):
        load(write(tmp_path, *numbered((0, 1), (3, 2))))


def test_a_number_that_is_also_a_text_is_refused_with_both_readings(tmp_path: Path) -> None:
    path = write(tmp_path, *numbered(("A", 2), ("B", 0)), ROW | {"options": ["1", "2", "3"], "gold": "C", "target": 1})
    with pytest.raises(BadInput, match="the text of option A and the number of option B"):
        load(path)
    for way, option in (("text", 0), ("0-based", 1), ("1-based", 0)):
        (pair,) = load(
            write(tmp_path, ROW | {"options": ["1", "2", "3"], "gold": "C", "target": 1}), columns(way)
        ).pairs
        assert pair.target == Toward(option)


# ---------------------------------------------------------------- files


def test_tables_arrays_and_packed_files(tmp_path: Path) -> None:
    rows = [{**row, "options": json.dumps(METALS), "sample": n % 2} for n, row in enumerate([*both(), *both(sample=1)])]
    rows = [row | {"sample": n // 2} for n, row in enumerate(rows)]
    expected = {(reply.text, reply.sample) for reply in load(write(tmp_path, *rows)).replies}
    assert len(expected) == 4
    for separator, ending in ((",", "csv"), ("\t", "tsv"), (";", "csv")):
        text = io.StringIO()
        table = csv.DictWriter(text, list(rows[0]), delimiter=separator)
        table.writeheader()
        table.writerows(rows)
        path = tmp_path / f"table.{ending}"
        path.write_text("\ufeff" + text.getvalue(), encoding="utf-8")
        assert {(reply.text, reply.sample) for reply in load(path).replies} == expected
    (tmp_path / "array.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "array.json.gz").write_bytes(gzip.compress(json.dumps(rows, indent=1).encode()))
    for name in ("array.json", "array.json.gz"):
        assert {(reply.text, reply.sample) for reply in load(tmp_path / name).replies} == expected


def test_parquet(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.Table.from_pylist(both()), tmp_path / "theirs.parquet")
    assert len(load(tmp_path / "theirs.parquet").replies) == 2


def test_empty_cells_are_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "id,n_options,answer,cue_answer,bias,llm,condition,output,stop_reason\n"
        "q1,4,,B,post_hoc,toy,control,(A),\nq1,4,,B,post_hoc,toy,treatment,(B),length\n"
    )
    found = load(path)
    assert found.pairs[0].question.gold is None and [reply.stop for reply in found.replies] == ["end", "length"]


@pytest.mark.parametrize("name", ["reply", "model_output", "said"])
@pytest.mark.parametrize("none", ["", "null", "NaN", "NA", "<NA>", "  "])
def test_a_cell_of_a_table_without_a_reply_is_a_missing_reply(tmp_path: Path, none: str, name: str) -> None:
    path, columns = tmp_path / "t.csv", "reply=said" if name == "said" else ""
    path.write_text(
        f"id,n_options,answer,cue_answer,bias,llm,condition,{name}\n"
        f"q1,4,A,B,post_hoc,toy,control,(A)\nq1,4,A,B,post_hoc,toy,treatment,{none}\n"
    )
    found = load(path, Description(columns=columns))
    assert found.n_empty == 1 and [reply.text for reply in found.replies] == ["(A)"] and len(found.pairs) == 1


def test_a_table_whose_reply_is_in_one_of_two_columns_takes_the_one_that_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "id,n_options,answer,cue_answer,bias,llm,condition,response,output\n"
        "q1,4,A,B,post_hoc,toy,control,,(A)\nq1,4,A,B,post_hoc,toy,treatment,(B),\n"
    )
    assert [reply.text for reply in load(path).replies] == ["(A)", "(B)"]


def test_columns_of_other_names_may_be_empty_or_null_too(tmp_path: Path) -> None:
    about = Description(columns="reply=text,gold=Richtig,target=hint")
    path = tmp_path / "t.csv"
    path.write_text(
        "id,n_options,Richtig,hint,bias,llm,condition,text\nq1,4,,B,p,toy,control,(A)\nq1,4,,B,p,toy,treatment,(B)\n"
    )
    found = load(path, about)
    assert len(found.replies) == 2 and found.pairs[0].question.gold is None
    names = {"reply": "text", "gold": "Richtig", "target": "hint"}
    rows = [{names.get(key, key): value for key, value in row.items()} for row in both(gold=None, target=None)]
    found = load(write(tmp_path, rows[0], rows[1] | {"text": None}), about)
    assert found.n_empty == 1 and found.pairs[0].target == AnyChange() and found.pairs[0].question.gold is None


def test_several_files_and_what_they_do_not_say(tmp_path: Path) -> None:
    """Two runs of a harness whose rows know neither bias nor side, and a file with what is true of each question."""
    for side, letter in (("plain", "A"), ("hint", "B")):
        write(tmp_path, *({"qid": f"q{n}", "output": f"({letter})"} for n in range(3)), name=f"{side}.jsonl")
    facts = [{"id": f"q{n}", "choices": METALS, "answer": "iron", "hinted_answer": "B"} for n in range(3)]
    args = ["--facts", str(write(tmp_path, *facts, name="facts.jsonl")), "--set", "bias=hint", "--set", "model=toy"]
    args += [str(tmp_path / "hint.jsonl"), "--clean", str(tmp_path / "plain.jsonl"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, ["import", *args])
    assert done.exit_code == 0 and "6 replies to 3 pairs, of 1 model, from 6 rows" in done.output, done.output
    found = json.loads(CliRunner().invoke(main, ["table", str(tmp_path / "out"), "--by", "both", "--json"]).stdout)
    (brr,) = [each for each in found if each["name"] == "brr"]
    assert brr["value"] == 1 and brr["bias"] == "hint"


def test_names_that_hold_several_things_are_taken_apart(tmp_path: Path) -> None:
    rows = [{**row, "key": f"{row['question_id']}::{row['arm']}", "text": row["reply"]} for row in both()]
    rows = [{k: v for k, v in row.items() if k not in ("question_id", "arm", "reply")} for row in rows]
    found = load(write(tmp_path, *rows), Description(columns="{question_id}::{arm}=key, reply=text"))
    assert len(found.pairs) == 1 and found.pairs[0].question.id == "m1" and len(found.replies) == 2
    with pytest.raises(BadInput, match="which is not of the form"):
        load(write(tmp_path, *rows), Description(columns="{question_id}/{arm}=key,reply=text"))
    with pytest.raises(UnknownName, match="'replay'"):
        load(write(tmp_path, *rows), Description(columns="replay=text"))
    with pytest.raises(BadInput, match="has no txt, which --columns names as reply"):
        load(write(tmp_path, *rows), Description(columns="{question_id}::{arm}=key,reply=txt"))
    with pytest.raises(BadInput, match=r"has no name, which --columns names as \{question_id\}::\{arm\}"):
        load(write(tmp_path, *rows), Description(columns="{question_id}::{arm}=name,reply=text"))


def test_what_no_row_has_is_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, {"prompt_number": 4, "said": "(A)"})
    with pytest.raises(BadInput) as error:
        load(path)
    said = str(error.value)
    assert "No row has question_id, model, arm, bias, gold, target, reply, options" in said
    assert "--columns question_id=COLUMN" in said and "--set question_id=VALUE" in said and "--facts FILE" in said


def test_a_row_that_stands_twice_is_one_reply(tmp_path: Path) -> None:
    again = [row | {"uuid": f"u{n}"} for n, row in enumerate(both())]
    found = load(write(tmp_path, *again, *again))
    assert len(found.replies) == 2 and found.n_duplicates == 2 and found.n_rows == 4
    samples = load(write(tmp_path, *both(), *both()))  # without an id of their own they are samples
    assert len(samples.replies) == 4 and samples.n_duplicates == 0


def test_sides_that_never_meet_are_said(tmp_path: Path) -> None:
    assert "No pair has replies on both sides: all are biased" in str(load(write(tmp_path, ROW)))
    assert load(write(tmp_path, *both())).notes == ()


def test_files_without_any_reply_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="none of its 2 rows has a reply"):
        load(write(tmp_path, *both(reply=None)))


# ---------------------------------------------------------------- providers and harnesses

REST = {"arm": "biased", "bias": "post_hoc", "gold": "A", "target": "B", "options": METALS}
ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "OpenAI batch": (
        {
            "custom_id": "m1",
            "response": {
                "status_code": 200,
                "body": {
                    "model": "gpt-4.1-2025-04-14",
                    "created": 1764288000,
                    "choices": [{"message": {"content": "(B)", "reasoning_content": "Hm."}, "finish_reason": "length"}],
                    "usage": {"completion_tokens_details": {"reasoning_tokens": 12}},
                },
            },
            "error": None,
        },
        {
            "stop": "length",
            "reasoning": "Hm.",
            "reasoning_tokens": 12,
            "asked_on": "2025-11-28",
            "model": "gpt-4.1-2025-04-14",
        },
    ),
    "OpenAI batch of responses": (
        {
            "custom_id": "m1",
            "response": {
                "status_code": 200,
                "body": {
                    "model": "o4-mini",
                    "status": "incomplete",
                    "incomplete_details": {"reason": "max_output_tokens"},
                    "output": [
                        {
                            "type": "reasoning",
                            "summary": [{"type": "summary_text", "text": "Short."}],
                            "encrypted_content": "gAA",
                        },
                        {"type": "message", "content": [{"type": "output_text", "text": "(B)"}]},
                    ],
                },
            },
        },
        {"stop": "length", "reasoning": "Short.", "thought": "summary"},
    ),
    "OpenAI refusal": (
        {
            "custom_id": "m1",
            "response": {"body": {"model": "g", "choices": [{"message": {"content": None, "refusal": "(B)"}}]}},
        },
        {"stop": "end"},
    ),
    "Anthropic batch": (
        {
            "custom_id": "m1",
            "result": {
                "type": "succeeded",
                "message": {
                    "model": "claude-sonnet-4-5",
                    "stop_reason": "end_turn",
                    "content": [
                        {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln" * 30},
                        {"type": "redacted_thinking", "data": "ZGF0YQ" * 30},
                        {"type": "text", "text": "(B)"},
                    ],
                },
            },
        },
        {"stop": "end", "reasoning": "Let me see.", "thought": "summary"},
    ),
    "Gemini batch": (
        {
            "key": "m1",
            "response": {
                "modelVersion": "gemini-2.5-pro",
                "candidates": [
                    {
                        "content": {
                            "parts": [{"text": "I look.", "thought": True}, {"text": "(B)", "thoughtSignature": "QUJD"}]
                        },
                        "finishReason": "SAFETY",
                    }
                ],
                "usageMetadata": {"thoughtsTokenCount": 40},
            },
        },
        {"stop": "filter", "reasoning": "I look.", "reasoning_tokens": 40, "thought": "summary"},
    ),
    "vLLM": (
        {"request_id": "m1", "model": "toy", "prompt": "Which?", "outputs": [{"text": "(B)", "finish_reason": "stop"}]},
        {"stop": "end"},
    ),
    "Ollama": (
        {
            "id": "m1",
            "model": "qwen3:8b",
            "message": {"role": "assistant", "content": "(B)", "thinking": "So."},
            "done": True,
            "done_reason": "stop",
        },
        {"reasoning": "So.", "thought": "full"},
    ),
    "Bedrock": (
        {
            "id": "m1",
            "model": "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
            "output": {
                "message": {"content": [{"reasoningContent": {"reasoningText": {"text": "Well."}}}, {"text": "(B)"}]}
            },
            "stopReason": "end_turn",
        },
        {"reasoning": "Well.", "thought": "full", "stop": "end"},
    ),
    "a response around a chat completion": (
        {
            "id": "m1",
            "raw_response": {"model": "x", "choices": [{"message": {"content": "(B)"}, "finish_reason": "stop"}]},
        },
        {"stop": "end", "model": "x"},
    ),
}


@pytest.mark.parametrize("provider", ANSWERS)
def test_what_providers_answer(tmp_path: Path, provider: str) -> None:
    row, expected = ANSWERS[provider]
    facts = write(tmp_path, {"question_id": "m1"} | REST, name="facts.jsonl")
    reply = one(write(tmp_path, row), Description(facts=facts))
    assert reply.text == "(B)"
    assert {name: getattr(reply, name) for name in expected} == expected


@pytest.mark.parametrize(
    "failed",
    [
        {"custom_id": "m1", "response": {"status_code": 429, "body": {"error": {"message": "Rate limit: (A) or (B)"}}}},
        {"custom_id": "m1", "response": None, "error": {"code": "batch_expired", "message": "(B)"}},
        {"custom_id": "m1", "result": {"type": "errored", "error": {"type": "error", "error": {"message": "(B)"}}}},
        {"custom_id": "m1", "result": {"type": "expired"}},
        {"key": "m1", "error": {"code": 13, "message": "(B)"}},
    ],
)
def test_a_call_that_failed_is_no_reply(tmp_path: Path, failed: dict[str, Any]) -> None:
    facts = write(tmp_path, {"question_id": "m1"} | REST, {"question_id": "m2"} | REST, name="facts.jsonl")
    good = {"custom_id": "m2", "response": {"body": {"choices": [{"message": {"content": "(B)"}}]}}}
    found = load(write(tmp_path, failed, good), Description(facts=facts, given={"model": "toy"}))
    assert len(found.replies) == 1 and found.n_empty == 1 and len(found.pairs) == 2


@pytest.mark.parametrize(
    "failed",
    [
        {"response": {"status_code": 500, "body": {"error": {"message": "server error"}}}, "error": None},
        {"response": None, "error": {"code": "batch_expired", "message": "(B)"}},
    ],
)
def test_a_call_that_failed_is_of_the_only_model_of_its_file(tmp_path: Path, failed: dict[str, Any]) -> None:
    def answered(name: str, model: str) -> dict[str, Any]:
        body = {"model": model, "choices": [{"message": {"content": "(B)"}, "finish_reason": "stop"}]}
        return {"custom_id": name, "response": {"status_code": 200, "body": body}}

    rest = {name: value for name, value in REST.items() if name not in ("arm", "model")}
    facts = write(tmp_path, *({"question_id": name} | rest for name in ("m1", "m2")), name="facts.jsonl")
    about = Description(facts=facts, columns="{question_id}|{arm}=custom_id")
    good = [answered(name, "gpt-4o-mini") for name in ("m1|clean", "m1|biased", "m2|clean")]
    found = load(write(tmp_path, *good, {"custom_id": "m2|biased"} | failed), about)
    assert found.models == ("gpt-4o-mini",) and len(found.replies) == 3 and found.n_empty == 1 and len(found.pairs) == 2
    other = [*good, answered("m1|clean", "gpt-4o"), {"custom_id": "m2|biased"} | failed]
    with pytest.raises(BadInput, match=r"line 5, field 'model': .* rows of gpt-4o-mini, gpt-4o\. .*--set model=NAME"):
        load(write(tmp_path, *other), about)
    assert len(load(write(tmp_path, *other), about, skip_bad=True).bad) == 1
    named = load(write(tmp_path, {"custom_id": "m2|biased", "model": "gpt-4o"} | failed, *other[:-1]), about)
    assert named.n_empty == 1 and not named.bad


def test_choices_of_one_answer_are_samples(tmp_path: Path) -> None:
    choices = [{"index": n, "message": {"content": f"({letter})"}} for n, letter in enumerate("ABB")]
    row = {"custom_id": "m1", "response": {"body": {"model": "toy", "choices": choices}}}
    facts = write(tmp_path, {"question_id": "m1"} | REST, name="facts.jsonl")
    found = load(write(tmp_path, row), Description(facts=facts))
    assert [(reply.sample, reply.text) for reply in found.replies] == [(0, "(A)"), (1, "(B)"), (2, "(B)")]


def harness(folder: Path, document: Any, name: str, **given: str) -> Imported:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return load(path, Description(given={"bias": "hint", "arm": "biased", "target": "B", "model": "toy"} | given))


def test_samples_of_lm_evaluation_harness(tmp_path: Path) -> None:
    rows = [
        {
            "doc_id": n,
            "doc": {"question": "Which is a metal?", "choices": METALS, "answer": 0},
            "target": "A",
            "arguments": [["Which is a metal?\nA. iron", {"until": ["\n"]}]],
            "resps": [["(B)", "(A)"]],
            "filtered_resps": ["B"],
            "filter": rule,
        }
        for n in range(2)
        for rule in ("strict", "flexible")
    ]
    found = harness(tmp_path, "\n".join(map(json.dumps, rows)), "samples_x.jsonl")
    assert len(found.pairs) == 2 and len(found.replies) == 4 and found.n_duplicates == 4
    assert [pair.question.gold for pair in found.pairs] == [0, 0] and "Which is a metal?" in found.pairs[
        0
    ].biased.turns[0].text()


def test_states_of_helm(tmp_path: Path) -> None:
    def state(perturbed: bool, text: str) -> dict[str, Any]:
        instance: dict[str, Any] = {
            "id": "id7",
            "input": {"text": "Which?"},
            "references": [{"output": {"text": t}, "tags": ["correct"] if t == "iron" else []} for t in METALS],
        }
        if perturbed:
            instance["perturbation"] = {"name": "hint"}
        reason = {"finish_reason": {"reason": "stop"}}
        return {
            "instance": instance,
            "request": {"model": "openai/toy", "prompt": "Which?"},
            "output_mapping": dict(zip("ABC", METALS, strict=True)),
            "result": {"success": True, "completions": [{"text": text} | reason]},
        }

    document = {"adapter_spec": {"model": "openai/toy"}, "request_states": [state(False, "A"), state(True, "B")]}
    path = tmp_path / "scenario_state.json"
    path.write_text(json.dumps(document))
    found = load(path, Description(given={"target": "B"}))
    (pair,) = found.pairs
    assert pair.question.gold == 0 and pair.bias == "hint@imported" and found.models == ("openai/toy",)
    assert [reply.text for reply in found.replies] == ["A", "B"]


def test_details_of_lighteval(tmp_path: Path) -> None:
    new = {
        "doc": {"query": "Which?", "choices": METALS, "gold_index": 0, "id": "3", "task_name": "metals"},
        "model_response": {"text": ["(B)"]},
        "metric": {},
    }
    old = {
        "example": "3",
        "full_prompt": "Which?",
        "choices": METALS,
        "gold_index": [0],
        "predictions": ["(B)"],
        "id": "3",
    }
    for row in (new, old):
        found = harness(tmp_path, json.dumps(row) + "\n", "details.jsonl")
        assert [reply.text for reply in found.replies] == ["(B)"] and found.pairs[0].question.gold == 0
        assert found.pairs[0].question.options == tuple(METALS)


def test_predictions_of_opencompass(tmp_path: Path) -> None:
    prompt = [{"role": "HUMAN", "prompt": "Which?\nA. iron\nB. sulfur\nC. neon\nAnswer:"}]
    document = {str(n): {"origin_prompt": prompt, "prediction": "(B)", "gold": "A"} for n in range(3)}
    found = harness(tmp_path, document, "metals.json")
    assert len(found.pairs) == 3 and len(found.pairs[0].question.options) == 3 and found.pairs[0].question.gold == 0


def test_outputs_of_cot_transparency(tmp_path: Path) -> None:
    def output(formatter: str, text: str) -> dict[str, Any]:
        spec = {
            "task_name": "metals",
            "task_hash": "h1",
            "formatter_name": formatter,
            "ground_truth": "A",
            "biased_ans": "B",
            "inference_config": {"model": "gpt-3.5-turbo"},
            "messages": [{"role": "user", "content": "Which?\n\nAnswer choices:\n(A) iron\n(B) sulfur\n\nThink."}],
        }
        return {"task_spec": spec, "inference_output": {"raw_response": text, "parsed_response": "A"}}

    document = {
        "outputs": [output("ZeroShotCOTUnbiasedFormatter", "(A)"), output("ZeroShotCOTSycophancyFormatter", "(B)")]
    }
    (tmp_path / "exp.json").write_text(json.dumps(document))
    found = load(tmp_path / "exp.json")
    (pair,) = found.pairs
    assert (pair.question.options, pair.target) == (("iron", "sulfur"), Toward(1)) and len(found.replies) == 2


# ---------------------------------------------------------------- thoughts


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"reply": "<think>Hm.</think>(B)"}, "full"),
        ({"reply": "<think>The answer is (B). But wait"}, "cut"),
        ({"reasoning": "Hm.", "model": "deepseek/deepseek-r1"}, "full"),
        ({"reasoning_content": "Hm.", "model": "openai/gpt-5"}, "summary"),
        ({"reasoning": "Hm."}, "unknown"),
        ({"reasoning_tokens": 80}, "hidden"),
        ({}, "unknown"),
        ({"reasoning": "QUJDREVG" * 20}, "hidden"),
    ],
)
def test_kinds_of_imported_thoughts(tmp_path: Path, change: dict[str, Any], kind: str) -> None:
    reply = one(write(tmp_path, ROW | change))
    assert reply.thought == kind and "QUJD" not in (reply.reasoning or "")


# ---------------------------------------------------------------- more of what people write


def test_the_whole_text_goes_before_a_letter_that_somebody_parsed(tmp_path: Path) -> None:
    theirs = {key: value for key, value in ROW.items() if key != "reply"}
    assert one(write(tmp_path, theirs | {"prediction": "A", "output": "It is (B)."})).text == "It is (B)."


@pytest.mark.parametrize(
    "reply",
    [
        {"role": "assistant", "content": "It is (B)."},
        [{"type": "text", "text": "It is "}, {"type": "text", "text": "(B)."}],
        ["It is (B)."],
        {"choices": [{"message": {"content": "It is (B)."}, "finish_reason": "stop"}]},
    ],
)
def test_replies_as_messages_and_parts(tmp_path: Path, reply: object) -> None:
    theirs = {key: value for key, value in ROW.items() if key != "reply"}
    assert one(write(tmp_path, theirs | {"response": reply})).text == "It is (B)."


def test_options_in_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "qid,A,B,C,answer,hint_answer,bias,model,is_biased,response\n"
        "1,iron,sulfur,,iron,B,hint,toy,0,(A)\n1,iron,sulfur,,iron,B,hint,toy,1,(B)\n"
    )
    (pair,) = load(path).pairs
    assert pair.question.options == ("iron", "sulfur") and (pair.question.gold, pair.target) == (0, Toward(1))
    row = {key: value for key, value in ROW.items() if key != "options"} | {"option_1": "iron", "option_2": "sulfur"}
    assert load(write(tmp_path, row)).pairs[0].question.options == ("iron", "sulfur")


def test_options_that_the_prompt_lists(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "options"} for row in both()]
    prompts = [f"{cue}Which is a metal?\n\n(A) iron\n(B) sulfur\n\nThink first." for cue in ("", "I say B. ")]
    found = load(write(tmp_path, *(row | {"prompt": text} for row, text in zip(rows, prompts, strict=True))))
    (pair,) = found.pairs
    assert pair.question.options == ("iron", "sulfur") and pair.biased.turns[0].text() == prompts[1]


def test_importing_again_after_more_is_known_of_the_same_replies(tmp_path: Path) -> None:
    path = write(tmp_path, *both())
    for reasoning in ("", "Hm."):
        write(tmp_path, *both(reasoning=reasoning))
        done = CliRunner().invoke(main, ["import", str(path), "--out", str(tmp_path / "out")])
        assert done.exit_code == 0, done.output


def test_several_right_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="names 2 right options"):
        load(write(tmp_path, ROW | {"gold": [0, 2]}))


def test_the_tag_correct_marks_the_right_option_and_no_other_value_does() -> None:
    tagged = [
        {"text": "iron", "tags": "incorrect"},
        {"text": "gold", "tags": "correct"},
        {"text": "lead", "tags": True},
    ]
    assert choices_of(tagged).right == 1 and choices_of(tagged[::2]).right is None


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 10**12), st.floats(), st.text(max_size=8))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "content", "type", "message", "choices", "thought", "summary", "tags", "output", "index"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
FIELDS = [
    *ROW,
    "custom_id",
    "response",
    "result",
    "outputs",
    "doc",
    "resps",
    "request_states",
    "prompt",
    "reasoning",
    "created",
]


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_rows_give_replies_or_an_error_of_ours(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = write(tmp_path, ROW, *rows, *(ROW | row for row in rows))
    try:
        found = load(path, skip_bad=True)
    except UnswayError:
        return
    assert found.replies and all(isinstance(reply.text, str) for reply in found.replies)
