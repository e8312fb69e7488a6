"""The desk, furnished: every command wired to what it works on."""

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.checkpoints import FileCheckpoints
from lifecycle.adapters.clock import Clock
from lifecycle.adapters.fleet import WorkerFleet
from lifecycle.adapters.installed import check_installed
from lifecycle.adapters.profiles import Profiles
from lifecycle.adapters.sandbox.process import ProcessSandbox
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.adapters.trainer import RayTrainer
from lifecycle.api.desk import Desk
from lifecycle.commands.calendar import Calendar
from lifecycle.commands.catalogue import Catalogue
from lifecycle.commands.deploy import Deploy
from lifecycle.commands.feedback import Feedback
from lifecycle.commands.keys import Keys
from lifecycle.commands.models import Models
from lifecycle.commands.publish import Publisher
from lifecycle.commands.repository import Repository
from lifecycle.commands.retention import Collector
from lifecycle.commands.retraining import Retraining
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.commands.trial import Trial
from lifecycle.commands.upgrade import Nodes, Upgrade
from lifecycle.commands.validation import Validation
from lifecycle.config import LifecycleConfig
from lifecycle.controller import Controller
from lifecycle.core.plan import correcting, preset
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor


@dataclass(frozen=True, slots=True)
class Parts:
    """What of a running controller the commands work on."""

    store: SqlStore
    artifacts: FileArtifacts
    captures: ParquetCaptures
    fleet: WorkerFleet
    publisher: Publisher
    profiles: Profiles
    calendar: Calendar
    monitor: Monitor
    estimates: Estimates
    controller: Controller
    trial: Trial
    checkpoints: FileCheckpoints
    clock: Clock
    nodes: Nodes


def furnish(
    config: LifecycleConfig,
    parts: Parts,
    *,
    metrics: Callable[[], bytes],
    renew: Callable[[], Awaitable[None]],
    make_way: Callable[[], None],
) -> tuple[Desk, Repository]:
    """The desk, and what answers V2 clients that load and unload models.

    Args:
        metrics: one scrape of the node.
        renew: replaces the processes of dedicated versions.
        make_way: ends this controller, so that one of the installed code takes over.
    """
    store, fleet, publisher, captures = parts.store, parts.fleet, parts.publisher, parts.captures
    gateway, governance = config.gateway, config.governance
    checks, read = config.validation, parts.profiles.reference
    models = Models(
        *(store, parts.artifacts, ProcessSandbox(), parts.clock),
        limits=checks.limits,
        policy=lambda model: governance.policy_of(model, gateway.home),
        dedicated_above_mb=gateway.dedicated.above_mb,
    )
    validation = Validation(store, parts.artifacts, models, parts.trial, read, checks.standards)
    traffic = Traffic(store, fleet, publisher, parts.clock, parts.calendar)
    rollouts = Rollouts(store, publisher, parts.clock, parts.calendar, parts.controller.call)
    plan = preset(config.control.default_plan)
    deploy = Deploy(models, validation, traffic, rollouts, plan, parts.calendar)
    retraining = Retraining(
        *(store, parts.monitor, captures, RayTrainer(), models),
        partial(deploy.deploy, plan=correcting(plan)),
        gateway.home / "training",
        reference=read,
        clock=parts.clock,
        trusted=config.labels.trusted,
    )
    desk = Desk(
        store=store,
        requests=store.requests,
        fleet=fleet,
        models=models,
        catalogue=Catalogue(store, publisher),
        calendar=parts.calendar,
        validation=validation,
        collector=Collector(store, parts.artifacts, config.retention.seconds(), time.time),
        deploy=deploy,
        traffic=traffic,
        nodes=parts.nodes,
        upgrade=Upgrade(store, fleet, parts.nodes, renew, check_installed, make_way),
        rollouts=rollouts,
        feedback=Feedback(captures, store, per_minute=config.labels.per_minute),
        retraining=retraining,
        monitor=parts.monitor,
        estimates=parts.estimates,
        checkpoints=parts.checkpoints,
        metrics=metrics,
        find=captures.find,
        rates=parts.controller.rates,
        champion_now=parts.controller.champion_now,
        default_plan=config.control.default_plan,
        keys=Keys(store, publisher.commit, parts.clock, lambda: fleet.table.keys),
        identity=gateway.identity,
        certificates=gateway.certificates,
        hosts=frozenset({gateway.host, *governance.admin_hosts}),
        info={
            **gateway.model_dump(include={"workers", "edge", "http_port", "grpc_port"}),
            "tls": gateway.tls is not None,
            "identity": gateway.identity,
            "controller": f"controller-{os.getpid()}",
        },
    )
    return desk, Repository(store, traffic)
