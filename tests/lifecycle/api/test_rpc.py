"""The admin service over real gRPC."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.struct_pb2 import ListValue, Value

from gateway.core.keys import KeyRole
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.api import lifecycle_pb2 as pb
from lifecycle.api.app import build
from lifecycle.api.rpc import ROWS, SERVICE, AdminRpc
from lifecycle.api.status import GRPC_STATUS, HTTP_STATUS
from lifecycle.core.governance.access import RULES
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode
from lifecycle.ports import Entry
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import in_process, open_desk


@dataclass
class Rpc:
    """Calls by name, with typed messages."""

    channel: grpc.aio.Channel
    admin: Admin
    metadata: tuple[tuple[str, str], ...] = (("x-headrace-actor", "ada"),)

    async def __call__(self, name: str, request: Any, *more: tuple[str, str]) -> Any:
        row = ROWS[name]
        call = self.channel.unary_unary(
            f"/{SERVICE}/{name}", type(request).SerializeToString, row.gives.FromString
        )
        return await call(request, metadata=(*self.metadata, *more), timeout=20)

    def watch(self, request: pb.WatchRequest) -> Any:
        call = self.channel.unary_stream(
            f"/{SERVICE}/Watch", pb.WatchRequest.SerializeToString, pb.Record.FromString
        )
        return call(request, metadata=self.metadata, timeout=20)


async def opened(home: Path, identity: bool) -> AsyncIterator[Rpc]:
    desk, store, captures = open_desk(home, identity=identity)
    app = build(desk)
    server = AdminRpc(app)
    port = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel, in_process(app) as http:
        yield Rpc(channel, Admin(http, desk, store, captures))
    await server.stop()
    store.close()


@pytest.fixture
async def rpc(tmp_path: Path) -> AsyncIterator[Rpc]:
    async for found in opened(tmp_path, identity=False):
        await found.admin.deployed(versions=2)
        yield found


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Rpc]:
    async for found in opened(tmp_path, identity=True):
        yield found


async def refused(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    codes = dict(error.value.trailing_metadata() or ())
    return error.value.code(), str(codes.get("headrace-code", "")), error.value.details() or ""


def plan(text: str) -> Value:
    return Value(string_value=text)


async def test_a_rollout_from_start_to_end(rpc: Rpc) -> None:
    model = pb.ModelRequest(model="fraud")
    assert [found.name for found in (await rpc("ListModels", pb.ListModelsRequest())).models] == ["fraud"]
    foreseen = await rpc(
        "ForecastRollout", pb.StartRolloutRequest(model="fraud", version=2, plan=plan("quick"))
    )
    assert (foreseen.requests_per_s, len(foreseen.steps)) == (1_000, 2)
    started = await rpc("StartRollout", pb.StartRolloutRequest(model="fraud", version=2, plan=plan("quick")))
    assert (started.phase, started.started_by, started.plan["name"]) == ("loading", "ada", "quick")
    change = pb.ChangeRequest(model="fraud")
    assert (await rpc("PauseRollout", change)).paused
    assert not (await rpc("ResumeRollout", change)).paused
    assert (await rpc("AbortRollout", change)).phase == (await rpc("GetRollout", model)).phase == "aborted"
    assert len((await rpc("ListRollouts", model)).rollouts) == 1


async def test_traffic_is_split_and_compared(rpc: Rpc) -> None:
    before = await rpc("GetTraffic", pb.ModelRequest(model="fraud"))
    wanted = pb.SetTrafficRequest(model="fraud", weights={1: 100}, if_revision=before.revision)
    wanted.shadows.CopyFrom(ListValue(values=[Value(number_value=2)]))
    changed = await rpc("SetTraffic", wanted)
    assert (dict(changed.weights), list(changed.shadows), changed.confirmed) == ({1: 100.0}, [2], True)
    assert (await refused(rpc("SetTraffic", wanted)))[:2] == (grpc.StatusCode.ABORTED, "STALE")


async def test_a_version_is_read_and_decided_on(rpc: Rpc) -> None:
    await rpc.admin.register(text="3")
    version = pb.VersionRequest(model="fraud", number=3)
    validated = await rpc("ValidateVersion", pb.ValidateRequest(model="fraud", number=3))
    assert (validated.stage, validated.evidence[0].verdict) == ("approved", "PASS")
    assert (await rpc("GetVersion", version)).signature.inputs[0].shape == [-1, 3]
    assert (await rpc("RejectVersion", pb.VersionChangeRequest(model="fraud", number=3))).stage == "rejected"


async def test_every_change_goes_ahead_only_on_the_revision_that_its_caller_saw(rpc: Rpc) -> None:
    await rpc("StartRollout", pb.StartRolloutRequest(model="fraud", version=2))
    written = rpc.admin.store.head().seq
    changes = [name for name, row in ROWS.items() if row.verb != "GET" and name != "ForecastRollout"]
    for name in changes:
        takes: Any = ROWS[name].takes
        wanted = takes(model="fraud", if_revision=999)
        for field in {"number", "version"} & set(takes.DESCRIPTOR.fields_by_name):
            setattr(wanted, field, 2)
        if name == "SetTraffic":
            wanted.weights[1] = 100.0
        assert (await refused(rpc(name, wanted)))[:2] == (grpc.StatusCode.ABORTED, "STALE"), name
    assert len(changes) > 10
    assert rpc.admin.store.head().seq == written


async def test_failures_have_their_status(rpc: Rpc) -> None:
    unknown = await refused(rpc("GetModel", pb.ModelRequest(model="none")))
    assert unknown == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", "there is no model 'none'")
    idle = await refused(rpc("PromoteRollout", pb.ChangeRequest(model="fraud")))
    assert idle[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "CONFLICT")
    bad = pb.SetTrafficRequest(model="fraud", weights={1: float("nan")})
    assert (await refused(rpc("SetTraffic", bad)))[0] is grpc.StatusCode.INVALID_ARGUMENT
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = rpc.channel.unary_unary(f"/{SERVICE}/GetModel")
    assert (await refused(call(b"\xff\xff", timeout=10)))[0] is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("GetModel", pb.ModelRequest()),
        ("GetModel", pb.ModelRequest(model="..")),
        ("GetModel", pb.ModelRequest(model="fraud/traffic")),
        ("GetVersion", pb.VersionRequest(model="fraud")),
    ],
    ids=["no name", "a way up", "a way on", "no number"],
)
async def test_what_names_nothing_is_the_callers_fault(rpc: Rpc, name: str, request_: Any) -> None:
    status, code, told = await refused(rpc(name, request_))
    assert (status, code) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID")
    assert told.startswith(("model: ", "number: "))


@pytest.mark.parametrize("name", ["ListModels", "ApproveVersion", "Watch"])
async def test_a_call_without_a_message_is_answered(rpc: Rpc, name: str) -> None:
    call: Any = rpc.channel.stream_stream(f"/{SERVICE}/{name}")(iter(()), timeout=20)
    code, _, message = await refused(anext(aiter(call)))
    assert (code, message) == (grpc.StatusCode.INVALID_ARGUMENT, "the call holds no message")


async def test_what_breaks_inside_is_not_told(rpc: Rpc, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_store: SqlStore) -> list[Model]:
        raise RuntimeError("/srv/secret")

    monkeypatch.setattr(SqlStore, "models", broken)
    failed = await refused(rpc("ListModels", pb.ListModelsRequest()))
    assert failed == (grpc.StatusCode.INTERNAL, "INTERNAL", "the controller failed; its log says why")


async def test_a_change_is_carried_out_once_under_its_key(rpc: Rpc) -> None:
    wanted, key = pb.StartRolloutRequest(model="fraud", version=2), ("idempotency-key", "k1")
    first, again = await rpc("StartRollout", wanted, key), await rpc("StartRollout", wanted, key)
    assert first == again
    other = pb.StartRolloutRequest(model="fraud", version=1)
    assert (await refused(rpc("StartRollout", other, key)))[1] == "CONFLICT"


async def test_77_and_78_a_promotion_that_comes_too_late(rpc: Rpc) -> None:
    await rpc("StartRollout", pb.StartRolloutRequest(model="fraud", version=2))
    stale = await refused(rpc("PromoteRollout", pb.ChangeRequest(model="fraud", if_revision=1)))
    assert stale[:2] == (grpc.StatusCode.ABORTED, "STALE")
    await rpc("Rollback", pb.ChangeRequest(model="fraud"))
    late = await refused(rpc("PromoteRollout", pb.ChangeRequest(model="fraud")))
    assert late[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "CONFLICT")


async def test_records_come_as_they_are_written(rpc: Rpc) -> None:
    old = rpc.watch(pb.WatchRequest(after=0))
    assert (await old.read()).kind == "version.registered"
    old.cancel()
    fresh = rpc.watch(pb.WatchRequest(model="fraud", after=rpc.admin.store.head().seq))
    await rpc("StartRollout", pb.StartRolloutRequest(model="fraud", version=2))
    record = await fresh.read()
    assert (record.kind, record.actor, record.detail["version"]) == ("rollout.start", "ada", 2)
    fresh.cancel()


async def test_records_of_a_kind_are_listed(rpc: Rpc) -> None:
    found = (await rpc("ListRecords", pb.ListRecordsRequest(kind="version.approved", limit=5))).records
    assert [record.kind for record in found] == ["version.approved", "version.approved"]


async def test_who_does_not_say_after_what_hears_of_what_comes(rpc: Rpc) -> None:
    before = rpc.admin.store.head().seq
    fresh = rpc.watch(pb.WatchRequest())
    hearing = asyncio.ensure_future(fresh.read())
    while not hearing.done():
        rpc.admin.store.commit(Entry("ann", "kind.new", "fraud"))
        await asyncio.sleep(0.05)
    assert before > 0
    assert (await hearing).kind == "kind.new"
    fresh.cancel()


async def test_a_key_is_asked_for_and_its_end_is_the_streams_end(guarded: Rpc) -> None:
    models = pb.ListModelsRequest()
    assert (await refused(guarded("ListModels", models)))[0] is grpc.StatusCode.UNAUTHENTICATED
    keys = guarded.admin.desk.keys
    _, secret = keys.create("ann", KeyRole.VIEWER, actor="boss")
    guarded.metadata = (("authorization", f"Bearer {secret}"),)
    assert not (await guarded("ListModels", models)).models
    change = pb.ChangeRequest(model="fraud")
    assert (await refused(guarded("Rollback", change)))[0] is grpc.StatusCode.PERMISSION_DENIED
    stream = guarded.watch(pb.WatchRequest(after=0))
    assert (await stream.read()).kind == "key.created"
    keys.revoke("ann", "boss")
    heard: list[str] = []
    assert (await refused(_drained(stream, heard)))[0] is grpc.StatusCode.UNAUTHENTICATED
    assert heard == []  # its own end is news for others


async def _drained(stream: Any, heard: list[str]) -> None:
    while (record := await stream.read()) is not grpc.aio.EOF:
        heard.append(record.kind)


async def test_the_service_describes_itself(rpc: Rpc) -> None:
    name = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    reflect: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = rpc.channel.stream_stream(name)
    symbol = SERVICE.encode()
    stream = reflect(iter([b"\x3a\x01*", b"\x22" + bytes([len(symbol)]) + symbol]), timeout=20)
    listed, described = [answer async for answer in stream]
    assert symbol in listed
    assert all(call.encode() in described for call in ROWS)


def test_every_call_is_a_request_that_the_law_knows() -> None:
    assert {(row.verb, row.path) for row in ROWS.values()} <= RULES.keys()
    assert GRPC_STATUS.keys() == HTTP_STATUS.keys() == set(LifecycleCode)
