"""A server that does not say how many tokens a reply took: the limit on the cost holds, and nothing is shown as free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.openai_server import OpenAiServer, let_go
from unsway.cli import main
from unsway.planning.budget import Budget
from unsway.planning.plan import Evidence, ModelPlan, PromptLength
from unsway.planning.prices import Price
from unsway.reporting.costs import as_text, costs
from unsway.store import ReplyStore
from unsway.studies.folder import results
from unsway.studies.inspect_folder import status
from unsway.types import Settings

pytest.importorskip("openai")
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
MODEL = "openai-api/local/m"
PRICE = {MODEL: Price(MODEL, 1000.0, 1000.0, "2026-11")}
"""A dollar for a thousand tokens."""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-unmetered")
    yield
    let_go()


def measured(server: OpenAiServer, folder: Path, *more: str) -> Result:
    table = folder / "prices.txt"
    table.write_text(f"{MODEL} 1000 1000 2026-11\n", encoding="utf-8")
    asked = f"measure {MODEL} --questions procedural/arithmetic -n 10 --biases suggested_answer --max-tokens 40".split()
    asked += ["-M", f"base_url={server.url}", "-M", "max_connections=1", "--prices", str(table), *more]
    return CliRunner().invoke(main, [*asked, "--out", str(folder / "out")])


def test_the_limit_holds_and_counts_what_an_earlier_run_spent(tmp_path: Path) -> None:
    text = "Words. " * 9 + "The best answer is: (A)."
    with OpenAiServer(answer=lambda body: text, reports_usage=False) as server:
        first = measured(server, tmp_path, "--max-cost", "2")
        assert first.exit_code == 1 and "stopped before the limit of $2" in first.stderr
        n = len(server.calls)
        assert 0 < n < 20
        assert first.stderr.count("does not report how many tokens it uses") == 1
        replies = [*ReplyStore(tmp_path / "out" / "replies.jsonl")]
        assert all(reply.tokens_estimated and reply.tokens_in > 50 for reply in replies)
        assert {reply.tokens_out for reply in replies} == {40} and {reply.stop for reply in replies} == {"end"}
        budget = Budget(2.0, PRICE)
        budget.count(replies)
        assert 1 < budget.spent <= 2
        again = measured(server, tmp_path, "--max-cost", "2")
        assert again.exit_code == 1 and len(server.calls) == n


def test_costs_are_shown_as_estimated(tmp_path: Path) -> None:
    with OpenAiServer(reports_usage=False) as server:
        assert measured(server, tmp_path).exit_code == 0
    (cost,) = costs(results(tmp_path / "out"), PRICE)
    assert cost.n_estimated == cost.n_replies == 20 and cost.spent is not None and cost.spent > 1
    assert as_text(results(tmp_path / "out"))[0][2].startswith("est. ")
    words = ["status", str(tmp_path / "out"), "--prices", str(tmp_path / "prices.txt")]
    said = " ".join(CliRunner().invoke(main, words).stdout.split())
    assert "estimated from characters because the provider reports no tokens" in said and "$0.00 spent" not in said


def test_replies_whose_tokens_nobody_knows_have_no_cost(tmp_path: Path) -> None:
    rows = [
        {"question_id": str(i), "options": ["a", "b"], "gold": "A", "target": "B", "bias": "x", "arm": side}
        | {"model": MODEL, "reply": "The best answer is: (A)."}
        for i in range(3)
        for side in ("clean", "biased")
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["import", str(file), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    (cost,) = costs(results(tmp_path / "out"), PRICE)
    assert cost.spent is None and cost.n_unknown == cost.n_replies == 6
    assert as_text(results(tmp_path / "out"))[0][2:5] == ("not reported",) * 3
    found = status(tmp_path / "out", PRICE)
    assert found.cost is None and found.n_unknown == 6


def test_a_plan_does_not_learn_from_tokens_that_nobody_counted(tmp_path: Path) -> None:
    with OpenAiServer(reports_usage=False) as server:
        assert measured(server, tmp_path).exit_code == 0
    replies = [*ReplyStore(tmp_path / "out" / "replies.jsonl")]
    lengths = {reply.prompt_id: PromptLength(1, 100.0, "cot") for reply in replies}
    known = ModelPlan.of(MODEL, lengths, 2, replies, Evidence(prices=PRICE), Settings())
    new = ModelPlan.of(MODEL, lengths, 2, [], Evidence(prices=PRICE), Settings())
    assert (known.tokens_in, known.tokens_out) == (new.tokens_in / 2, new.tokens_out / 2)
