"""A request's way through the pipeline, with the outcome that a version is judged by."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from gateway.core.batching import Batching
from gateway.core.limits import ModelLimits
from gateway.core.placement import Device, Placed, Placement
from gateway.core.ranges import OutputRange
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array, InferRequest, InferResponse, Outcome, Role
from gateway.errors import ErrorCode, GatewayError
from gateway.pipeline import Pipeline

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1, 2)),), (TensorSpec("y", "FP32", (-1,)),))


@dataclass
class Doubler:
    """A loaded version that answers twice the first column, or fails as told."""

    entry: VersionEntry
    failure: GatewayError | None = None
    signature: Signature = SIGNATURE
    size_bytes: int = 0
    running: int = 0
    batching: Batching = Batching.OFF
    device: Device = Device.CPU
    placed = Placed(Placement.POOL, 1e6)

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        if self.failure is not None:
            raise self.failure
        return {"y": np.asarray(inputs["x"])[:, 0] * 2}


@dataclass
class Routes:
    table: RouteTable
    versions: dict[int, Doubler]

    shelf: dict[int, Doubler] = field(default_factory=dict)
    failed: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def loaded(self, model: str, version: int) -> Doubler | None:
        return self.versions.get(version)

    async def load(self, model: str, version: int, deadline_ns: int) -> Doubler:
        """What is on the shelf comes into memory; for the rest there is no room."""
        await asyncio.sleep(0)
        if version not in self.shelf:
            raise GatewayError(ErrorCode.NOT_READY, "there is no room")
        self.versions[version] = self.shelf[version]
        return self.versions[version]


@dataclass
class Seen:
    """A tap and a shadow queue that keep what they are given."""

    records: list[tuple[int, Role, Outcome, str]] = field(default_factory=list)
    shadowed: list[tuple[int, ...]] = field(default_factory=list)

    def record(
        self,
        request: InferRequest,
        version: int,
        role: Role,
        outcome: Outcome,
        latency_ns: int,
        outputs: Mapping[str, Array] | None,
        prediction_id: str,
    ) -> None:
        assert latency_ns > 0
        self.records.append((version, role, outcome, prediction_id))

    def submit(self, request: InferRequest, response: InferResponse, shadows: tuple[int, ...]) -> None:
        self.shadowed.append(shadows)


def pipeline(
    seen: Seen,
    *,
    failure: GatewayError | None = None,
    shadows: tuple[int, ...] = (),
    ranges: tuple[OutputRange, ...] = (),
) -> Pipeline:
    entries = tuple(VersionEntry(number, "", "", SIGNATURE, ranges=ranges) for number in (1, 2))
    route = ModelRoute("m", entries, 1, ((1, 90.0), (2, 10.0)), shadows)
    versions = {entry.version: Doubler(entry, failure) for entry in entries}
    ids = iter(range(1_000_000))
    return Pipeline(Routes(RouteTable(1, {"m": route}), versions), seen, seen, 0.0, lambda: f"p{next(ids)}")


def request(value: float = 1.0, id: str = "") -> InferRequest:
    return InferRequest("m", None, {"x": np.full((1, 2), value, np.float32)}, id=id)


async def test_answer_names_what_served() -> None:
    seen = Seen()
    answer = await pipeline(seen).infer(request(id="mine"))
    assert (answer.model, answer.version, answer.role) == ("m", 1, Role.CHAMPION)
    assert answer.outputs["y"].tolist() == [2.0]
    assert answer.id == "mine"
    assert seen.records == [(1, Role.CHAMPION, Outcome.OK, answer.prediction_id)]


async def test_shares_are_exact_at_small_counts() -> None:
    seen = Seen()
    line = pipeline(seen)
    for _ in range(1000):
        await line.infer(request())
    assert sum(role is Role.CANARY for _, role, _, _ in seen.records) in range(98, 103)


async def test_pinned_request_is_no_evidence() -> None:
    seen = Seen()
    wanted = request()
    wanted.version = 2
    answer = await pipeline(seen).infer(wanted)
    assert (answer.version, answer.role) == (2, Role.PINNED)


async def test_nan_is_answered_and_counted_against_the_version() -> None:
    seen = Seen()
    answer = await pipeline(seen).infer(request(float("nan")))
    assert np.isnan(answer.outputs["y"]).all()
    assert seen.records[0][2] is Outcome.INVALID_OUTPUT


async def test_an_answer_outside_of_its_declared_range_is_answered_and_counted() -> None:
    seen = Seen()
    line = pipeline(seen, ranges=(OutputRange("y", 0.0, 3.0),))
    for value in (1.0, 2.0):
        assert (await line.infer(request(value))).outputs["y"].tolist() == [2 * value]
    assert [record[2] for record in seen.records] == [Outcome.OK, Outcome.INVALID_OUTPUT]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (ErrorCode.INTERNAL, Outcome.SERVER_ERROR),
        (ErrorCode.DEADLINE, Outcome.SERVER_ERROR),
        (ErrorCode.INVALID, Outcome.CLIENT_ERROR),
        (ErrorCode.OVERLOADED, Outcome.REFUSED),
    ],
)
async def test_only_the_servers_faults_count_against_a_version(code: ErrorCode, outcome: Outcome) -> None:
    seen = Seen()
    line = pipeline(seen, failure=GatewayError(code, "no"))
    with pytest.raises(GatewayError):
        await line.infer(request())
    assert seen.records[0][2] is outcome
    assert line.admission.refused["m"] == (outcome is Outcome.REFUSED)


async def test_misfit_is_refused_before_it_runs() -> None:
    seen = Seen()
    wrong = request()
    wrong.inputs = {"z": wrong.inputs["x"]}
    with pytest.raises(GatewayError, match="'x' is missing"):
        await pipeline(seen).infer(wrong)
    assert seen.records[0][2] is Outcome.CLIENT_ERROR


async def test_unknown_model_is_not_found() -> None:
    with pytest.raises(GatewayError, match="no model named 'nobody'") as refused:
        await pipeline(Seen()).infer(InferRequest("nobody", None, {}))
    assert refused.value.code is ErrorCode.NOT_FOUND


async def test_shadows_get_a_copy_only_of_answered_requests() -> None:
    seen = Seen()
    await pipeline(seen, shadows=(2,)).infer(request())
    failing = pipeline(seen, failure=GatewayError(ErrorCode.INTERNAL, "no"), shadows=(2,))
    with pytest.raises(GatewayError):
        await failing.infer(request())
    assert seen.shadowed == [(2,)]


@dataclass
class Stuck(Doubler):
    """Answers when its gate opens."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        self.started.set()
        await self.gate.wait()
        return await Doubler.run(self, inputs, outputs, deadline_ns)


def limited(seen: Seen) -> tuple[Pipeline, Stuck]:
    """One request at a time, none waits."""
    entry = VersionEntry(1, "", "", SIGNATURE)
    route = ModelRoute("m", (entry,), 1, ((1, 100.0),), limits=ModelLimits(max_concurrency=1))
    stuck = Stuck(entry)
    return Pipeline(Routes(RouteTable(1, {"m": route}), {1: stuck}), seen, seen, 0.0, lambda: "p"), stuck


async def test_over_its_limit_a_model_refuses_without_blaming_the_version() -> None:
    seen = Seen()
    line, stuck = limited(seen)
    first = asyncio.ensure_future(line.infer(request()))
    await stuck.started.wait()
    with pytest.raises(GatewayError) as refused:
        await line.infer(request())
    assert refused.value.code is ErrorCode.OVERLOADED
    with pytest.raises(GatewayError, match="at its limit"):
        line.check_room("m")
    stuck.gate.set()
    await first
    line.check_room("m")
    await line.infer(request())
    assert [outcome for _, _, outcome, _ in seen.records] == [Outcome.OK] * 2


async def test_a_caller_who_leaves_frees_the_place_and_is_no_evidence_against_a_version() -> None:
    seen = Seen()
    line, stuck = limited(seen)
    first = asyncio.ensure_future(line.infer(request()))
    await stuck.started.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    stuck.gate.set()
    await line.infer(request())
    assert [outcome for _, _, outcome, _ in seen.records] == [Outcome.CLIENT_ERROR, Outcome.OK]


async def test_a_version_that_is_not_in_memory_is_loaded_for_the_request() -> None:
    seen = Seen()
    line = pipeline(seen)
    routes = line.routes
    assert isinstance(routes, Routes)
    routes.shelf[1] = routes.versions.pop(1)
    assert (await line.infer(request())).version == 1
    assert routes.loaded("m", 1) is not None


async def test_without_room_for_its_version_a_request_is_told_to_come_back() -> None:
    seen = Seen()
    line = pipeline(seen)
    assert isinstance(line.routes, Routes)
    line.routes.versions.clear()
    with pytest.raises(GatewayError, match="no room") as refused:
        await line.infer(request())
    assert (refused.value.code, refused.value.version) == (ErrorCode.NOT_READY, 1)
    assert [outcome for _, _, outcome, _ in seen.records] == [Outcome.SERVER_ERROR]


async def test_an_answer_from_the_cache_is_recorded_as_any_other() -> None:
    seen = Seen()
    entry = VersionEntry(1, "", "", SIGNATURE)
    route = ModelRoute("m", (entry,), 1, ((1, 100.0),), cache_mb=1)
    held = Doubler(entry)
    ids = iter(range(10))
    line = Pipeline(Routes(RouteTable(1, {"m": route}), {1: held}), seen, seen, 0.0, lambda: f"p{next(ids)}")
    first = await line.infer(request())
    held.failure = GatewayError(ErrorCode.INTERNAL, "it would fail, were it asked")
    again = await line.infer(request())
    assert again.outputs["y"].tolist() == first.outputs["y"].tolist()
    assert [record[3] for record in seen.records] == ["p0", "p1"]
    assert again.prediction_id == "p1"
    assert (line.caches.use.hits["m"], line.caches.use.misses["m"]) == (1, 1)
