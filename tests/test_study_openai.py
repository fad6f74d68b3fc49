"""A study that trains at OpenAI, through the real SDK and a local server; its limit on the cost holds for trainings."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.openai_server import OpenAiServer
from unsway.data import Recipe
from unsway.errors import BadInput, BudgetReached
from unsway.reporting.costs import costs
from unsway.studies import Study, Task, Trained, run
from unsway.types import Settings

pytest.importorskip("openai")
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # inspect_ai leaves connections to the collector
RECIPE = Recipe(n=12, instruct=2, biases=("suggested_answer", "suggested_against"), max_tokens=200)
STUDY = Study(
    models="openai/gpt-4o-mini-2024-07-18",
    interventions=("none", Trained(recipe=RECIPE, tasks=(Task("procedural/ordering", 30),), backend="openai")),
    biases="suggested_answer",
    tasks=Task("procedural/dates", 4),
    settings=Settings(max_tokens=200),
)
BILL = 123_456 * 3.0 / 1e6
"""What the server says it trained on, at the price of the table."""


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAiServer]:
    with OpenAiServer(course=("succeeded",)) as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


def test_base_and_trained_stand_in_one_table(server: OpenAiServer, tmp_path: Path) -> None:
    found = run(STUDY, tmp_path, max_cost=5)
    assert [(arm.label, arm.role) for arm in found.arms] == [("base", "base"), ("bct", "trained")]
    assert [cell.n_pairs for cell in found.cells] == [4, 4]
    assert [one.dollars for one in costs(found)] == [None, pytest.approx(BILL)]
    n = len(server.calls)
    run(STUDY, tmp_path, max_cost=5)
    assert len(server.calls) == n and len(server.jobs) == 1


def test_a_training_that_would_pass_the_limit_is_not_started(server: OpenAiServer, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Training would cost about \$0\.00\d+, more than the \$0\.00\d+ allowed"):
        run(STUDY, tmp_path, max_cost=0.002)
    assert len(server.said("POST", "/chat/completions")) >= 8 + 14  # the base, and the targets
    assert server.files == {} and server.jobs == {}


def test_what_a_training_cost_is_not_there_for_replies(server: OpenAiServer, tmp_path: Path) -> None:
    with pytest.raises(BudgetReached):
        run(STUDY, tmp_path, max_cost=BILL)
    assert len(server.jobs) == 1
    assert "ft:" not in {call.body["model"][:3] for call in server.said("POST", "/chat/completions")}
