"""The controller's parts, each made of those above it. Nothing runs yet."""

import time
from dataclasses import dataclass

from lifecycle.adapters.applications import ServeApplications
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.captures.writer import CaptureWriter
from lifecycle.adapters.checkpoints import FileCheckpoints, public_text, signing_key
from lifecycle.adapters.clock import Clock
from lifecycle.adapters.fleet import WorkerFleet
from lifecycle.adapters.nodes import ClusterNodes
from lifecycle.adapters.profiles import Profiles
from lifecycle.adapters.sandbox.process import ProcessSandbox
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.dedicated import Dedicated
from lifecycle.commands.governance.calendar import Calendar
from lifecycle.commands.governance.checkpoints import Checkpointer
from lifecycle.commands.publish import Publisher
from lifecycle.commands.references import LiveReferences
from lifecycle.commands.registry.trial import Trial
from lifecycle.config import LifecycleConfig
from lifecycle.controller import Controller
from lifecycle.core.governance.checkpoint import Rhythm
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor
from lifecycle.tenure import node_name


@dataclass(frozen=True, slots=True)
class Parts:
    """What the control loop turns, and what commands work on."""

    clock: Clock
    store: SqlStore
    artifacts: FileArtifacts
    checkpoints: FileCheckpoints
    checkpointer: Checkpointer
    captures: ParquetCaptures
    fleet: WorkerFleet
    publisher: Publisher
    nodes: ClusterNodes
    dedicated: Dedicated
    calendar: Calendar
    profiles: Profiles
    monitor: Monitor
    references: LiveReferences
    writer: CaptureWriter
    controller: Controller
    trial: Trial
    estimates: Estimates


def assemble(config: LifecycleConfig) -> Parts:
    """Opens the store; raises LifecycleError if that cannot be."""
    home = config.gateway.home
    clock = Clock()
    store = SqlStore(config.store_url)
    artifacts = FileArtifacts(config.artifacts_uri, home / "cache")
    signer = signing_key(config.keys_dir)
    checkpoints = FileCheckpoints(config.checkpoints_uri, public_text(signer), signer)
    rhythm = Rhythm(config.ledger.checkpoint_every_records, config.ledger.checkpoint_every_s)
    captures = ParquetCaptures(
        home / "captures",
        keep_bytes=config.captures.keep_mb << 20,
        keep_total_bytes=config.captures.keep_total_mb << 20,
        keep_s=config.captures.keep_days * 86_400,
        horizon_s=config.labels.horizon_days * 86_400,
    )
    fleet = WorkerFleet(clock)
    publisher = Publisher(store, fleet)
    nodes = ClusterNodes(config, node_name(config.gateway), time.monotonic)
    freezes = tuple(window.freeze() for window in config.governance.freezes)
    calendar = Calendar(store, freezes, time.time)  # a calendar is of the wall clock
    profiles = Profiles(store, artifacts)
    monitor = Monitor(store, captures, profiles.of)

    def taken(model: str, version: int) -> None:
        profiles.forget(model, version)
        monitor.forget(model)

    references = LiveReferences(
        store, artifacts, publisher, captures.first, taken, rows=config.drift.live_reference_rows
    )
    controller = Controller(
        store,
        fleet,
        publisher,
        bins=profiles.bins,
        frozen=lambda model: calendar.freeze(model) is not None,
        late=monitor.late,
    )
    trial = Trial(artifacts, ProcessSandbox(), captures, profiles.reference, config.validation.limits)
    return Parts(
        clock=clock,
        store=store,
        artifacts=artifacts,
        checkpoints=checkpoints,
        checkpointer=Checkpointer(store, checkpoints, rhythm),
        captures=captures,
        fleet=fleet,
        publisher=publisher,
        nodes=nodes,
        dedicated=Dedicated(publisher, fleet, ServeApplications(lambda: nodes.own)),
        calendar=calendar,
        profiles=profiles,
        monitor=monitor,
        references=references,
        writer=CaptureWriter(captures, references.count),
        controller=controller,
        trial=trial,
        estimates=Estimates(store, captures, trial.reference),
    )
