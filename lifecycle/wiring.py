"""Every command wired to what it works on, at the desk that the admin interfaces ask."""

import os
import time
from collections.abc import Callable
from functools import partial

from lifecycle.adapters.installed import check_installed
from lifecycle.adapters.sandbox.process import ProcessSandbox
from lifecycle.adapters.trainer import RayTrainer
from lifecycle.api.desk import Desk
from lifecycle.commands.deploy import Deploy
from lifecycle.commands.governance.keys import Keys
from lifecycle.commands.governance.retention import Collector
from lifecycle.commands.learning.feedback import Feedback
from lifecycle.commands.learning.retraining import Retraining
from lifecycle.commands.registry.catalogue import Catalogue
from lifecycle.commands.registry.models import Models
from lifecycle.commands.registry.validation import Validation
from lifecycle.commands.repository import Repository
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.commands.upgrade import Upgrade
from lifecycle.config import LifecycleConfig
from lifecycle.core.rollouts.plan import correcting, preset
from lifecycle.parts import Parts


def wire(
    config: LifecycleConfig,
    parts: Parts,
    *,
    metrics: Callable[[], bytes],
    make_way: Callable[[], None],
) -> tuple[Desk, Repository]:
    """The desk, and what answers V2 clients that load and unload models.

    Args:
        metrics: one scrape of the node.
        make_way: ends this controller, so that one of the installed code takes over.
    """
    store, fleet, publisher, captures = parts.store, parts.fleet, parts.publisher, parts.captures
    gateway, governance = config.gateway, config.governance
    checks, read = config.validation, parts.profiles.reference
    trainer = RayTrainer()
    models = Models(
        store,
        parts.artifacts,
        ProcessSandbox(),
        parts.clock,
        limits=checks.limits,
        policy=lambda model: governance.policy_of(model, gateway.home),
        dedicated_above_mb=gateway.dedicated.above_mb,
        find_recipe=trainer.find,
    )
    validation = Validation(store, parts.artifacts, models, parts.trial, read, checks.standards)
    traffic = Traffic(store, fleet, publisher, parts.clock, parts.calendar)
    rollouts = Rollouts(store, publisher, parts.clock, parts.calendar, parts.controller.call)
    plan = preset(config.control.default_plan)
    deploy = Deploy(models, validation, traffic, rollouts, plan, parts.calendar)
    retraining = Retraining(
        store,
        parts.monitor,
        captures,
        trainer,
        models,
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
        upgrade=Upgrade(store, fleet, parts.nodes, parts.dedicated.renew, check_installed, make_way),
        rollouts=rollouts,
        feedback=Feedback(captures, store, parts.profiles.of, read, per_minute=config.labels.per_minute),
        retraining=retraining,
        monitor=parts.monitor,
        estimates=parts.estimates,
        checkpoints=parts.checkpoints,
        metrics=metrics,
        find=captures.find,
        rates=parts.controller.rates,
        placed=fleet.placed,
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
