"""A study on a real Ray cluster of two cores; with test_scale_interrupt.py, what `make scale` runs.

One process has the cluster and runs one study after the other; what kills workers and owners, and what looks at a running
folder, are other processes. `counting` notes each call of a model in a file, so that prompts asked twice are seen.

`make scale` also runs three checks of other files, which need no cluster: an executor of two processes gives what one process
gives, a network filesystem is refused by a table of mounts, and `import unsway` never imports Ray.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from counted import Counted
from counting import install

from unsway import layout
from unsway.backends import backends
from unsway.data import Recipe
from unsway.errors import BadInput
from unsway.store import dumps, replies_in
from unsway.studies import Study, Task, Trained, run
from unsway.studies.clusters import executor
from unsway.studies.inspect_folder import status as look
from unsway.types import Reply, Settings
from unsway.types.address import Address

pytestmark = [
    pytest.mark.scale,
    pytest.mark.timeout(400),
    pytest.mark.skipif(find_spec("ray") is None, reason="needs unsway[ray]"),
]
MODELS = ("counting/a", "counting/b", "counting/c")
CLUSTER = """
import json, sys
import ray
more = {"include_dashboard": False, "object_store_memory": 200_000_000, "log_to_driver": False}
ray.init("local", num_cpus=2, num_gpus=2, **more)
from unsway.errors import UnswayError
from unsway.planning.prices import Price
from unsway.store import loads
from unsway.studies import Study, run
from unsway.studies.on_ray import Ray
print("> ready", flush=True)
for line in sys.stdin:
    given = json.loads(line)
    study = loads(Study, given["study"])
    table = {model: Price(model, 1000.0, 1000.0, "2026-11") for model in study.models}
    try:
        on, most, args = Ray(lease=2.0, cpus=given["cpus"]), given["max_cost"], given["args"]
        run(study, given["folder"], on=on, max_cost=most, price_table=table, model_args=args)
        print("> done", flush=True)
    except UnswayError as error:
        print(">", type(error).__name__, str(error).replace("\\n", " "), flush=True)
"""


def study(n: int = 30, models: tuple[str, ...] = MODELS, **more: Any) -> Study:
    return Study(
        models=models,
        biases=("suggested_answer", "post_hoc"),
        tasks=Task("procedural/dates", n),
        settings=Settings(max_tokens=20),
        **more,
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of processes that know the plug-in, with a place of their own for scratch folders."""
    place = tmp_path_factory.mktemp("plugin")
    install(place)
    here = Path(__file__).parent
    paths = [place, here, here.parent, *filter(None, [os.environ.get("PYTHONPATH")])]
    scratch = place / "scratch"
    scratch.mkdir()
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_memory_monitor_refresh_ms": "0", "RAY_AUTH_MODE": "disabled"}
    quiet["RAY_worker_niceness"] = "0"  # 15 by default, which on a busy machine makes this lane take minutes
    quiet["PYTHONDONTWRITEBYTECODE"] = ""  # where it is set, every worker compiles Inspect anew: twice the seconds
    more = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "TMPDIR": str(scratch), "RAY_TMPDIR": "/tmp"}
    return os.environ | quiet | more


class Cluster:
    """The process that has the cluster."""

    def __init__(self, environment: dict[str, str]) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-c", CLUSTER], env=environment, **pipes
        )
        assert self.said() == "ready"

    def start(
        self, study: Study, folder: Path, *, seconds: float = 0.0, max_cost: float | None = None, cpus: float = 1.0
    ) -> None:
        args = {"log": str(folder.with_suffix(".log")), "seconds": seconds, "weights": "counted"}
        given = {"study": dumps(study), "folder": str(folder), "max_cost": max_cost, "args": args, "cpus": cpus}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(given) + "\n")
        self.process.stdin.flush()

    def said(self) -> str:
        """What it says next; Ray speaks to the same pipe."""
        assert self.process.stdout is not None
        return next(line[2:].strip() for line in self.process.stdout if line.startswith("> "))


@pytest.fixture(scope="module")
def cluster(environment: dict[str, str]) -> Iterator[Cluster]:
    made = Cluster(environment)
    yield made
    assert made.process.stdin is not None
    made.process.stdin.close()
    try:
        made.process.wait(30)
    finally:
        made.process.kill()
        assert made.process.stdout is not None
        made.process.stdout.close()


def replies(folder: Path) -> list[Reply]:
    return [*replies_in(folder / layout.REPLIES)]


def n_rows(folder: Path) -> int:
    return (folder / layout.REPLIES).read_bytes().count(b"\n")


def calls(folder: Path) -> Counter[str]:
    """How often each prompt of each model was asked."""
    return Counter(" ".join(line.split()[:2]) for line in folder.with_suffix(".log").read_text().splitlines())


def wait_until(there: Callable[[], Any], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def working(folder: Path) -> list[int]:
    """Processes of workers that have asked something."""
    path = folder.with_suffix(".log")
    return list(dict.fromkeys(int(line.split()[2]) for line in path.read_text().splitlines())) if path.exists() else []


def owner_of(cluster: Cluster) -> list[psutil.Process]:
    found = psutil.Process(cluster.process.pid).children(recursive=True)
    return [one for one in found if one.is_running() and one.name().startswith("ray::StudyOwner")]


def same(one: Reply) -> str:
    return dumps(one)


def test_a_cluster_gives_what_one_process_gives_and_asks_nothing_twice(
    cluster: Cluster, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(study(), tmp_path / "here", model_args={"log": str(tmp_path / "here.log"), "weights": "counted"})
    cluster.start(study(), tmp_path / "ray", seconds=0.05)
    looked = [sys.executable, "-m", "unsway", "status", str(tmp_path / "ray"), "--json"]
    wait_until(lambda: working(tmp_path / "ray"))
    status = json.loads(subprocess.run(looked, env=environment, capture_output=True, text=True, check=True).stdout)
    assert {place["arm"] for place in status["places"]} == set(MODELS)
    assert "asking" in {place["state"] for place in status["places"]}
    assert cluster.said() == "done"
    assert sorted(map(same, replies(tmp_path / "ray"))) == sorted(map(same, replies(tmp_path / "here")))
    assert n_rows(tmp_path / "ray") == len(calls(tmp_path / "ray")) == 270
    assert set(calls(tmp_path / "ray").values()) == {1}
    rows = (tmp_path / "ray.log").read_text().splitlines()
    assert {tuple(row.split()[3:]) for row in rows} == {()}, "whoever asks a hosted model sees no GPU"
    assert len(working(tmp_path / "ray")) == 2, "three arms on two cores: no more of them at once than cores"
    after = look(tmp_path / "ray")
    assert {place.state for place in after.places} == {"done"} and not after.running
    for name in (layout.STUDY, layout.PAIRS, layout.QUESTIONS):
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_a_killed_worker_and_a_killed_owner_lose_no_reply(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "ray"
    cluster.start(study(60), folder, seconds=0.2)
    os.kill(wait_until(lambda: working(folder))[0], signal.SIGKILL)
    wait_until(lambda: n_rows(folder) > 40)
    (owner,) = owner_of(cluster)
    kept = {Address.of(one).key() for one in replies(folder)}
    owner.kill()
    assert cluster.said() == "done"
    found = Counter(Address.of(one).key() for one in replies(folder))
    assert n_rows(folder) == len(found) == 3 * 180 and kept <= found.keys()
    twice = [key for key, n in calls(folder).items() if n > 1]
    assert len(twice) <= 20, "only what was in flight when its worker was killed is asked again"


def test_an_address_where_no_cluster_is_is_said_at_once(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(BadInput, match=r"'127\.0\.0\.1:9' cannot be used \(.*refused\).*`ray start --head` starts one"):
        run(study(), tmp_path, on=executor("ray:127.0.0.1:9"))
    assert time.monotonic() - start < 60, "Ray itself tries for minutes"


def test_workers_keep_one_budget(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "ray"
    cluster.start(study(), folder, max_cost=10.0, seconds=0.01)
    assert cluster.said().startswith("BudgetReached")
    spent = n_rows(folder) * (100 + 8) * 1000.0 / 1e6
    assert 0.8 * 10.0 < spent <= 10.0


def test_no_more_fits_at_once_than_gpus(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backends.names()
    monkeypatch.setattr(backends, "_things", backends._things | {"counted": Counted})
    log = tmp_path / "fits.log"
    trained = Trained(
        "control", tasks=Task("procedural/arithmetic", 12), recipe=Recipe(n=4, instruct=0), backend=Counted(str(log))
    )
    cluster.start(study(4, ("counting/a",), interventions=trained, seeds=(0, 1, 2)), tmp_path / "ray", cpus=0.1)
    assert cluster.said() == "done"
    fits = [line.split() for line in log.read_text().splitlines()]
    assert len(fits) == 3 and {fit[2] for fit in fits} <= {"0", "1"}
    for start, _, _ in fits:
        assert sum(float(a) <= float(start) < float(b) for a, b, _ in fits) <= 2
    assert len([*(tmp_path / "ray" / layout.TRAINED).glob("*/checkpoint.json")]) == 3
