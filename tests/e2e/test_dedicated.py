"""Versions in Serve applications of their own: the same answers through kill, upgrade, swap and move."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lifecycle.client import Client
from lifecycle.errors import LifecycleError
from tests.e2e.harness import Cluster, Load, kill, signed

Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e


def applications(cluster: Cluster, model: str) -> list[int]:
    """Pids of the model's own processes."""
    return [process.pid for process in cluster.processes(f"ServeReplica:model-{model}-")]


def test_a_dedicated_model_lives_through_kill_upgrade_swap_and_move(
    cluster: Cluster, tmp_path: Path, load: Callable[[str], Load], until: Until
) -> None:
    model = "big"
    with cluster.client() as client:
        cluster.headrace(
            *("model", "register", model, str(signed(1, tmp_path / "1.onnx"))),
            *("--placement", "dedicated", "--deploy"),
        )
        assert client.model(model)["placement"] == "dedicated"
        (victim,) = cluster.processes(f"ServeReplica:model-{model}-1-")
        with load(model) as callers:
            until(lambda: callers.sent > 200, 30, "load")
            victim.send_signal(signal.SIGKILL)
            until(lambda: set(applications(cluster, model)) - {victim.pid} != set(), 60, "a new process")
            _more(callers, until)
            assert seen(cluster, model)["batch_stats"] != []

            old = set(applications(cluster, model))
            cluster.headrace("upgrade")
            until(lambda: not old & set(applications(cluster, model)), 30, "the end of the old process")
            _more(callers, until)
            logged = {path.name for path in (cluster.home / "logs").glob("replica-*.jsonl")}
            assert len(logged) >= 2

            client.register(model, signed(2, tmp_path / "2.onnx"))
            client.validate(model, 2)
            client.set_traffic(model, {2: 100})
            until(lambda: callers.served.get(2, 0) > 100, 30, "answers of version 2")
            until(lambda: len(applications(cluster, model)) == 1, 60, "the end of version 1")

            moved = client.set_placement(model, "pool")
            assert moved["confirmed"]
            until(lambda: applications(cluster, model) == [], 60, "the end of the last application")
            _more(callers, until)
        assert callers.failures == []
        assert set(callers.served) == {1, 2}
        kinds = [record["kind"] for record in client.audit(model, limit=1000)]
        assert "placement.set" in kinds


def seen(cluster: Cluster, model: str) -> dict[str, Any]:
    """The V2 statistics of the model's first version."""
    told = httpx.get(f"http://127.0.0.1:{cluster.http}/v2/models/{model}/versions/1/stats").json()
    statistics: dict[str, Any] = told["model_stats"][0]
    return statistics


def _more(callers: Load, until: Until) -> None:
    sent = callers.sent
    until(lambda: callers.sent > sent + 200, 60, "more load")


def test_a_dedicated_version_grows_under_load_and_shrinks_after_it(
    cluster: Cluster, tmp_path: Path, load: Callable[[str], Load], until: Until
) -> None:
    model = "busy"
    with cluster.client() as client:
        client.register(model, signed(1, tmp_path / "1.onnx", work=800), placement="dedicated")
        client.validate(model, 1)
        client.deploy(model, 1)
        with load(model) as calm:
            with load(model) as more, load(model) as most:
                until(lambda: len(applications(cluster, model)) == 2, 30, "a second replica")
                _more(most, until)
            until(lambda: len(applications(cluster, model)) == 1, 30, "the end of the second")
            _more(calm, until)
        for callers in (calm, more, most):
            assert callers.failures == []
        client.set_placement(model, "pool")


def test_a_champion_moves_to_its_own_process_and_back_by_itself_after_a_restart(
    cluster: Cluster, deployed: Callable[[int], tuple[str, Client]], load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(1)
    with load(model) as callers:
        until(lambda: callers.sent > 100, 30, "load")
        cluster.headrace("model", "placement", model, "dedicated")
        assert len(applications(cluster, model)) == 1
        _more(callers, until)
    assert callers.failures == []
    cluster.down()
    assert cluster.processes() == []
    cluster.up()
    assert len(applications(cluster, model)) == 1
    with load(model) as callers:
        _more(callers, until)
    assert callers.failures == []
    client.set_placement(model, "auto")
    until(lambda: applications(cluster, model) == [], 60, "the end of the application")


def upgraded(client: Client, until: Until) -> list[str]:
    """The models that stayed in old processes."""
    told = client.upgrade()
    until(lambda: controller(client) not in ("", told["controller"]), 60, "the new controller")
    return [each["model"] for each in told["stayed"]]


def controller(client: Client) -> str:
    """Its name once it is ready."""
    with contextlib.suppress(LifecycleError):
        found = client.status()
        return str(found["info"]["controller"]) if found["ready"] else ""
    return ""


def workers(client: Client) -> set[str]:
    return {each["worker"] for each in client.status()["workers"]}


def alter(cluster: Cluster, client: Client, model: str) -> dict[Path, bytes]:
    """Damage the files of the first version; what they held."""
    digest = client.versions(model)[0]["digest"].removeprefix("sha256:")
    folders = (cluster.home / "artifacts", cluster.home / "cache")
    held = {file: file.read_bytes() for folder in folders for file in folder.rglob(f"*{digest}*")}
    for file in held:
        file.write_bytes(b"another")
    return held


@contextlib.contextmanager
def killing(cluster: Cluster, model: str) -> Iterator[None]:
    """Each of the model's own processes dies as soon as it starts."""
    over = threading.Event()

    def kill_each() -> None:
        while not over.wait(0.05):
            for process in cluster.processes(f"ServeReplica:model-{model}-"):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    killer = threading.Thread(target=kill_each)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


@contextlib.contextmanager
def damaged(cluster: Cluster, model: str) -> Iterator[None]:
    """The artifact is altered and the process that had loaded it dies."""
    with cluster.client() as client:
        held = alter(cluster, client, model)
    for process in cluster.processes(f"ServeReplica:model-{model}-"):
        process.kill()
    try:
        yield
    finally:
        for file, content in held.items():
            file.write_bytes(content)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [(damaged, "the artifact was altered"), (killing, "own process does not start")],
)
def test_while_no_process_comes_in_place_of_one_that_died_requests_are_refused_with_the_reason(
    cluster: Cluster,
    tmp_path: Path,
    load: Callable[[str], Load],
    until: Until,
    broken: Callable[[Cluster, str], contextlib.AbstractContextManager[None]],
    reason: str,
) -> None:
    model = f"lost-{broken.__name__}"
    with cluster.client() as client:
        client.register(model, signed(1, tmp_path / "1.onnx"), placement="dedicated")
        client.validate(model, 1)
        client.deploy(model, 1)

        def lost() -> bool:
            told = [failed for worker in client.status()["workers"] for failed in worker["failed"]]
            return len(told) == 2 and all(reason in each["reason"] for each in told)

        def ready() -> bool:
            return httpx.get(f"http://127.0.0.1:{cluster.http}/v2/models/{model}/ready").is_success

        with broken(cluster, model):
            until(lost, 120, "word of both workers that the version is lost")
            assert not ready()
            body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [0, 0, 0, 0]}]}
            url = f"http://127.0.0.1:{cluster.http}/v2/models/{model}/infer"
            refused = httpx.post(url, json=body, headers={"x-headrace-timeout-ms": "2000"})
            assert (refused.status_code, reason in refused.text) == (503, True)
        until(ready, 120, "a process that loads it")
        until(lambda: all(not worker["failed"] for worker in client.status()["workers"]), 60, "all is well")
        with load(model) as callers:
            _more(callers, until)
        assert callers.failures == []
        client.set_placement(model, "pool")


def test_a_process_that_cannot_load_its_version_says_why_and_all_stays_as_it_was(
    cluster: Cluster, deployed: Callable[[int], tuple[str, Client]], load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(1)
    alter(cluster, client, model)
    with load(model) as callers:
        until(lambda: callers.sent > 100, 30, "load")
        with pytest.raises(LifecycleError, match="the artifact was altered"):
            client.set_placement(model, "dedicated")
        _more(callers, until)
    assert callers.failures == []
    assert client.model(model)["placement"] == "auto"
    until(lambda: applications(cluster, model) == [], 60, "the end of the application")


def test_a_process_that_dies_whenever_it_starts_is_given_up_and_all_stays_as_it_was(
    cluster: Cluster, deployed: Callable[[int], tuple[str, Client]], load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(1)
    with killing(cluster, model), load(model) as callers:
        until(lambda: callers.sent > 100, 30, "load")
        with pytest.raises(LifecycleError, match="own process does not start"):
            client.set_placement(model, "dedicated")
        _more(callers, until)
    assert callers.failures == []
    assert client.model(model)["placement"] == "auto"
    until(lambda: applications(cluster, model) == [], 60, "the end of the application")


# The last one here: until the next start or upgrade, dedicated versions take as much as it says.
def test_an_upgrade_without_room_says_so_and_old_processes_serve_on_until_there_is_some(
    cluster: Cluster,
    deployed: Callable[[int], tuple[str, Client]],
    load: Callable[[str], Load],
    until: Until,
    tmp_path: Path,
) -> None:
    model, client = deployed(1)
    client.register("beside", signed(1, tmp_path / "beside.onnx"))
    client.validate("beside", 1)
    client.deploy("beside", 1)
    settings = cluster.home / "headrace.toml"
    before = settings.read_text() if settings.exists() else ""
    cpus = 0.375 * (os.cpu_count() or 1)  # room for two processes, and not for a third
    settings.write_text(f"[gateway.dedicated]\ncpus = {cpus}\n")
    try:
        assert upgraded(client, until) == []
        for moved in (model, "beside"):
            client.set_placement(moved, "dedicated")
        with load(model) as callers:
            old = applications(cluster, model)
            assert sorted(upgraded(client, until)) == sorted((model, "beside"))
            assert applications(cluster, model) == old
            assert "gateway.upgrade.stayed" in [record["kind"] for record in client.audit(model)]
            present = workers(client)
            kill(min(present))
            until(lambda: workers(client) - present != set(), 60, "a new worker")
            _more(callers, until)
            assert all(each["failed"] == [] for each in client.status()["workers"])
            client.set_placement("beside", "pool")
            until(lambda: not set(old) & set(applications(cluster, model)), 60, "the new process")
            _more(callers, until)
        assert callers.failures == []
    finally:
        settings.write_text(before)
        for moved in (model, "beside"):
            client.set_placement(moved, "pool")
