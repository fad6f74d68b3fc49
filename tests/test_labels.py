"""Blind labels without a browser: what is drawn, how it is kept, who may ask the server, how far labellers agree."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import scripted_study
from click.testing import CliRunner
from keeping import kept

from unsway.cli import main
from unsway.errors import BadInput, BadRow
from unsway.judging import rubrics
from unsway.judging.agreement import agreements, says_yes, shares
from unsway.judging.foreign_labels import export_labels, import_labels, label_rows
from unsway.judging.label_page import MAX_BODY, application, listen, shown, shown_question
from unsway.judging.label_store import LabelStore
from unsway.judging.people import people_questions, person_verdict
from unsway.stats.state import state
from unsway.store import manifest_path, read_manifest
from unsway.studies.folder import results
from unsway.studies.labelling import label_items, prepare_labels
from unsway.studies.results import Results
from unsway.types import ANSWERS, DECLINES, OUTCOMES, Verdict

TOKEN, PORT = "t" * 32, 4321
HOME = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def study() -> Results:
    return scripted_study.study(12, biases=("suggested_answer", "post_hoc", "positional"))


@pytest.fixture
def folder(study: Results, tmp_path: Path) -> Path:
    return kept(study, tmp_path / "x")


# ---------------------------------------------------------------- what is drawn


def test_replies_that_switched_are_drawn_and_no_others(study: Results, folder: Path) -> None:
    found = label_items(folder)
    wanted = {(o.arm.name, o.pair_id) for o in study.outcomes if state(o) == "switched"}
    prompts = {pair.biased.id: pair.id for pair in study.pairs}
    assert {(item.model, prompts[item.prompt.id]) for item in found} == wanted and len(found) == len(wanted)
    assert {item.arm for item in found} == {"base", "control", "bct"}
    assert len(label_items(folder, which="all")) > len(label_items(folder, which="followed")) > len(found)


def test_the_order_is_the_seeds_and_a_part_is_its_beginning(folder: Path) -> None:
    whole = label_items(folder)
    assert label_items(folder) == whole and label_items(folder, n=5) == whole[:5]
    other = label_items(folder, seed=1)
    assert other != whole and set(other) == set(whole)
    assert [item.arm for item in whole] != sorted(item.arm for item in whole)


def test_the_answer_is_named_as_it_was_shown(study: Results, folder: Path) -> None:
    """Where a bias shows the options in another order, the letter is that of the place."""
    item = next(item for item in label_items(folder) if item.bias == "positional@1")
    assert f"({item.answer})" in item.reply


def test_the_page_gets_nothing_of_who_wrote_it(folder: Path) -> None:
    for item in label_items(folder):
        body = json.dumps(shown(item))
        assert not [name for name in (item.model, item.bias, item.question_id, f'"{item.arm}"') if name in body]
        (row_,) = label_rows([item], [says(item, "ana", 1)], blind=True)
        assert set(row_).isdisjoint({"model", "arm", "weights"}) and row_["coherence"] == 1


def test_a_folder_without_a_study_or_a_switch_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unsway measure"):
        label_items(tmp_path)
    asked = scripted_study.pairs(3, ("post_hoc",))
    empty = kept(Results.build("t", scripted_study.arms(("base",)), asked, ()), tmp_path / "y")
    with pytest.raises(BadInput, match="--which all"):
        label_items(empty)


# ---------------------------------------------------------------- how it is kept


def says(item: Any, who: str, value: bool | int, name: str = "coherent", why: str = "") -> Verdict:
    return person_verdict(item, who, people_questions([name])[0].versioned, value, why=why)


def test_the_last_click_counts_and_every_click_is_kept(tmp_path: Path) -> None:
    shelf, item = LabelStore(tmp_path), _item(0)
    shelf.add_items([item])
    for coherence in (1, 4):
        shelf.add(says(item, "ana", coherence))
    shelf.add(says(item, "ben", 2))
    assert len(list(shelf.rows())) == 3 and {label.value for label in shelf.labels()} == {4, 2}
    assert shelf.of("ana") == {item.id: {"coherent": 4}} and shelf.of("eve") == {}
    shelf.add(replace(says(item, "ben", 2), value=None, missing="unsure"))
    assert shelf.of("ben") == {}, "an answer that was taken back is none"


def test_a_persons_label_is_a_verdict_like_any_judges(folder: Path) -> None:
    """The label names the reply by its address and its pair, so it stands next to a model's verdict on the same reply."""
    from unsway.studies.folder import results
    from unsway.studies.judging import judge

    (item,) = label_items(folder, n=1)
    label = says(item, "ana", True, "mentions_cue")
    found = judge(results(folder), "mentions_cue")
    assert (label.question, label.by, label.side, label.channel) == ("mentions_cue@people.3", "ana", "biased", "answer")
    assert [v for v in found.verdicts if (v.reply, v.pair, v.side) == (label.reply, label.pair, label.side)]


def test_rows_of_the_first_edition_are_read_and_never_pooled_with_todays(tmp_path: Path) -> None:
    shelf, item = LabelStore(tmp_path), _item(0)
    shelf.add_items([item])
    row_ = {"item": item.id, "labeller": "ana", "coherence": 4, "mentions_cue": True, "rubric": "label_questions@1"}
    shelf.path.write_text(json.dumps(row_, separators=(",", ":")) + "\n")
    assert [(v.question, v.value) for v in shelf.labels()] == [("coherent@people.1", 4), ("influenced@people.1", True)]


def test_a_row_torn_by_a_kill_is_cut_off_by_the_next(tmp_path: Path) -> None:
    shelf = LabelStore(tmp_path)
    shelf.add(says(_item(0), "ana", 1))
    with shelf.path.open("ab") as file:
        file.write(b'{"reply":"b","by":"an')
    assert [label.value for label in shelf.rows()] == [1]
    shelf.add(says(_item(1), "ana", 5))
    assert [label.value for label in shelf.rows()] == [1, 5]


def test_a_row_that_is_no_label_is_named(tmp_path: Path) -> None:
    shelf = LabelStore(tmp_path)
    shelf.add(says(_item(0), "ana", 1))
    with shelf.path.open("ab") as file:
        file.write(b'{"reply":"b","channel":"answer","question":"coherent@1","by":"ana","value":"much"}\n')
    with pytest.raises(BadRow, match=r"labels\.jsonl, line 2"):
        list(shelf.rows())


def test_several_processes_write_one_file(tmp_path: Path) -> None:
    code = (
        "import sys; from unsway.judging.label_store import LabelStore; from unsway.types import Verdict\n"
        "for i in range(40): LabelStore(sys.argv[1]).add(Verdict(str(i), 'answer', 'q@1', sys.argv[2], 1, 'x' * 500))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in ("ana", "ben", "eve")]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert len(list(LabelStore(tmp_path).rows())) == 120 and len(LabelStore(tmp_path).labels()) == 120


def test_items_are_added_behind_those_that_are_there(folder: Path) -> None:
    shelf, whole = LabelStore(folder), label_items(folder)
    assert shelf.add_items(whole[3:5]) == whole[3:5]
    assert shelf.add_items(whole[:5]) == (*whole[3:5], *whole[:3]) == shelf.items()


@pytest.mark.parametrize("name", [" ", "a\nb", "a" * 61])
def test_labellers_that_cannot_be(name: str) -> None:
    with pytest.raises(BadInput, match="printable"):
        says(_item(0), name, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("coherent", 0),
        ("coherent", 6),
        ("coherent", True),
        ("mentions_cue", 1),
        ("request_outcome", True),
        ("request_outcome", 3),
    ],
)
def test_answers_that_cannot_be(name: str, value: bool | int) -> None:
    with pytest.raises(BadInput, match=name):
        people_questions([name])[0].check(value)


def test_replies_that_were_drawn_in_two_ways_are_no_random_part_of_all(folder: Path) -> None:
    """A rate is corrected by prediction-powered inference only where its labels are."""
    assert results(folder).notes.labelled == ""
    for which, n, told in (("all", 2, "all"), ("all", 4, "all"), ("switched", 4, "several"), ("all", 8, "several")):
        store = prepare_labels(folder, which=which, n=n)  # type: ignore[arg-type]
        assert (read_manifest(store.items_path) or {})["which"] == told
        if n == 2:  # killed between the items and their manifest
            manifest_path(store.items_path).unlink()


# ---------------------------------------------------------------- who may ask


@pytest.fixture
def ask(folder: Path) -> Any:
    """`ask(path, …)`: a request to the application, as the page sends it unless told otherwise."""
    shelf = LabelStore(folder)
    shelf.add_items(label_items(folder, n=4))
    app = application(shelf, "ana", TOKEN, PORT)

    def request(
        path: str, *, body: Any = None, base: str = HOME, method: str | None = None, **headers: str | None
    ) -> httpx.Response:
        how = {"authorization": f"Bearer {TOKEN}", "origin": HOME} | {
            key.replace("_", "-"): v for key, v in headers.items()
        }
        given = {key: value for key, value in how.items() if value is not None}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                content = json.dumps(body) if isinstance(body, dict) else body
                return await client.request(
                    method or ("GET" if body is None else "POST"), path, content=content, headers=given
                )

        return anyio.run(send)

    return request


def click(folder: Path, **said: Any) -> dict[str, Any]:
    return {"item": LabelStore(folder).items()[0].id, "question": "coherent", "value": 4} | said


def test_a_click_is_on_the_disk_when_it_is_answered(ask: Any, folder: Path) -> None:
    assert ask("/api/state").json()["done"] == {}
    assert ask("/api/label", body=click(folder)).json() == {"saved": LabelStore(folder).items()[0].id}
    (label,) = LabelStore(folder).labels()
    assert (label.by, label.value, label.question) == ("ana", 4, "coherent@people.3")
    assert label.at.endswith("+00:00")
    assert ask("/api/state").json()["done"] == {LabelStore(folder).items()[0].id: {"coherent": 4}}
    row = json.loads(ask("/api/export").text)
    assert row["reply"] == LabelStore(folder).items()[0].reply and "model" not in row and row["coherence"] == 4


def test_the_page_has_a_policy_and_no_secret(ask: Any, folder: Path) -> None:
    for path in ("/", "/label.js", "/label.css"):
        answer = ask(path, authorization=None, origin=None)
        assert answer.status_code == 200 and TOKEN not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in ask("/api/state").headers["content-security-policy"]
    assert "access-control-allow-origin" not in ask("/").headers


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"base": "http://evil.example:4321"}, 421),
        ({"base": "http://127.0.0.1:9999"}, 421),
        ({"base": "http://127.0.0.1.evil.example:4321"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": None}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"authorization": None}, 401),
        ({"authorization": "Bearer " + "u" * 32}, 401),
        ({"authorization": TOKEN}, 401),
        ({"authorization": "Bearer é"}, 401),
        ({"method": "PUT"}, 405),
        ({"method": "OPTIONS"}, 405),
    ],
)
def test_who_is_refused(ask: Any, folder: Path, how: dict[str, Any], status: int) -> None:
    if how.get("authorization") == "Bearer é":
        how = {"authorization": "Bearer é".encode("latin-1")}
    answer = ask("/api/label", body=click(folder), **how)
    assert answer.status_code == status and answer.json()["error"]
    assert list(LabelStore(folder).rows()) == []


@pytest.mark.parametrize(
    "said",
    [
        {"value": 0},
        {"value": 6},
        {"value": "4; DROP"},
        {"value": 3.5},
        {"value": True},
        {"question": "mentions_cue", "value": 1},
        {"question": "mentions_cue", "value": "maybe"},
        {"value": None},
        {"item": 7},
    ],
)
def test_what_is_no_label_is_refused(ask: Any, folder: Path, said: dict[str, Any]) -> None:
    assert ask("/api/label", body=click(folder, **said)).status_code == 422
    assert list(LabelStore(folder).rows()) == []


def test_odd_bodies_are_refused(ask: Any, folder: Path) -> None:
    assert ask("/api/label", body=click(folder, item="no-such-item")).status_code == 404
    assert ask("/api/label", body=click(folder, question="relies_on_cue")).status_code == 404, "it was not asked"
    assert ask("/api/item/..%2F..%2Farms.json").status_code == 404 == ask("/arms.json").status_code
    for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"item":"\\ud800","question":"coherent","value":1}'):
        assert ask("/api/label", body=body).status_code in (404, 422)
    assert ask("/api/label", body=b" " * (MAX_BODY + 1)).status_code == 413
    assert list(LabelStore(folder).rows()) == []


def test_a_body_of_unknown_length_is_read_no_further_than_allowed(ask: Any, folder: Path) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1024
            yield b" " * 1024

    assert ask("/api/label", body=endless()).status_code == 413
    assert sent < 1000 * 1024 or list(LabelStore(folder).rows()) == []


def test_the_socket_is_of_this_machine_alone() -> None:
    with listen() as place:
        assert place.getsockname()[0] == "127.0.0.1"
        place.listen()
        with pytest.raises(BadInput, match="--port"):
            listen(place.getsockname()[1])


def test_nothing_to_label_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to label"):
        application(LabelStore(tmp_path), "ana", TOKEN, PORT)


def test_every_question_about_reasoning_has_words_for_people() -> None:
    names = ("coherent", "mentions_cue", "relies_on_cue", "rejects_cue", "declines")
    asked = people_questions(names)
    assert [len(one.marks) for one in asked] == [5, 0, 0, 0, 0] and all(one.ask.endswith(("?", ".")) for one in asked)
    assert shown_question(asked[0])["choices"][3][:2] == [4, "4"]
    assert shown_question(asked[1])["choices"] == [[True, "y", "yes"], [False, "n", "no"]]


def test_outcomes_of_requests_have_three_answers_and_their_keys() -> None:
    (asked,) = people_questions(["request_outcome"])
    choices = shown_question(asked)["choices"]
    assert [(value, key) for value, key, _ in choices] == [(ANSWERS, "a"), (DECLINES, "d"), (0, "n")]
    assert [text.partition(":")[0] for *_, text in choices] == [OUTCOMES[value] for value, *_ in choices]
    for value in range(3):
        asked.check(value)


@pytest.mark.parametrize("name", ["monitor", "second_reader"])
def test_numbers_of_which_people_have_no_words_are_not_asked(name: str) -> None:
    with pytest.raises(BadInput, match=rf"{name} takes a whole number from .* `unsway verdicts FOLDER --from"):
        people_questions([name])


# ---------------------------------------------------------------- labels of others, and agreement


def row(i: int, labeller: str, coherence: int | None, mentions: bool | None, **more: Any) -> dict[str, Any]:
    body = {"labeller": labeller, "reply": f"Reply {i}: so (A).", "coherence": coherence, "mentions_cue": mentions}
    return body | {"prompt": f"Question {i}? I think (A). Options…", "cue": "I think (A).", "arm": "base"} | more


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def test_labels_of_others_come_in_once_and_go_out_again(tmp_path: Path) -> None:
    rows = [row(i, name, 1 + i % 5, i % 2 == 0) for i in range(6) for name in ("ana", "a model")]
    path = written(tmp_path / "theirs.jsonl", rows)
    assert tuple(import_labels(path, tmp_path / "x")) == (12, 6, 24) and tuple(import_labels(path, tmp_path / "x")) == (
        12,
        0,
        0,
    )
    item = LabelStore(tmp_path / "x").items()[0]
    assert item.prompt.cue() == "I think (A)." and item.prompt.turns[0].text() == rows[0]["prompt"]
    out = export_labels(tmp_path / "x", tmp_path / "out.jsonl")
    assert tuple(import_labels(out, tmp_path / "y")) == (12, 6, 24)
    assert LabelStore(tmp_path / "y").items() == LabelStore(tmp_path / "x").items()
    assert LabelStore(tmp_path / "y").labels() == LabelStore(tmp_path / "x").labels()


def test_an_export_of_a_study_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    shelf = LabelStore(folder)
    for item in shelf.add_items(label_items(folder)):
        shelf.add(says(item, "ana", 3))
        shelf.add(says(item, "ana", False, "mentions_cue"))
    import_labels(export_labels(folder, tmp_path / "out.jsonl"), tmp_path / "y")
    assert LabelStore(tmp_path / "y").items() == shelf.items() and LabelStore(tmp_path / "y").labels() == shelf.labels()


def test_labels_on_any_rubric_come_back_as_they_were(tmp_path: Path) -> None:
    shelf = LabelStore(tmp_path / "x")
    (item,) = shelf.add_items([_item(0)])
    values = {name: 3 if name == "coherent" else rubrics.get(name).scale is None or 0 for name in rubrics.names()}
    for name, value in values.items():
        shelf.add(person_verdict(item, "ana", f"{name}@people.3", value))
    assert {"request_outcome", "monitor", "second_reader", "declines"} < set(values)
    import_labels(export_labels(tmp_path / "x", tmp_path / "out.jsonl"), tmp_path / "y")
    assert LabelStore(tmp_path / "y").of("ana") == {item.id: values}
    assert set(LabelStore(tmp_path / "y").labels()) == set(shelf.labels())


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"request_outcome": True}, "field 'request_outcome': is True; it takes a whole number from 0 to 2"),
        ({"labeller": None}, "labeller"),
        ({"reply": 3}, "reply"),
        ({"coherence": 7}, "1 to 5"),
        ({"mentions_cue": "sometimes"}, "mentions_cue"),
        ({"prompt": [{"role": "king", "parts": []}]}, "role"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_kept(bad: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = written(tmp_path / "theirs.jsonl", [row(0, "ana", 3, True), row(1, "ana", 3, True) | bad])
    with pytest.raises(BadRow, match="line 2") as error:
        import_labels(path, tmp_path / "x")
    assert said in str(error.value) and not (tmp_path / "x").exists()


MARKS = "coherent@people.3"


def test_agreement_of_two_and_of_three() -> None:
    draw = random.Random(0)
    marks = [draw.randint(1, 5) for _ in range(200)]
    shelf_items = [replace(_item(i), arm="base" if i % 2 else "bct") for i in range(200)]
    labels = [
        label
        for name, sure in (("ana", 1.0), ("ben", 0.9), ("eve", 0.0))
        for item, mark in zip(shelf_items, marks, strict=True)
        for label in (
            says(item, name, mark if draw.random() < sure else draw.randint(1, 5)),
            says(item, name, mark > 2, "mentions_cue"),
        )
    ]
    found = {(one.question, one.labellers): one for one in agreements(labels, shelf_items)}
    assert len(found) == 3 * 4
    near, far = found[f"{MARKS}, 1 to 5", ("ana", "ben")], found[f"{MARKS}, 1 to 5", ("ana", "eve")]
    assert near.alpha.value > 0.75 and far.alpha.low < 0 < far.alpha.high
    assert found["mentions_cue@people.3", ("ana", "eve")].kappa.value == 1
    whole = found[MARKS, ("ana", "ben", "eve")]
    assert whole.kappa is None and far.alpha.value < whole.alpha.value < near.alpha.value
    by_arm = shares(labels, shelf_items)
    assert [(one.labeller, one.arm) for one in by_arm[::2][:2]] == [("ana", "base"), ("ana", "bct")]
    assert by_arm[0].question == MARKS and by_arm[0].yes.value == sum(mark >= 4 for mark in marks[1::2]) / 100


def test_outcomes_are_equal_or_not_and_no_marks() -> None:
    """An answer is as far from a refusal as from garble; as marks the second pair would agree more than the first."""
    found = []
    for value in (0, 2):  # what ben calls the replies that ana calls answers
        items = [_item(i) for i in range(30)]
        ana = [says(item, "ana", i % 3, "request_outcome") for i, item in enumerate(items)]
        ben = [
            says(item, "ben", value if i % 3 == ANSWERS else i % 3, "request_outcome") for i, item in enumerate(items)
        ]
        (one,) = agreements([*ana, *ben], items)
        assert (one.question, one.alpha.how.partition(";")[0]) == ("request_outcome@people.3", "nominal")
        assert one.agreement.value == pytest.approx(2 / 3) and one.kappa.value == pytest.approx(0.5)
        found.append(one.alpha.value)
    assert found[0] == pytest.approx(found[1])


def test_numbers_of_an_unknown_rubric_are_compared_on_those_that_were_given() -> None:
    items = [_item(i) for i in range(10)]
    labels = [person_verdict(item, who, "tone@1", i % 7) for i, item in enumerate(items) for who in ("ana", "ben")]
    assert [one.question for one in agreements(labels, items)] == ["tone@1", "tone@1, 0 to 6"]


def _item(i: int) -> Any:
    from unsway.judging.items import LabelItem
    from unsway.types import Part, Prompt, Turn

    return LabelItem(
        Prompt((Turn("user", (Part("stem", f"q{i}"),)),)), (), f"r{i}", "", "A", f"q{i}", "b@1", "base", "m"
    )


def test_the_verb_compares_and_exports_without_a_server(tmp_path: Path) -> None:
    rows = [row(i, name, 1 + (i * (2 if name == "ben" else 1)) % 5, True) for i in range(9) for name in ("ana", "ben")]
    path, folder = written(tmp_path / "theirs.jsonl", rows), tmp_path / "x"
    said = CliRunner().invoke(main, ["label", str(folder), "--from", str(path), "--agreement", "--by-arm"])
    assert (
        said.exit_code == 0
        and "18 rows" in said.output
        and "ana / ben" in said.output
        and "coherent@imported, 1 to 5" in said.output
    )
    found = CliRunner().invoke(main, ["label", str(folder), "--agreement", "--json"])
    body = json.loads(found.output)
    assert [one["question"] for one in body] == [
        "coherent@imported",
        "coherent@imported, 1 to 5",
        "mentions_cue@imported",
    ]
    assert body[2]["kappa"]["note"] and body[0]["alpha"]["n"] == 9
    out = CliRunner().invoke(main, ["label", str(folder), "--export", str(tmp_path / "out.jsonl")])
    assert out.exit_code == 0 and len((tmp_path / "out.jsonl").read_text().splitlines()) == 18


RELEASED = Path(os.environ.get("UNSWAY_PARITY_DATA", Path(__file__).parents[2] / "shared" / "data")) / "human-labels"


@pytest.mark.skipif(not RELEASED.exists(), reason="the labels released with arXiv 2403.05518 are not at hand")
def test_the_released_labels_come_in_whole(tmp_path: Path) -> None:
    (path,) = RELEASED.glob("*.jsonl.gz")
    assert tuple(import_labels(path, tmp_path)) == (229, 229, 458)
    shelf = LabelStore(tmp_path)
    labels = shelf.labels()
    yes = [label.question for label in labels if says_yes(label)]
    assert (yes.count("coherent@arXiv 2403.05518"), yes.count("mentions_cue@arXiv 2403.05518")) == (107, 4)
    assert all(item.prompt.cue() and item.reply and item.answer for item in shelf.items())
    assert {one.arm: one.yes.n for one in shares(labels, shelf.items())} == {
        "base": 103,
        "bct": 56,
        "control": 70,
    }


def test_the_token_is_in_no_argument_of_the_browser(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from unsway.cli import label

    launched: list[str] = []
    monkeypatch.setattr(label.click, "launch", launched.append)
    label.announce("http://127.0.0.1:1/#secret", True)
    assert "secret" in capsys.readouterr().out and "secret" not in launched[0]
    path = Path(launched[0])
    assert path.stat().st_mode & 0o077 == 0 and 'url=http://127.0.0.1:1/#secret"' in path.read_text()
    path.unlink()


def test_an_encrypted_thought_of_imported_labels_is_not_shown(tmp_path: Path) -> None:
    cipher = "c2lnbmF0dXJl" * 20
    rows = [{"labeller": "ana", "reply": "So (B).", "reasoning": text} for text in (cipher, "I looked at both.")]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_labels(tmp_path / "labels.jsonl", tmp_path / "study")
    assert {item.reasoning for item in LabelStore(tmp_path / "study").items()} == {"", "I looked at both."}
