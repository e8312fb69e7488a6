from gateway.core.figures import Run
from gateway.runtime.stages import RunTotals, StageLog

RUN = Run((1,), 2, 3, 4, 1)


def test_runs_are_told_once_under_their_version() -> None:
    log = StageLog()
    log.of(("m", 1))(RUN)
    log.of(("m", 2))(RUN)
    assert list(log.drain()) == [(("m", 1), RUN), (("m", 2), RUN)]
    assert list(log.drain()) == []


def test_sums_since_the_start_outlast_what_is_drained() -> None:
    log = StageLog()
    note = log.of(("m", 1))
    note(Run(arrived=(0, 10), formed=20, started=30, ended=90, rows=5))
    note(Run(arrived=(100,), formed=100, started=107, ended=110, rows=5))
    note(Run(arrived=(100,), formed=100, started=100, ended=101, rows=300))
    assert list(log.drain())
    totals = log.totals(("m", 1))
    assert (totals.runs, totals.requests) == (3, 4)
    assert (totals.waited_ns, totals.ran_ns) == (30 + 20 + 7, 2 * 60 + 3 + 1)
    assert totals.by_rows == {5: (2, 63), 512: (1, 1)}
    assert log.totals(("m", 2)) == RunTotals()
    log.keep(lambda key: key != ("m", 1))
    assert log.totals(("m", 1)) == RunTotals()
