"""A whole admin API over real services in a temporary folder. Only workers, sandbox and trainer are fakes."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
from fastapi import FastAPI

from gateway.core.capture import Capture
from gateway.core.placement import Placed, Placement
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Role
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.checkpoints import FileCheckpoints, public_text, signing_key
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.api.app import Desk
from lifecycle.commands.deploy import Deploy
from lifecycle.commands.governance.calendar import Calendar
from lifecycle.commands.governance.keys import Keys
from lifecycle.commands.governance.retention import Collector
from lifecycle.commands.learning.feedback import Feedback
from lifecycle.commands.learning.retraining import Retraining
from lifecycle.commands.publish import Publisher
from lifecycle.commands.registry.catalogue import Catalogue
from lifecycle.commands.registry.models import Models
from lifecycle.commands.registry.trial import Trial
from lifecycle.commands.registry.validation import Validation
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.commands.upgrade import Upgrade
from lifecycle.core.analysis.evidence import Arm
from lifecycle.core.dedicated import Stayed
from lifecycle.core.governance.freeze import Freeze
from lifecycle.core.governance.policy import AUTOMATIC, Policy
from lifecycle.core.governance.retention import Retention
from lifecycle.core.inspection import Cost, Inspection, Limits
from lifecycle.core.recent import Rates
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Version
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor
from lifecycle.ports import Sandbox, TrainingJob
from tests.lifecycle.world import FakeFleet, FakeNodes

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1, 3)),), (TensorSpec("y", "FP32", (-1, 3)),))


class InstantSandbox:
    """Passes every file but those that hold the word `broken`."""

    async def inspect(
        self,
        artifact: Path,
        limits: Limits,
        rows: Mapping[str, Path] | None = None,
        beside: Path | None = None,
    ) -> Inspection:
        del limits, rows, beside
        if b"broken" in await asyncio.to_thread(artifact.read_bytes):
            return Inspection(None, (Finding("load", Verdict.FAIL, "it does not load"),))
        gates = tuple(Finding(name, Verdict.PASS, "fine") for name in ("structure", "load", "warm_up"))
        return Inspection(SIGNATURE, gates, Cost(0.01, 1.0))


async def _nothing_dedicated() -> tuple[Stayed, ...]:
    return ()


def nothing(_version: Version) -> pa.Table:
    return pa.table({})


class NoTrainer:
    async def train(self, job: TrainingJob) -> Sequence[Path]:
        raise NotImplementedError(job.model)


def _placed(model: str, version: int) -> tuple[Placed, ...]:
    """Version 1 of every model is too slow for the loop, if only just; others are in nobody's memory."""
    del model
    return (Placed(Placement.INLINE, 0.28e6), Placed(Placement.POOL, 0.31e6)) if version == 1 else ()


def open_desk(
    home: Path,
    *,
    workers: int = 2,
    identity: bool = False,
    policy: Policy = AUTOMATIC,
    freezes: Sequence[Freeze] = (),
    sandbox: Sandbox | None = None,
    limits: Limits | None = None,
) -> tuple[Desk, SqlStore, ParquetCaptures]:
    store = SqlStore(f"sqlite:///{home / 'headrace.db'}")
    fleet = FakeFleet(workers)
    nodes, publisher = FakeNodes(fleet), Publisher(store, fleet)
    captures = ParquetCaptures(home / "captures")
    artifacts, judge = FileArtifacts(str(home / "artifacts"), home / "cache"), sandbox or InstantSandbox()
    models = Models(store, artifacts, judge, time.time, limits=limits, policy=lambda _: policy)
    trial = Trial(artifacts, judge, captures, nothing, limits)
    validation = Validation(store, artifacts, models, trial, nothing)
    calendar = Calendar(store, freezes, time.time)
    traffic = Traffic(store, fleet, publisher, time.time, calendar)
    rollouts = Rollouts(store, publisher, time.time, calendar)
    deploy = Deploy(models, validation, traffic, rollouts, preset("quick"), calendar)
    monitor = Monitor(store, captures, lambda _model, _version: None)
    retraining = Retraining(
        *(store, monitor, captures, NoTrainer(), models, deploy.deploy),
        home / "training",
        reference=nothing,
    )
    signer = signing_key(home / "keys")
    desk = Desk(
        store=store,
        requests=store.requests,
        fleet=fleet,
        nodes=nodes,
        models=models,
        catalogue=Catalogue(store, publisher),
        calendar=calendar,
        validation=validation,
        collector=Collector(store, artifacts, Retention(0.0, 0.0), time.time),
        deploy=deploy,
        traffic=traffic,
        upgrade=Upgrade(
            store,
            fleet,
            nodes=nodes,
            renew=_nothing_dedicated,
            check=lambda: None,
            restart=fleet.restart,
        ),
        rollouts=rollouts,
        feedback=Feedback(captures, store, lambda _model, _version: None, nothing),
        retraining=retraining,
        monitor=monitor,
        estimates=Estimates(store, captures, trial.reference),
        keys=Keys(store, publisher.commit, time.time),
        identity=identity,
        checkpoints=FileCheckpoints(str(home / "checkpoints"), public_text(signer), signer),
        find=captures.find,
        rates=lambda _: [Rates(1, Role.CHAMPION, 1_000.0, 0.005, 0.0, 0.2, math.nan)],
        placed=_placed,
        champion_now=lambda _: (Arm(60_000, 300), 1_000.0),
        metrics=lambda: b"headrace_up 1\n",
        info={
            "workers": workers,
            "controller": "controller-1",
            "http_port": 8000,
            "tls": False,
            "identity": identity,
        },
        hosts=frozenset({"admin.example"}),
    )
    return desk, store, captures


def in_process(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8002", headers=headers)


def capture(prediction: str, model: str = "fraud", version: int = 1) -> Capture:
    row = np.zeros((1, 3), np.float32)
    return Capture(prediction, time.time(), model, version, Role.CHAMPION, {"x": row}, {"y": row})


def onnx_bytes(text: str = "") -> bytes:
    """Not a model, but it starts like one, which is all that an instant sandbox asks for."""
    return b"\x08\x09\x12\x04test" + text.encode()
