"""Set-up of all tests: interrupts reach the processes they start, properties have no time limit, and tests leave no trace.

A shell that starts pytest in the background makes it ignore SIGINT, and its child processes would inherit that.
"""

import gc
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from unsway.registry import Registry

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

gc.set_threshold(20_000, 20, 100)  # collections take a tenth of an eval's time and find next to nothing

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

REGISTRIES: list[Registry[Any]] = []
IMPORTED = [0]
"""Number of imported modules when objects were last frozen (`gc.freeze`)."""


_made = Registry.__init__


def _noted(registry: Registry[Any], *given: Any, **options: Any) -> None:
    """Make a registry, and record it in `REGISTRIES`."""
    _made(registry, *given, **options)
    REGISTRIES.append(registry)


Registry.__init__ = _noted  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so no worker is left with one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Freeze everything imported so far, so explicit collections by tests and trainings skip its million objects."""
    gc.collect()
    gc.freeze()
    IMPORTED[0] = len(sys.modules)


def pytest_runtest_setup() -> None:
    """Without a display Inspect still lays out a table at the end of each eval: a third of the time of a small one."""
    display = sys.modules.get("inspect_ai._display.rich.display")
    if display:
        assert hasattr(display, "tasks_results"), "Inspect moved it: look for what it lays out now"
        display.tasks_results = lambda tasks: ""  # type: ignore[attr-defined]


def pytest_runtest_logfinish() -> None:
    """Freeze again if a test imported much: each training runs two collections, which take half a second with torch."""
    if len(sys.modules) > IMPORTED[0] + 200:
        pytest_collection_finish()


@pytest.fixture(autouse=True)
def forget_what_a_test_declares() -> Iterator[None]:
    """Undo what a test declares (biases, sources, …) and its log settings, so the order of tests does not matter."""
    for registry in list(REGISTRIES):
        registry.names()  # imports every module of the package, so what is registered now is our own
    kept = [(registry, dict(registry._things)) for registry in REGISTRIES]
    log = logging.getLogger("unsway")
    level, handlers = log.level, list(log.handlers)
    yield
    for registry, things in kept:
        registry._things = things
    log.setLevel(level)
    log.handlers[:] = handlers


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model, one per test file."""
    from tests.tiny import tiny_model

    return tiny_model(tmp_path_factory.mktemp("base"))


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in float32 on any machine."""
    for module in ("live", "trainers"):
        monkeypatch.setattr(f"unsway.backends.local.{module}.training_dtype", lambda: "float32")


@pytest.fixture
def torch_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the torch engine, which needs no export, unless a test names another."""
    from unsway.models.engines.base import engines

    monkeypatch.setattr(engines.get("openvino"), "rank", classmethod(lambda cls, *given: 0))
