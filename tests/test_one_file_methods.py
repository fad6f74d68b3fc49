"""A method is one file, and so is a back-end: each toy below stands for such a file, and nothing else is edited.

There is a method that only fits, one that reads both prompts and the inner states, one that samples; and a back-end with an
option of its own. Listings, `unsway train` and a study know them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from tests.tiny import example, loads_torch, losses, metrics, real
from unsway.backends import backend, backends
from unsway.backends.local import Local
from unsway.cli import main
from unsway.disk import write_text
from unsway.errors import BadInput, TrainingError
from unsway.models.weights import load_model, locate, read_checkpoint
from unsway.store import dumps, loads, write_jsonl
from unsway.studies.study import Study, Trained
from unsway.studies.study import check as study_check
from unsway.training import (
    Backend,
    Bct,
    Method,
    Policy,
    Tuner,
    WhiteBox,
    check,
    examples_sha256,
    fit,
    method,
    methods,
)
from unsway.training.seams import CrossEntropy, LoraOn, Tensor, Texts
from unsway.types import Checkpoint, Example, Settings

ROWS = tuple(example(i) for i in range(8))


# ---------------------------------------------------------------- three toys, each as it would stand in its own file


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(Method):
    """BCT whose prompt warns of the cue: a method that only fits says which texts it reads."""

    warning: str = "Ignore hints. "
    """What is said in front of the biased prompt. Ours."""
    lora_on: LoraOn = "all-linear"
    """Layers that get the adapter. Ours."""

    name: ClassVar[str] = "warned"
    summary: ClassVar[str] = "biased prompt behind a warning → the model's own clean reply"

    def texts(self, row: Example) -> Texts:
        """The warning and the biased prompt, and the clean reply."""
        first, *rest = (row.biased or row.clean).messages()
        return Texts((replace(first, content=self.warning + first.content), *rest), (row.completion or "",))


@dataclass(frozen=True, slots=True, kw_only=True)
class SameStates(Method):
    """The last prompt token has under the biased prompt the states that the base has under the clean one."""

    name: ClassVar[str] = "same_states"
    summary: ClassVar[str] = "inner states under the biased prompt → the base's under the clean one"
    needs: ClassVar[frozenset[Any]] = frozenset({WhiteBox})
    reads: ClassVar[frozenset[str]] = frozenset({"biased"})
    takes_instruct: ClassVar[bool] = False

    def loss(self, rows: Sequence[Example], model: WhiteBox) -> Tensor:
        """Squared distance of the last token's states, mean over layers, width and rows."""
        biased = model.forward([model.encode(row.biased.messages()) for row in rows if row.biased], "hidden")
        clean = model.forward([model.encode(row.clean.messages()) for row in rows], "hidden", base=True)
        gaps = [(b_LTD[:, -1] - c_LTD[:, -1]).pow(2).mean() for b_LTD, c_LTD in zip(biased, clean, strict=True)]
        return sum(gaps) / len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnItsOwn(Method):
    """Replies sampled under the biased prompt become as likely as the base finds them under the clean one."""

    name: ClassVar[str] = "on_its_own"
    summary: ClassVar[str] = "own samples under the biased prompt, scored by the base under the clean one"
    needs: ClassVar[frozenset[Any]] = frozenset({Policy})
    reads: ClassVar[frozenset[str]] = frozenset({"biased"})
    takes_instruct: ClassVar[bool] = False

    def update(self, batch: Sequence[Example], model: Policy) -> None:
        """Sample anew for each step, then step on what was sampled."""
        prompts = [model.encode(row.biased.messages()) for row in batch if row.biased]
        settings = Settings(temperature=1.0, max_tokens=4, seed=model.steps)
        said = {row.pair_id: one for row, (one,) in zip(batch, model.sample(prompts, 1, settings), strict=True)}

        def loss(part: Sequence[Example], model: Policy) -> Tensor:
            replies = [said[row.pair_id] for row in part]
            cleans = [model.encode(row.clean.messages()) for row in part]
            cleans = [replace(a, completion=b.completion) for a, b in zip(cleans, replies, strict=True)]
            ours, theirs = model.logprobs(replies), model.logprobs(cleans, base=True)
            gaps = [(a - b).detach().sum() * a.sum() for a, b in zip(ours, theirs, strict=True)]
            return sum(gaps) / len(part)

        model.step(batch, loss)


@dataclass(frozen=True)
class Elsewhere(Backend):
    """A back-end that writes down what it was given, and hands the base back."""

    region: str = "south"
    """An option of its own. Ours."""

    name: ClassVar[str] = "elsewhere"
    summary: ClassVar[str] = "somewhere else"
    offers: ClassVar[frozenset[Any]] = frozenset({Tuner})
    objectives: ClassVar[frozenset[Any]] = frozenset({CrossEntropy})

    def fit(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Checkpoint:
        """Write the texts, and a record of a model that a provider keeps."""
        write_text(folder / "sent.txt", "\n".join(f"{self.region}: {method.texts(row)}" for row in rows))
        found = Checkpoint(
            f"there/{base}", base, self.name, base, repr(method), examples_sha256(rows), 1, len(rows), 0.25
        )
        write_text(folder / "checkpoint.json", dumps(found))
        return found


METHODS = (Warned, SameStates, OnItsOwn)
BACKENDS = (Elsewhere,)


@pytest.fixture(autouse=True)
def _added(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry, toys in ((methods, METHODS), (backends, BACKENDS)):
        registry.names()
        monkeypatch.setattr(registry, "_things", registry._things | {toy.name: toy for toy in toys})


# ---------------------------------------------------------------- where they show up


@pytest.mark.parametrize(
    ("kind", "shipped", "toys"),
    [("methods", ("bct", "control", "dpo"), METHODS), ("backends", ("local", "openai"), BACKENDS)],
)
def test_the_command_line_lists_them(kind: str, shipped: tuple[str, ...], toys: tuple[Any, ...]) -> None:
    listed = json.loads(CliRunner().invoke(main, ["list", kind, "--json"], catch_exceptions=False).stdout)
    summaries = {row["name"]: row["summary"] for row in listed}
    assert {toy.name: toy.summary for toy in toys}.items() <= summaries.items() and set(shipped) < set(summaries)


@pytest.mark.parametrize("how", [Warned(warning="Beware. "), SameStates(), OnItsOwn(batch_size=4)])
def test_a_study_holds_them_and_is_written_and_read(how: Method) -> None:
    trained = Trained(how, backend=Elsewhere(region="north"))
    study = Study(models="unsway/smollm2-135m", biases="post_hoc", tasks="procedural/dates", interventions=trained)
    assert loads(Study, dumps(study)) == study
    assert str(how) in repr(study) or type(how).__name__ in repr(study)
    if how == Warned(warning="Beware. "):
        study_check(study)
    else:
        with pytest.raises(BadInput, match="'elsewhere' can only fit replies"):
            study_check(study)


def test_a_back_end_that_cannot_do_them_refuses_before_anything_is_spent() -> None:
    with pytest.raises(
        BadInput, match="'same_states' needs a back-end that can show inner states; 'openai' can only fit"
    ):
        check(method("same_states"), backend("openai"), "openai/gpt-4o-mini")
    with pytest.raises(BadInput, match="'on_its_own' needs a back-end that can sample, score and step"):
        check(method("on_its_own"), backend("openai"), "openai/gpt-4o-mini")
    check(Warned(), backend("openai"), "openai/gpt-4o-mini")
    with pytest.raises(BadInput, match="loop of its own, without packing"):
        check(SameStates(), Local(packing=True), "nowhere")
    with pytest.raises(BadInput, match=r"row 2 has no biased prompt, so 'same_states' cannot train on it \(1 of 2"):
        fit([ROWS[0], replace(ROWS[1], biased=None)], SameStates(), "nowhere", Local(), "nowhere")


# ---------------------------------------------------------------- they train


def test_a_back_end_trains_from_the_shell_with_its_own_options(tmp_path: Path) -> None:
    path, out = write_jsonl(tmp_path / "rows.jsonl", ROWS), tmp_path / "out"
    words = ["train", str(path), "--base", "big", "--method", "warned", "--backend", "elsewhere", "--out", str(out)]
    done = CliRunner().invoke(main, [*words, "--option", "region=west", "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["model"] == "there/big"
    sent = (out / "sent.txt").read_text().splitlines()
    assert len(sent) == len(ROWS) and all(
        line.startswith("west: ") and "Ignore hints. I would" in line for line in sent
    )
    assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0  # done already
    assert (out / "sent.txt").read_text().splitlines() == sent
    wrong = CliRunner().invoke(main, [*words, "--option", "planet=mars"])
    assert wrong.exit_code == 1 and "'elsewhere' has no option 'planet'; it has region" in wrong.stderr


@real
@loads_torch
def test_one_that_only_fits_trains_from_the_shell(base: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", ROWS)
    words = ["train", str(path), "--base", str(base), "--method", "warned", "--out", str(tmp_path / "out")]
    settings = [
        "--set",
        "batch_size=4",
        "--set",
        "warning=Beware of (D). ",
        "--set",
        "learning_rate=0.01",
        "--set",
        "lora_on=qv",
    ]
    done = CliRunner().invoke(main, [*words, *settings, "--json"], catch_exceptions=False)
    record = json.loads(done.stdout[done.stdout.index("{") :])
    assert record["steps"] == 2 and record["method"].startswith("Warned(") and "Beware of (D). " in record["method"]
    assert set(losses(tmp_path / "out")) == {1, 2}
    adapter = json.loads((tmp_path / "out/adapter_config.json").read_text())
    assert sorted(adapter["target_modules"]) == ["q_proj", "v_proj"]


@real
@loads_torch
@pytest.mark.usefixtures("float32")
def test_one_that_reads_inner_states_of_both_prompts_trains(base: Path, tmp_path: Path) -> None:
    how = SameStates(batch_size=4, epochs=4, learning_rate=1e-3)
    made = fit(ROWS, how, str(base), Local(), tmp_path / "out")
    found = losses(tmp_path / "out")
    assert made.steps == len(found) == 8 and made.tokens > 0
    assert 0 < found[8] < 0.5 * found[1]
    assert [row["step"] for row in metrics(tmp_path / "out") if "about" in row] == [0]
    assert locate(made.uri).fingerprint != locate(str(base)).fingerprint
    assert load_model(locate(made.uri))
    again = fit(ROWS, how, str(base), Local(rows_at_once=1), tmp_path / "again")
    assert losses(tmp_path / "again") == pytest.approx(found, rel=1e-3) and again.steps == 8
    assert fit(ROWS, how, str(base), Local(), tmp_path / "out") == made  # done already


@real
@loads_torch
def test_one_that_samples_trains(base: Path, tmp_path: Path) -> None:
    made = fit(ROWS, OnItsOwn(batch_size=4, learning_rate=1e-3), str(base), Local(), tmp_path / "out")
    assert made.steps == 2 and set(losses(tmp_path / "out")) == {1, 2}
    fit(ROWS, OnItsOwn(batch_size=4, learning_rate=1e-3), str(base), Local(), tmp_path / "again")
    assert losses(tmp_path / "again") == losses(tmp_path / "out")


# ---------------------------------------------------------------- what the live model says is true


@real
@loads_torch
@pytest.mark.usefixtures("float32")
@pytest.mark.parametrize("rank", [16, 0])
def test_the_live_model_is_the_model(base: Path, tmp_path: Path, rank: int) -> None:
    import torch

    plain = load_model(locate(str(base)))
    plain.set_attn_implementation("eager")
    how = SameStates(batch_size=4, learning_rate=1e-2, lora_rank=rank)
    with Local().open(ROWS, how, str(base), tmp_path / "out") as model:
        texts = [model.encode(row.biased.messages(), row.completion) for row in ROWS[:3] if row.biased]
        texts[1] = replace(texts[1], completion=texts[1].completion * 3)  # rows of unlike length
        for steps in (0, 2):
            found = {want: model.forward(texts, want, base=True) for want in ("hidden", "attention", "mlp")}
            scores = model.logprobs(texts, base=True)
            for i, one in enumerate(texts):
                ids = torch.tensor([[*one.prompt, *one.completion]])
                n, first = ids.shape[1], len(one.prompt) - 1
                with torch.no_grad():
                    out = plain(ids, output_hidden_states=True, output_attentions=True)
                close = {"rtol": 1e-4, "atol": 1e-5}
                inner = torch.stack(out.hidden_states[1:-1])[:, 0]  # the last of transformers' is normed
                torch.testing.assert_close(found["hidden"][i][:-1], inner, **close)
                torch.testing.assert_close(plain.model.norm(found["hidden"][i][-1]), out.hidden_states[-1][0], **close)
                torch.testing.assert_close(found["attention"][i], torch.stack(out.attentions)[:, 0], **close)
                assert found["mlp"][i].shape == (2, n, 64) and found["hidden"][i].shape == (2, n, 32)
                expected = out.logits[0, first:-1].log_softmax(-1).gather(1, ids[0, first + 1 :, None])[:, 0]
                torch.testing.assert_close(scores[i], expected, **close)
                assert not scores[i].requires_grad
            current = model.logprobs(texts)
            assert all(torch.equal(a, b) for a, b in zip(current, scores, strict=True)) == (steps == 0)
            for batch in how.batches(ROWS):
                model.step(batch, how.loss)


def unlikely(rows: Sequence[Example], model: Policy) -> Tensor:
    """How likely the reply (D) is."""
    return model.logprobs([model.encode(row.clean.messages(), "(D)") for row in rows])[0].mean()


@real
@loads_torch
def test_samples_are_of_the_current_weights_and_depend_on_their_seed_alone(base: Path, tmp_path: Path) -> None:
    with Local().open(ROWS, SameStates(batch_size=4, learning_rate=0.5), str(base), tmp_path / "out") as model:
        prompts = [model.encode(row.clean.messages()) for row in ROWS[:3]]
        hot = Settings(temperature=1.0, max_tokens=6, seed=1)
        first = model.sample(prompts, 2, hot)
        assert [len(each) for each in first] == [2, 2, 2] and len({each.completion for (each, _) in first}) == 3
        assert model.sample(prompts[1:], 2, hot) == first[1:] and first[0][0] != first[0][1]
        assert model.sample(prompts, 2, replace(hot, seed=2)) != first
        assert all(isinstance(model.decode(each.completion), str) for pair in first for each in pair)
        greedy = Settings(max_tokens=6)
        before = model.sample(prompts, 1, greedy)
        for batch in SameStates(batch_size=4).batches(ROWS):
            model.step(batch, unlikely)
        assert model.sample(prompts, 1, greedy) != before


def cross_entropy(rows: Sequence[Example], model: Policy) -> Tensor:
    """What `Bct` learns, written on the policy."""
    texts = [Bct().texts(row) for row in rows]
    found = model.logprobs([model.encode(text.prompt, text.completions[0]) for text in texts])
    return -sum(logprobs.mean() for logprobs in found) / len(rows)


@real
@loads_torch
def test_a_loss_on_the_policy_is_that_of_the_tuner(base: Path, tmp_path: Path) -> None:
    how = Bct(batch_size=8, learning_rate=1e-2)
    fit(ROWS, how, str(base), Local(), tmp_path / "tuner")
    with Local(rows_at_once=3).open(ROWS, how, str(base), tmp_path / "policy") as model:
        assert model.step(ROWS, cross_entropy) == pytest.approx(losses(tmp_path / "tuner")[1], rel=1e-5)
        assert model.step(ROWS, cross_entropy) < losses(tmp_path / "tuner")[1]
        assert model.tokens == 2 * read_checkpoint(tmp_path / "tuner").tokens


@real
@loads_torch
def test_rows_longer_than_the_context_are_refused_before_a_loop_begins(base: Path, tmp_path: Path) -> None:
    rows = [*ROWS, example(8, text="word " * 600)]
    with pytest.raises(TrainingError, match=r"1 of 9 examples are longer .*512.*the first is row 9"):
        fit(rows, SameStates(batch_size=4), str(base), Local(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@real
@loads_torch
def test_a_loss_that_is_no_loss_is_refused_and_changes_nothing(base: Path, tmp_path: Path) -> None:
    with Local().open(ROWS, SameStates(batch_size=4), str(base), tmp_path / "out") as model:
        texts = [model.encode(row.clean.messages(), "(A)") for row in ROWS[:2]]
        before = model.logprobs(texts)
        with pytest.raises(BadInput, match="must be one number that depends on the weights"):
            model.step(ROWS[:2], lambda rows, live: live.logprobs(texts, base=True)[0].mean())
        with pytest.raises(TrainingError, match=r"loss is nan at step 1, on rows 1, 2 of the training set\."):
            model.step(ROWS[:2], lambda rows, live: live.logprobs(texts)[0].mean() * float("nan"))
        assert all((a == b).all() for a, b in zip(model.logprobs(texts), before, strict=True)) and model.steps == 0
        with pytest.raises(BadInput, match="no states 'thoughts'; known: hidden, attention, mlp, logits"):
            model.forward(texts, "thoughts")  # type: ignore[arg-type]
        with pytest.raises(TrainingError, match=r"A row has \d+ tokens and .* reads 512"):
            model.encode(ROWS[0].clean.messages(), "word " * 600)
