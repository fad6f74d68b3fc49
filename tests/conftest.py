"""What all tests stand on: an interrupt reaches the processes they start, no property is timed, and no test leaves a trace.

A shell that starts us in the background has us ignore SIGINT, and so would every process that we start.
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

gc.set_threshold(20_000, 20, 100)  # a tenth of the time of an eval are collections, which find next to nothing

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

REGISTRIES: list[Registry[Any]] = []
IMPORTED = [0]
"""How many modules there were when objects were last set aside."""


_made = Registry.__init__


def _noted(registry: Registry[Any], *given: Any, **options: Any) -> None:
    """Make a registry, and note it here."""
    _made(registry, *given, **options)
    REGISTRIES.append(registry)


Registry.__init__ = _noted  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real runs first, so that no process is left with one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """What was imported so far stays: collections that tests and trainings ask for go over none of its million objects."""
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
    """So does what a test imported, if it was much: trainings ask for two collections each, half a second with torch's."""
    if len(sys.modules) > IMPORTED[0] + 200:
        pytest_collection_finish()


@pytest.fixture(autouse=True)
def forget_what_a_test_declares() -> Iterator[None]:
    """Biases, sources, … that a test declares, and a log that it shows, are gone when it ends: any order of tests will do."""
    for registry in list(REGISTRIES):
        registry.names()  # the first one to ask imports every module of the package: what is there now came with us
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
    """The folder of a tiny model, of each file's own."""
    from tests.tiny import tiny_model

    return tiny_model(tmp_path_factory.mktemp("base"))


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains in float32, whatever the machine has."""
    for module in ("live", "trainers"):
        monkeypatch.setattr(f"unsway.backends.local.{module}.training_dtype", lambda: "float32")


@pytest.fixture
def torch_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked takes the torch engine, which needs no export, where it is not told another."""
    from unsway.models.engines.base import engines

    monkeypatch.setattr(engines.get("openvino"), "rank", classmethod(lambda cls, *given: 0))
