"""When a dedicated version's application starts, is named, and ends."""

from gateway.core.placement import Placement
from gateway.core.report import WorkerReport
from gateway.core.routing import ModelRoute, VersionEntry
from gateway.core.signature import Signature
from lifecycle.core.dedicated import Phase, State, applications, named, steps

NONE = Signature((), ())


def route(*versions: tuple[int, Placement], weights: dict[int, float]) -> ModelRoute:
    entries = tuple(
        VersionEntry(number, "", f"sha256:{number}", NONE, placement=placement)
        for number, placement in versions
    )
    return ModelRoute("m", entries, next(iter(weights)), tuple(weights.items()))


def placements(found: ModelRoute) -> dict[int, Placement]:
    return {entry.version: entry.placement for entry in found.versions}


D, P = Placement.DEDICATED, Placement.POOL
MOVED = route((1, D), weights={1: 100})
(APPLICATION,) = applications([MOVED])
RUNS = {APPLICATION.name: State(Phase.RUNNING)}


def report(generation: int) -> WorkerReport:
    return WorkerReport("w", generation)


def test_a_version_stays_where_it_is_until_its_application_runs() -> None:
    before = route((1, P), weights={1: 100})
    assert placements(named(MOVED, before, ())) == {1: P}
    assert placements(named(MOVED, before, {APPLICATION.name})) == {1: D}


def test_a_new_version_is_left_out_until_then() -> None:
    before = route((1, P), weights={1: 100})
    wanted = route((1, P), (2, D), weights={1: 100})
    assert placements(named(wanted, before, ())) == {1: P}
    assert named(wanted, before, {app.name for app in applications([wanted])}) == wanted


def test_traffic_is_never_left_out() -> None:
    # A node that starts: the workers wait for the application.
    assert named(MOVED, None, ()) == MOVED


def test_what_is_wanted_is_started_once() -> None:
    assert steps([APPLICATION], {}, {}, []).start == (APPLICATION,)
    assert steps([APPLICATION], RUNS, {}, []).start == ()


def test_one_that_is_dead_is_started_again_after_a_rest() -> None:
    dead = {APPLICATION.name: State(Phase.DEAD, "it does not start")}
    assert steps([APPLICATION], dead, {}, []).start == ()
    assert steps([APPLICATION], dead, {}, [], {APPLICATION.name}).start == (APPLICATION,)
    assert steps([], dead, {}, [], {APPLICATION.name}).start == ()


def test_an_application_ends_when_every_worker_follows_a_table_without_it() -> None:
    name = APPLICATION.name
    assert steps([], RUNS, {}, [report(9)]).end == ()
    assert steps([], RUNS, {name: 7}, [report(7), report(6)]).end == ()
    assert steps([], RUNS, {name: 7}, []).end == ()
    assert steps([], RUNS, {name: 7}, [report(7), report(8)]).end == (name,)
    assert steps([APPLICATION], RUNS, {name: 7}, [report(8)]).end == ()
    assert steps([], {name: State(Phase.ENDING)}, {name: 7}, [report(8)]).end == ()  # it was told
