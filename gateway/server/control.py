"""Load and unload of the V2 protocol. The controller does it, by the registry's rules; a worker only asks it.

Off unless the settings say `model_control = "explicit"`: whoever may call a model could else take it away.
"""

import logging
from collections.abc import Mapping
from typing import Literal

from gateway.core.keys import Key, KeyRole
from gateway.core.words import quoted
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import Repository
from gateway.protocols.fields import invalid, model_name
from gateway.server.message import JSON_TYPE, Request, answer, fault, internal, json_object
from gateway.server.routes import Context, Path, wrong_method

Verb = Literal["load", "unload"]
PATHS: dict[tuple[str, ...], Verb] = {
    ("v2", "repository", "models", "*", "load"): "load",
    ("v2", "repository", "models", "*", "unload"): "unload",
}
ANYONE = "local"
"""Who asks while identity is off, as the ledger has it."""
_IGNORED = "unload_dependents"
"""Clients always send it; no model here depends on another."""
_log = logging.getLogger(__name__)


async def respond(repository: Repository | None, context: Context, request: Request, path: Path) -> bytes:
    """The answer to a request for one of `PATHS`: empty once every worker has done it."""
    if request.method != b"POST":
        return wrong_method(request, "POST")
    try:
        asked = json_object(request).get("parameters") or {}
        if not isinstance(asked, dict):
            raise invalid("'parameters' must be a JSON object")
        await change(repository, PATHS[path.pattern], path.model, asked, context.caller)
    except GatewayError as error:
        return fault(request, error)
    except Exception:
        _log.exception("a %s failed", PATHS[path.pattern])
        return fault(request, internal())
    return answer(request, 200, JSON_TYPE, b"")


async def change(
    repository: Repository | None,
    verb: Verb,
    model: str,
    parameters: Mapping[str, object],
    caller: Key | None,
) -> None:
    """Load or unload a model.

    Raises:
        GatewayError: NOT_READY while control is off or the controller does not answer, NOT_FOUND for a model
            that is not registered, FORBIDDEN for a key of a lesser role than deployer, INVALID for what the
            registry refuses.
    """
    if repository is None:
        raise GatewayError(
            ErrorCode.NOT_READY,
            "control is off here: use `headrace traffic set`, or set model_control = 'explicit' in [gateway]",
        )
    model_name(model)
    if foreign := parameters.keys() - {_IGNORED}:
        raise invalid(f"parameter {quoted(min(foreign))} is not taken: register a version with the admin API")
    if caller is not None and not caller.covers(model):
        if verb == "unload":
            return  # as for any model that is not there
        raise GatewayError(ErrorCode.NOT_FOUND, f"there is no model {model!r}")
    if caller is not None and not caller.may(KeyRole.DEPLOYER):
        raise GatewayError(ErrorCode.FORBIDDEN, f"this key has the role {caller.role}; this takes deployer")
    await repository.change(verb, model, ANYONE if caller is None else caller.name)
