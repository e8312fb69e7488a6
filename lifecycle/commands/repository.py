"""The V2 protocol's load and unload as changes of traffic: a model is loaded while it has some."""

from gateway.errors import ErrorCode, GatewayError
from lifecycle.commands.lookup import find_model, find_versions
from lifecycle.commands.traffic import Traffic
from lifecycle.core.stages import SERVABLE
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Store

# A V2 client knows no conflict: what the registry refuses is its own request's fault.
_CODES = {
    LifecycleCode.NOT_FOUND: ErrorCode.NOT_FOUND,
    LifecycleCode.UNAVAILABLE: ErrorCode.NOT_READY,
    LifecycleCode.INTERNAL: ErrorCode.INTERNAL,
}


class Repository:
    """Safe to repeat: what is so already is left as it is."""

    def __init__(self, store: Store, traffic: Traffic) -> None:
        self._store = store
        self._traffic = traffic

    async def change(self, verb: str, model: str, actor: str) -> GatewayError | None:
        """`load` or `unload` a model; a refusal in the gateway's words."""
        try:
            if verb == "load":
                await self.load(model, actor)
            else:
                await self.unload(model, actor)
        except LifecycleError as error:
            return GatewayError(_CODES.get(error.code, ErrorCode.INVALID), error.message)
        return None

    async def load(self, name: str, actor: str) -> None:
        """Give a model that has no traffic all of it: on the version that had it last, else the newest able.

        Raises:
            LifecycleError: NOT_FOUND, CONFLICT if no version may serve, and as `Traffic.set` does.
        """
        model = find_model(self._store, name)
        if model.champion:
            return
        able = [v.number for v in find_versions(self._store, name).values() if v.stage in SERVABLE]
        if not able:
            raise LifecycleError(
                LifecycleCode.CONFLICT,
                f"no version of model {name!r} is approved; see `headrace version show`",
            )
        number = model.previous if model.previous in able else max(able)
        await self._traffic.set(name, {number: 100.0}, actor=actor)

    async def unload(self, name: str, actor: str) -> None:
        """Take all traffic from a model; nothing to do for one that is not there.

        Raises:
            LifecycleError: CONFLICT while a rollout is active.
        """
        if any(model.loaded() for model in self._store.models(name)):
            await self._traffic.stop(name, actor=actor)
