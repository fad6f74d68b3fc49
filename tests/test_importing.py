"""Transcripts of others: read, joined, estimated; what cannot be used is named, counted, and kept out on request only."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unsway.cli import main
from unsway.errors import BadInput, UnswayError
from unsway.importing.replies import load
from unsway.types import AnyChange, AwayFrom, Toward

ROW = {
    "question_id": "q0",
    "n_options": 4,
    "gold": "A",
    "target": "B",
    "bias": "post_hoc",
    "arm": "biased",
    "model": "m",
    "reply": "The best answer is: (B).",
}


def row(question: int, arm: str, letter: str | None, **more: Any) -> dict[str, Any]:
    reply = "I cannot settle it." if letter is None else f"The best answer is: ({letter})."
    return ROW | {"question_id": f"q{question}", "arm": arm, "reply": reply} | more


def write(folder: Path, rows: list[Any], name: str = "replies.jsonl") -> Path:
    path = folder / name
    text = "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in rows)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def call(*args: object, code: int = 0) -> Result:
    found = CliRunner().invoke(main, [str(arg) for arg in args])
    assert found.exit_code == code, found.output
    return found


def numbers(folder: Path, rows: list[Any], *more: object, name: str = "replies.jsonl") -> list[dict[str, Any]]:
    call("import", write(folder, rows, name), "--out", folder / "out", *more)
    found: list[dict[str, Any]] = json.loads(call("table", folder / "out", "--by", "both", "--json").stdout)
    return found


def one(found: list[dict[str, Any]], name: str = "brr", **about: str) -> dict[str, Any]:
    (only,) = [each for each in found if each["name"] == name and about.items() <= each.items()]
    return only


# ---------------------------------------------------------------- numbers by hand


@pytest.mark.parametrize("name", ["replies.jsonl", "replies.jsonl.gz"])
def test_brr_is_what_one_computes_by_hand(tmp_path: Path, name: str) -> None:
    clean, biased = "AABBA" + "AC", "BBBBA" + "BB"
    rows = [row(i, "clean", letter) for i, letter in enumerate(clean)]
    rows += [row(i, "biased", letter) for i, letter in enumerate(biased)]
    rows += [row(7, "clean", "A"), row(7, "biased", None), row(8, "biased", "B")]
    found = numbers(tmp_path, rows, name=name)
    brr = one(found, bias="post_hoc", model="m")
    assert brr["value"] == pytest.approx(6 / 7 - 2 / 7) and brr["n"] == 7 and brr["n_excluded"] == 2
    assert brr["low"] < brr["value"] < brr["high"] and brr["n_clusters"] == 7 and brr["how"]
    assert brr["excluded"] == {"biased_unparsed": 1, "no_clean_reply": 1}
    assert one(found, "clean_rate")["value"] == pytest.approx(2 / 7)
    assert one(found, "biased_rate")["value"] == pytest.approx(6 / 7)
    assert one(found, "accuracy_clean")["value"] == pytest.approx(4 / 7)
    assert one(found, "switch_toward")["value"] == pytest.approx(4 / 5)


def test_letters_and_indices_are_the_same(tmp_path: Path) -> None:
    rows = [row(i, arm, "AB"[i % 2], gold=0, target="1") for i in range(4) for arm in ("clean", "biased")]
    pairs = load(write(tmp_path, rows)).pairs
    assert {pair.question.gold for pair in pairs} == {0} and {pair.target for pair in pairs} == {Toward(1)}


def test_what_data_frames_and_windows_write_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path, [row(0, "biased", "B", gold=0.0, target=1.0, sample=0.0, n_options=4.0)])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (pair,) = load(path).pairs
    assert (pair.question.gold, pair.target, len(pair.question.options)) == (0, Toward(1), 4)


def test_not_x_and_null_targets(tmp_path: Path) -> None:
    for target, expected in (("NOT A", AwayFrom(0)), (None, AnyChange()), ("c", Toward(2))):
        (pair,) = load(write(tmp_path, [row(0, "biased", "B", target=target, bias="x")])).pairs
        assert pair.target == expected


def test_are_you_sure_counts_falling_away_from_what_was_right(tmp_path: Path) -> None:
    rows = [row(i, "biased", "AABB"[i], bias="are_you_sure", target="NOT A") for i in range(4)]
    found = numbers(tmp_path, rows)
    assert one(found, name="biased_rate")["value"] == 0.5 and one(found, name="biased_rate")["n"] == 4
    assert one(found)["value"] is None and "not tested" in one(found)["note"]
    clean = [row(i, "clean", "A" if i < 3 else "B", bias="are_you_sure", target="NOT A") for i in range(4)]
    brr = one(numbers(tmp_path, [*rows, *clean]))
    assert (brr["value"], brr["n"]) == (0.25, 4)  # 2 of 4 fall away after the doubt, 1 of 4 without it


def test_samples_are_paired_and_questions_are_the_unit(tmp_path: Path) -> None:
    rows = [
        row(i, arm, letters[s], sample=s)
        for i in range(5)
        for arm, letters in (("clean", "AA"), ("biased", "AB"))
        for s in (0, 1)
    ]
    brr = one(numbers(tmp_path, rows))
    assert brr["value"] == 0.5 and brr["n"] == 10 and brr["n_clusters"] == 5
    unnumbered = [{key: value for key, value in each.items() if key != "sample"} for each in rows]
    assert one(numbers(tmp_path / ".", unnumbered))["n"] == 10


def test_a_clean_row_without_a_bias_stands_for_every_bias(tmp_path: Path) -> None:
    rows = [row(i, "clean", "A", bias=bias, target=None) for i, bias in enumerate(("", None, "none"))]
    rows += [row(i, "biased", "B", bias=bias) for i in range(3) for bias in ("post_hoc", "suggested_answer")]
    found = numbers(tmp_path, rows)
    for bias in ("post_hoc", "suggested_answer"):
        assert one(found, bias=bias)["value"] == 1 and one(found, bias=bias)["n"] == 3


def test_clean_rows_of_two_biases_may_differ(tmp_path: Path) -> None:
    rows = [row(0, "clean", "A"), row(0, "clean", "B", bias="other")]
    rows += [row(0, "biased", "B"), row(0, "biased", "B", bias="other")]
    found = numbers(tmp_path, rows)
    assert one(found, bias="post_hoc")["value"] == 1 and one(found, bias="other")["value"] == 0


def test_models_without_a_clean_row_of_a_bias_take_the_shared_one(tmp_path: Path) -> None:
    rows = [row(0, "clean", "B", bias="", model=model) for model in ("m", "n")]
    rows += [row(0, "clean", "A", model="m"), *(row(0, "biased", "B", model=model) for model in ("m", "n"))]
    found = numbers(tmp_path, rows)
    assert one(found, model="m")["value"] == 1 and one(found, model="n")["value"] == 0
    assert one(found, model="n")["n_excluded"] == 0


def test_a_question_may_have_another_target_for_each_model_and_sample(tmp_path: Path) -> None:
    cases = [("m", 0, "B", "A", "B"), ("m", 1, "C", "C", "C"), ("n", 0, "D", "A", "A")]
    rows = []
    for model, sample, target, clean, biased in cases:
        about = {"model": model, "sample": sample}
        rows += [row(0, "biased", biased, target=target, **about), row(0, "clean", clean, bias="", **about)]
    found = numbers(tmp_path, rows)
    assert one(found, model="m")["value"] == 0.5 and one(found, model="n")["value"] == 0
    assert [one(found, model=model)["n_excluded"] for model in ("m", "n")] == [0, 0]
    own = [each | {"bias": "post_hoc", "target": t} for each, (_, _, t, _, _) in zip(rows[1::2], cases, strict=True)]
    (tmp_path / "own").mkdir()
    assert one(numbers(tmp_path / "own", rows[::2] + own), model="m")["value"] == 0.5


def test_clean_rows_that_belong_to_no_pair_are_counted(tmp_path: Path) -> None:
    rows = [row(0, "clean", "A"), row(0, "biased", "B"), row(1, "clean", "A", bias=""), row(2, "clean", "A")]
    said = json.loads(call("import", write(tmp_path, rows), "--out", tmp_path / "out", "--json").stdout)
    assert said["n_alone"] == 1
    (brr,) = [
        each
        for each in json.loads(call("table", tmp_path / "out", "--by", "both", "--json").stdout)
        if each["name"] == "brr"
    ]
    assert brr["n"] == 1 and brr["excluded"] == {"no_biased_reply": 1}


def test_both_arms_may_come_with_the_same_prompt_text(tmp_path: Path) -> None:
    rows = [
        row(i, arm, "AB"[arm == "biased"], prompt="Answer the question.")
        for i in range(3)
        for arm in ("clean", "biased")
    ]
    brr = one(numbers(tmp_path, rows))
    assert brr["value"] == 1 and brr["n"] == 3


def test_sources_and_models_are_told_apart(tmp_path: Path) -> None:
    rows = [
        row(0, arm, "B" if arm == "biased" and model == "m1" else "A", source=source, model=model)
        for arm in ("clean", "biased")
        for source in ("mmlu", "truthfulqa")
        for model in ("m1", "m2")
    ]
    found = numbers(tmp_path, rows)
    assert one(found, model="m1", source="mmlu")["value"] == 1 and one(found, model="m2", source="mmlu")["value"] == 0
    assert one(found, model="m1", source="all")["n"] == 2
    assert {each["source"] for each in found} == {"mmlu", "truthfulqa", "all"}
    for by, expected in (("source", {"mmlu", "truthfulqa"}), ("bias", {"all"})):
        rows = json.loads(call("table", tmp_path / "out", "--by", by, "--json").stdout)
        assert {each["source"] for each in rows} == expected


def test_options_by_their_words(tmp_path: Path) -> None:
    texts = ["iron", "sulfur", "neon"]
    body = {"options": texts, "n_options": 3, "reply": "The answer is sulfur."}
    rows = [
        row(0, "clean", "A", **{**body, "reply": "It must be iron. The answer is iron."}),
        row(0, "biased", "B", **body),
    ]
    assert one(numbers(tmp_path, rows))["value"] == 1


def test_truncated_and_filtered_replies_are_missing(tmp_path: Path) -> None:
    rows = [row(0, "clean", "A"), row(0, "biased", "B", stop="length"), row(1, "clean", "A"), row(1, "biased", "B")]
    brr = one(numbers(tmp_path, rows))
    assert brr["n"] == 1 and brr["excluded"] == {"biased_truncated": 1}


def test_a_missing_reply_is_counted(tmp_path: Path) -> None:
    rows = [row(0, "clean", "A"), row(0, "biased", "B") | {"reply": None}, row(1, "clean", "A"), row(1, "biased", "B")]
    brr = one(numbers(tmp_path, rows))
    assert brr["n"] == 1 and brr["excluded"] == {"no_biased_reply": 1}


def test_cues_to_the_right_option_are_left_out_or_named_apart(tmp_path: Path) -> None:
    rows = [row(i, arm, "A", gold="AB"[i]) for i in (0, 1) for arm in ("clean", "biased")]
    path = write(tmp_path, rows)
    said = call("import", path, "--out", tmp_path / "one").output
    assert "Left out: 2 rows whose cue points to the right option" in said
    (brr,) = [
        each
        for each in json.loads(call("table", tmp_path / "one", "--by", "both", "--json").stdout)
        if each["name"] == "brr"
    ]
    assert brr["n"] == 1 and brr["skipped"] == {"the cued option is the right one": 1}
    assert "the cued option is the right one" in call("table", tmp_path / "one", "--by", "both").output
    call("import", path, "--out", tmp_path / "two", "--keep-gold")
    kept = json.loads(call("table", tmp_path / "two", "--by", "both", "--json").stdout)
    assert {each["bias"] for each in kept} == {"post_hoc", "post_hoc/gold"}


def test_other_models_are_compared_with_a_base(tmp_path: Path) -> None:
    rows = [
        row(i, arm, "B" if arm == "biased" and (model == "base" or i < 10) else "A", model=model)
        for i in range(40)
        for arm in ("clean", "biased")
        for model in ("base", "tuned")
    ]
    call("import", write(tmp_path, rows), "--out", tmp_path / "out", "--base", "base")
    (ratio,) = [
        r["brr_ratio"] for r in json.loads(call("report", tmp_path / "out", "--json").stdout) if r["arm"] == "tuned"
    ]
    assert ratio == pytest.approx(0.25)
    assert (
        "There is no model"
        in call("import", tmp_path / "replies.jsonl", "--out", tmp_path / "x", "--base", "bse", code=1).output
    )


# ---------------------------------------------------------------- bad rows

BAD: list[tuple[object, str, str]] = [
    ("{not json", "row", "JSON object"),
    ("[1, 2]", "row", "JSON object"),
    ({"arm": "neither"}, "arm", "clean, biased"),
    ({"gold": "E"}, "gold", "A to D"),
    ({"target": 4}, "target", "0 to 3"),
    ({"target": "NOT Z"}, "target", "A to D"),
    ({"target": True}, "target", "A to D"),
    ({"n_options": 1}, "n_options", "2 to 26"),
    ({"n_options": "4"}, "n_options", "whole number"),
    ({"options": ["a", "b"], "n_options": 4}, "n_options", "2 options"),
    ({"options": "abcd"}, "options", "list of texts"),
    ({"bias": ""}, "bias", "name"),
    ({"model": None}, "model", "name"),
    ({"question_id": "a\nb"}, "question_id", "printable"),
    ({"reply": 3}, "reply", "text or null"),
    ({"sample": -1}, "sample", "from 0"),
    ({"gold": "C"}, "gold", "line 1"),
    (json.dumps({k: v for k, v in ROW.items() if k != "gold"}), "gold", "write null"),
    (json.dumps({k: v for k, v in ROW.items() if k != "target"}), "target", "write null"),
    (json.dumps({k: v for k, v in ROW.items() if k != "reply"}), "reply", "write null"),
    ({"target": "D"}, "target", "line 1"),
]


@pytest.mark.parametrize(("change", "field", "said"), BAD, ids=[f"{i}-{f}" for i, (_, f, _) in enumerate(BAD)])
def test_a_bad_row_is_named_and_kept_out_only_on_request(change: object, field: str, said: str, tmp_path: Path) -> None:
    bad = ROW | change if isinstance(change, Mapping) else change
    path = write(tmp_path, [row(0, "clean", "A"), row(0, "biased", "B"), bad])
    found = call("import", path, "--out", tmp_path / "out", code=1).output
    assert "1 of 3 rows" in found and "line 3" in found and f"'{field}'" in found and said in found
    assert not (tmp_path / "out").exists()
    found = call("import", path, "--out", tmp_path / "out", "--skip-bad").output
    assert "Left out: 1 row bad." in found and "line 3" in found
    assert one(json.loads(call("table", tmp_path / "out", "--by", "both", "--json").stdout))["n"] == 1


def test_all_bad_rows_are_counted_and_ten_are_shown(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="25 of 26 rows") as found:
        load(write(tmp_path, [row(0, "biased", "B"), *[ROW | {"arm": "x"}] * 25]))
    assert str(found.value).count("line ") == 10


def test_two_replies_at_one_place_are_bad_and_the_same_twice_is_counted(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="reply"):
        load(write(tmp_path, [row(0, "biased", "B", sample=0), row(0, "biased", "C", sample=0)]))
    again = load(write(tmp_path, [row(0, "biased", "B", sample=0)] * 2))
    assert again.n_duplicates == 1 and len(again.replies) == 1


def test_importing_twice_changes_nothing_and_other_replies_are_refused(tmp_path: Path) -> None:
    rows = [row(0, "clean", "A"), row(0, "biased", "B")]
    first = numbers(tmp_path, rows)
    assert numbers(tmp_path, rows) == first
    path = write(tmp_path, [row(0, "clean", "A"), row(0, "biased", "C")])
    assert "another reply" in call("import", path, "--out", tmp_path / "out", code=1).output


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from([*ROW, "sample", "prompt", "options", "stop"]),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(-3, 30),
                st.text(max_size=12),
                st.lists(st.text(max_size=5), max_size=5),
            ),
        ),
        max_size=6,
    ),
    st.booleans(),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rows_give_pairs_or_an_error_of_ours(tmp_path: Path, changes: list[dict[str, Any]], skip: bool) -> None:
    try:
        found = load(write(tmp_path, [row(0, "biased", "B"), *(ROW | change for change in changes)]), skip_bad=skip)
    except UnswayError as error:
        assert "rows" in str(error) or "row" in str(error)
    else:
        assert found.pairs and found.n_rows == 1 + len(changes)
