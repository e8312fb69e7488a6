import numpy as np

from gateway.core.figures import BATCH_EDGES, Figures, Refusals, Run
from gateway.core.summary import LATENCY_EDGES_NS

MS = 1_000_000
RUN = Run(arrived=(0, 2 * MS), formed=3 * MS, started=7 * MS, ended=8 * MS, rows=2)


def at(ms: float) -> int:
    return int(np.searchsorted(LATENCY_EDGES_NS, ms * MS))


def test_each_request_of_a_batch_waited_by_itself_and_ran_with_the_others() -> None:
    stages = Figures.of([(("m", 1), RUN)], Refusals()).stages["m", 1]
    assert np.flatnonzero(stages.batch_wait).tolist() == [at(1), at(3)]
    assert stages.queue[at(4)] == 2
    assert stages.compute[at(1)] == 2
    assert stages.batches.tolist() == [0, 1, *[0] * (len(BATCH_EDGES) - 1)]
    assert stages.requests == 2


def test_versions_stay_apart_and_windows_add_up() -> None:
    first = Figures.of([(("m", 1), RUN), (("m", 2), RUN)], Refusals())
    second = Figures.of([(("m", 1), RUN)] * 2, Refusals())
    both = first.stages["m", 1].merge(second.stages["m", 1])
    assert (first.stages["m", 2].requests, both.requests, both.queue.sum()) == (2, 6, 6)


def test_refusals_are_told_by_window_and_add_up_again() -> None:
    earlier = Refusals({"a": 1}, shed=2, wedged=1)
    now = Refusals({"a": 4, "b": 1}, shed=2, connections=3, wedged=2, shadow_copies=5, pairs=6)
    fresh = now.since(earlier)
    assert fresh == Refusals({"a": 3, "b": 1}, connections=3, wedged=1, shadow_copies=5, pairs=6)
    assert earlier.merge(fresh) == now
    assert now.since(now) == Refusals()
    assert Refusals({"a": 2}).since(now).limited == {"a": 2}  # the model went and came back in between
