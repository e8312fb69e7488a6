"""What the controller asks of Serve for dedicated versions: an application each. Blocks."""

from collections.abc import Callable

import ray
from ray import serve
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview

from gateway.config import GatewayConfig
from gateway.core.placement import APPLICATIONS
from gateway.serve.replica import application as application_of
from gateway.serve.starting import answers, given_up, refusal
from lifecycle.adapters.nodes import start
from lifecycle.core.dedicated import Application, Phase, State


class ServeApplications:
    """Implements `ports.Applications`. Serve must be up: it would be started with proxies otherwise.

    Args:
        config: gives the settings in force.
    """

    def __init__(self, config: Callable[[], GatewayConfig]) -> None:
        self._config = config

    def states(self) -> dict[str, State]:
        present = serve.status().applications
        return {name: self._state(found) for name, found in present.items() if name.startswith(APPLICATIONS)}

    def _state(self, found: ApplicationStatusOverview) -> State:
        if found.status is ApplicationStatus.RUNNING:
            return State(Phase.RUNNING)
        if found.status is ApplicationStatus.DELETING:
            return State(Phase.ENDING)
        if error := given_up(found, self._config().dedicated):
            dead = found.status is ApplicationStatus.DEPLOY_FAILED and not answers(found)
            return State(Phase.DEAD if dead else Phase.GIVEN_UP, error.message)
        return State(Phase.STARTING)

    def start(self, application: Application) -> None:
        resources: Callable[[], dict[str, float]] = ray.cluster_resources
        gpus = resources().get("GPU", 0.0)
        target = application_of(application.model, application.entry, self._config(), gpus)
        start(target, application.name)

    def renew(self, application: Application) -> str:
        if reason := refusal(self._config().dedicated):
            return reason
        self.start(application)
        return ""

    def end(self, name: str) -> None:
        serve.delete(name, _blocking=False)
