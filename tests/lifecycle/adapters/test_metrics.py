"""The controller's own figures, from a real store."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from gateway.core.report import Place
from lifecycle.adapters.metrics import ControlMetrics
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.governance.ledger import Record
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor
from lifecycle.ports import Entry
from tests.gateway.telemetry.exposed import exposition, value
from tests.lifecycle.desk import open_desk


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[SqlStore, Monitor, Estimates]]:
    desk, store, _ = open_desk(tmp_path)
    yield store, desk.monitor, desk.estimates
    store.close()


def test_decisions_are_counted_from_the_whole_ledger(parts: tuple[SqlStore, Monitor, Estimates]) -> None:
    store, metrics = parts[0], ControlMetrics(*parts, dict, int)
    store.commit(Entry("ann", "rollout.promote", "m"))
    assert value(exposition(metrics), "headrace_decisions_total", kind="rollout.promote") == 1
    store.commit(Entry("ann", "rollout.promote", "m"))
    for again in (metrics, ControlMetrics(*parts, dict, int)):
        assert value(exposition(again), "headrace_decisions_total", kind="rollout.promote") == 2


def test_scrapes_at_the_same_time_count_nothing_twice(
    parts: tuple[SqlStore, Monitor, Estimates], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, metrics = parts[0], ControlMetrics(*parts, dict, int)
    store.commit(Entry("ann", "rollout.promote", "m"))
    read, both = store.records, Barrier(2)

    def records(
        model: str | None = None, *, after: int = 0, limit: int = 1000, kind: str = ""
    ) -> list[Record]:
        found = read(model, after=after, limit=limit, kind=kind)
        with suppress(BrokenBarrierError):
            both.wait(0.2)  # for another reader that has read as far
        return found

    monkeypatch.setattr(store, "records", records)
    with ThreadPoolExecutor(2) as threads:
        for scrape in [threads.submit(exposition, metrics) for _ in range(2)]:
            scrape.result()
    assert value(exposition(metrics), "headrace_decisions_total", kind="rollout.promote") == 1


def test_active_rollouts_by_phase_and_verdict(parts: tuple[SqlStore, Monitor, Estimates]) -> None:
    rollout = Rollout("r", "m", 2, 1, preset("quick"), 0.0, "ann")
    parts[0].commit(Entry("ann", "rollout.started", "m"), rollout)
    text = exposition(ControlMetrics(*parts, dict, int))
    assert value(text, "headrace_rollouts", phase="loading", verdict="INCONCLUSIVE") == 1


def test_ticks_and_starts_are_told(parts: tuple[SqlStore, Monitor, Estimates]) -> None:
    metrics = ControlMetrics(*parts, lambda: {Place("", "worker-0"): 2}, int)
    metrics.ticked(0.004, failed=False)
    metrics.ticked(1.5, failed=True)
    text = exposition(metrics)
    assert value(text, "headrace_controller_tick_seconds_bucket", le="0.005") == 1
    assert value(text, "headrace_controller_tick_seconds_sum") == pytest.approx(1.504, rel=0.03)
    assert value(text, "headrace_controller_tick_failures_total") == 1
    assert value(text, "headrace_worker_starts_total", worker="worker-0") == 2


def test_while_the_registry_is_away_the_loops_own_figures_go_on(
    parts: tuple[SqlStore, Monitor, Estimates],
) -> None:
    metrics = ControlMetrics(*parts, lambda: {Place("", "worker-0"): 2}, lambda: 7)
    assert value(exposition(metrics), "headrace_ledger_unsealed_records") == 7
    with parts[0]._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE rollouts RENAME TO gone")
    metrics.ticked(0.01, failed=True)
    text = exposition(metrics)
    assert value(text, "headrace_worker_starts_total", worker="worker-0") == 2
    assert value(text, "headrace_controller_tick_failures_total") == 1
    assert "headrace_rollouts" not in text
