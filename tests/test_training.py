"""Training on the embedded model: killed and resumed it ends where an unbroken fit ends; a done fit is not done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.tiny import MODEL, example, losses, metrics, prompt, real, room_for, tiny_model
from unsway import assets
from unsway.backends import backend
from unsway.backends.export import export
from unsway.backends.local import Local
from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.rows import tokenise
from unsway.data.mixture import Mixture, Recipe
from unsway.data.provenance import Provenance, write_examples
from unsway.errors import BadInput, BadRow, ModelError, TrainingError, UnknownName
from unsway.models.weights import locate, read_checkpoint
from unsway.pairing import pairs
from unsway.store import dumps, read_jsonl, write_jsonl
from unsway.studies.train import train
from unsway.testing import toy_questions
from unsway.training import Backend, Bct, Control, Dpo, Method, check, fit, method
from unsway.training.seams import Texts
from unsway.types import Example, Settings


class Idle(Backend):
    """A back-end that can do nothing: enough to see what is refused before anything is spent."""

    name = "idle"

    def describe(self, base: str) -> str:
        raise AssertionError("asked before it was checked")

    check = fit = describe  # type: ignore[assignment]


def test_what_a_backend_cannot_do_is_refused_at_once() -> None:
    with pytest.raises(BadInput, match="'bct' needs a back-end that can fit rows; 'idle' can do nothing"):
        check(Bct(), Idle(), MODEL)
    with pytest.raises(BadInput, match="'bct' needs"):
        fit([example(0)], Bct(), MODEL, Idle(), "nowhere")


INSTRUCT = Example(prompt("Name a bird."), None, "A wren.", None, (), "instruct", None, MODEL)


@pytest.mark.parametrize(
    ("how", "bad", "why"),
    [
        (Bct(), replace(example(1), biased=None), "has no biased prompt"),
        (Bct(), replace(example(1), completion=None), "has no completion"),
        (Control(), replace(example(1), completion=None), "has no completion"),
        (Bct(), replace(INSTRUCT, completion=None), "has no completion"),
        (Dpo(), example(1), "has no rejected reply .*unsway data preferences"),
        (Dpo(), INSTRUCT, "is an instruct row and has no rejected reply"),
    ],
)
def test_rows_that_a_method_cannot_take_are_refused_with_their_number(how: Method, bad: Example, why: str) -> None:
    good = example(0, rejected="(D)")
    with pytest.raises(BadInput, match=rf"row 2 {why}.*'{how.name}' cannot train on it \(1 of 3 rows"):
        fit([good, bad, good], how, MODEL, backend("local"), "nowhere")


def test_no_rows_are_refused() -> None:
    with pytest.raises(BadInput, match="no examples"):
        fit([], Bct(), MODEL, backend("local"), "nowhere")


def test_methods_read_the_same_rows_and_take_what_they_need() -> None:
    row = example(3, rejected="(D) as you say")
    assert row.biased is not None
    assert Bct().texts(row) == Texts(row.biased.messages(), ("(D)",))
    assert Control().texts(row) == Texts(row.clean.messages(), ("(D)",))
    assert Dpo().texts(row) == Texts(row.biased.messages(), ("(D)", "(D) as you say"))
    assert [how.texts(INSTRUCT).prompt for how in (Bct(), Control())] == [INSTRUCT.clean.messages()] * 2


def test_methods_by_name() -> None:
    assert method("bct", learning_rate=1e-4) == Bct(learning_rate=1e-4)
    with pytest.raises(UnknownName, match="Did you mean 'control'"):
        method("controll")
    with pytest.raises(BadInput, match=r"Bct\.epochs is 0"):
        Bct(epochs=0)
    with pytest.raises(UnknownName, match="local"):
        backend("locale")


def test_train_takes_names_and_refuses_what_is_neither_a_name_nor_a_value() -> None:
    asked = "openai/gpt-4o-mini", toy_questions(8, split="train")
    with pytest.raises(
        BadInput, match="'act' needs a back-end that can show inner states; 'openai' can only fit replies"
    ):
        train("act", *asked, backend="openai")
    with pytest.raises(UnknownName, match="Did you mean 'bct'"):
        train("bctt", *asked)
    with pytest.raises(BadInput, match=r"is no method. Give one with its hyper-parameters, as Bct\(\)"):
        train(Bct, *asked)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"of the kind 'bct' is wrong: Bct\.epochs is -1"):
        train({"kind": "bct", "epochs": -1}, *asked)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="of the kind 'local' is wrong: save_every: Input should be"):
        train("bct", *asked, backend={"kind": "local", "save_every": 2.5})  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"is no back-end. Give one with its options, as Local\(\)"):
        train("bct", *asked, backend=Local)  # type: ignore[arg-type]


def test_bct_and_control_share_every_default() -> None:
    ours, theirs = ({f.name: getattr(how, f.name) for f in fields(how)} for how in (Bct(), Control()))
    assert ours == theirs and len(ours) > 5


FITTING = """
import sys
from unsway.backends import backend
from unsway.backends.export import export
from unsway.training import Bct, fit
fit(sys.argv[1], Bct(batch_size=4, learning_rate=1e-3), sys.argv[3], backend("local"), sys.argv[2])
"""


def start(rows: Path, folder: Path, base: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", FITTING, str(rows), str(folder), str(base)], stderr=subprocess.PIPE)


@real
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("default")  # torch's and transformers' own
def test_killed_in_the_middle_and_then_on_a_full_disk_it_ends_where_an_unbroken_fit_ends(tmp_path: Path) -> None:
    rows = write_jsonl(tmp_path / "rows.jsonl", [example(i) for i in range(100)])
    base = tiny_model(tmp_path / "base")
    whole, broken, full = (tmp_path / name for name in ("whole", "broken", "full"))
    how = Bct(batch_size=4, learning_rate=1e-3)
    fit(rows, how, str(base), backend("local"), whole)
    with start(rows, broken, base) as killed:
        while not (broken / "metrics.jsonl").exists() or 11 not in losses(broken):
            assert killed.poll() is None
            time.sleep(0.05)
        os.kill(killed.pid, signal.SIGKILL)
    assert not (broken / "checkpoint.json").exists()
    assert list((broken / "steps").glob("checkpoint-10"))
    for folder, said in (
        (broken, r"could not be saved.* is whole and is resumed from"),
        (full, "no step was saved before"),
    ):
        with room_for(30_000), pytest.raises(TrainingError, match=said):  # an adapter of 67 kB does not fit
            fit(rows, how, str(base), backend("local"), folder)
        assert not (folder / "checkpoint.json").exists()
    fit(rows, how, str(base), backend("local"), broken)
    assert [row["step"] for row in metrics(broken) if "about" in row][-2:] == [10, 10]
    assert len(losses(whole)) == 25
    assert losses(broken) == pytest.approx(losses(whole), rel=1e-5)
    assert locate(str(broken)).fingerprint != locate(str(base)).fingerprint

    fit(rows, how, str(base), backend("local"), whole)  # nothing is left to do
    assert len(metrics(whole)) == 27  # what it was computed on, 25 steps, a summary


@real
@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # torch's and transformers' own
def test_a_checkpoint_says_what_it_is_compared_as_and_which_biases_it_was_taught(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = pairs(toy_questions(8), ["suggested_answer/quoted", "post_hoc"])
    rows = [replace(example(i), pair_id=pair.id) for i, pair in enumerate(made)]
    given = Provenance("m", "w", "p", 0, Settings(), "toy")
    file = write_examples(tmp_path / "examples.jsonl", rows[:-1], made, [given] * (len(rows) - 1))
    base = str(tiny_model(tmp_path / "base"))
    for how, role, taught, said in (
        (Bct(batch_size=8), "trained", ("suggested_answer", "post_hoc"), "`suggested_answer`, `post_hoc`"),
        (Control(batch_size=8), "control", (), "none"),
    ):
        folder = tmp_path / how.name
        found = fit(file, how, base, backend("local"), folder)
        assert (found.role, found.trained_on) == (role, taught)
        assert read_checkpoint(folder) == found
        assert f"| biases it was trained on | {said} |" in (folder / "README.md").read_text(encoding="utf-8")

        before = replace(found, role="trained", trained_on=())  # as an earlier version left it
        (folder / "checkpoint.json").write_text(dumps(before) + "\n", encoding="utf-8")
        assert fit(file, how, base, backend("local"), folder) == found == read_checkpoint(folder)
    where, values = (base, backend("local"), tmp_path / "values"), caplog.records
    assert fit(rows, Bct(batch_size=16), *where).trained_on == ()
    assert [f"{len(rows)} of {len(rows)} rows teach is not known" in record.getMessage() for record in values][-1:] == [
        True
    ]
    mixed = Mixture(Recipe(), tuple(rows), tuple(made), (), {})
    assert fit(mixed, Bct(batch_size=16), *where).trained_on == ("suggested_answer", "post_hoc")
    halves = [
        [row for row, pair in zip(rows, made, strict=True) if pair.bias.startswith(name)] for name in ("post", "sugg")
    ]
    one, two = (Mixture(Recipe(), tuple(half), tuple(made), (), {}) for half in halves)
    fit(one, Bct(), base, backend("local"), tmp_path / "one")
    merged = str(export(tmp_path / "one", tmp_path / "merged"))
    assert fit(two, Bct(), merged, backend("local"), tmp_path / "two").trained_on == ("post_hoc", "suggested_answer")


@real
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("default")  # torch's and transformers' own
def test_the_loss_is_the_one_that_trl_computes_over_all_logits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trl import SFTTrainer

    rows, how = [example(i, text="Pick a letter" + i * " please") for i in range(8)], Bct(batch_size=4, epochs=2)
    base = str(tiny_model(tmp_path / "base", family="Mixtral"))  # TRL would add a loss of its own over experts
    fit(rows, how, base, backend("local"), tmp_path / "ours")
    monkeypatch.setattr("unsway.backends.local.target_loss.TargetLossTrainer", SFTTrainer)
    fit(rows, how, base, backend("local"), tmp_path / "theirs")
    assert losses(tmp_path / "ours") == pytest.approx(losses(tmp_path / "theirs"), rel=1e-3)  # bfloat16


@real
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("default")
def test_rows_that_do_not_fit_are_counted_and_nothing_is_cut(tmp_path: Path) -> None:
    rows = [example(0), example(1, text="word " * 9000)]
    with pytest.raises(TrainingError, match="1 of 2 examples are longer than the context"):
        fit(rows, Bct(), MODEL, backend("local"), tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint.json").exists()


@real
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_base_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    base = assets.model_folder(MODEL)
    for path in base.iterdir():
        if path.name not in ("chat_template.jinja", "manifest.json"):
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(ModelError, match="no chat template"):
        fit([example(0)], Bct(), str(tmp_path), backend("local"), tmp_path / "out")


@real
def test_a_reply_ends_in_training_as_its_chat_template_ends_it(tmp_path: Path) -> None:
    folder = assets.model_folder(MODEL)
    for path in folder.glob("*.json*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "chat_template.jinja").write_text(str(locate(MODEL).tokenizer.chat_template))
    (tmp_path / "model.safetensors").write_text("never loaded")
    ours, other = locate(MODEL), locate(str(tmp_path))
    turn, text = (ours.tokenizer.convert_tokens_to_ids(name) for name in ("<|im_end|>", "<|endoftext|>"))
    assert ours.end == turn == tokenise(ReplyFormat.of(ours), [Bct().texts(example(0))])[0].completions[0][-1]
    other.tokenizer.eos_token = "<|endoftext|>"
    assert other.tokenizer.eos_token_id == text and other.end == turn  # both end a reply; the template has one
    other.tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    del other.__dict__["end"]
    assert other.end == text  # a template that ends nothing
    other.__dict__["ends"] = frozenset()  # as where neither config nor tokenizer names one
    with pytest.raises(BadInput, match="names no token that ends a reply"):
        ReplyFormat.of(other)


def test_chats_that_others_wrote_train_without_a_detour(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}] * 3
    path = tmp_path / "chat.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(BadInput, match="is an instruct row and has no rejected reply"):
        fit(path, Dpo(), MODEL, backend("local"), tmp_path / "out")
    path.write_text('{"text": "Q and A"}\n')
    with pytest.raises(BadRow, match=r"line 1, field 'messages'.*is missing; a row has 'messages', 'prompt' and"):
        fit(path, Bct(), MODEL, backend("local"), tmp_path / "out")


def test_examples_come_back_as_they_were(tmp_path: Path) -> None:
    rows = tuple(example(i) for i in range(5))
    assert tuple(read_jsonl(write_jsonl(tmp_path / "rows.jsonl", rows), Example)) == rows
