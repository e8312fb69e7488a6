"""Load and unload of the V2 protocol. The controller does it, by the registry's rules; a worker only asks it.

Off unless the settings say `model_control = "explicit"`: whoever may call a model could else take it away.
"""

from collections.abc import Mapping
from typing import Literal

from gateway.core.keys import KeyRole
from gateway.core.words import quoted
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.fields import invalid, model_name
from gateway.server.context import Context

ANYONE = "local"
"""Who asks while identity is off, as the ledger has it."""
_IGNORED = "unload_dependents"
"""Clients always send it; no model here depends on another."""


async def change(
    context: Context, verb: Literal["load", "unload"], model: str, parameters: Mapping[str, object]
) -> None:
    """Load or unload a model; returns once every worker has done it.

    Raises:
        GatewayError: SWITCHED_OFF while control is, NOT_READY if the controller does not answer, NOT_FOUND
            for a model that is not registered, FORBIDDEN for a key of a lesser role than deployer, INVALID
            for what the registry refuses.
    """
    if context.repository is None:
        raise GatewayError(
            ErrorCode.SWITCHED_OFF,
            "control is off here: use `headrace traffic set`, or set model_control = 'explicit' in [gateway]",
        )
    model_name(model)
    if foreign := parameters.keys() - {_IGNORED}:
        raise invalid(f"parameter {quoted(min(foreign))} is not taken: register a version with the admin API")
    caller = context.caller
    if caller is not None and not caller.covers(model):
        if verb == "unload":
            return  # as for any model that is not there
        raise GatewayError(ErrorCode.NOT_FOUND, f"there is no model {model!r}")
    if caller is not None and not caller.may(KeyRole.DEPLOYER):
        raise GatewayError(ErrorCode.FORBIDDEN, f"this key has the role {caller.role}; this takes deployer")
    await context.repository.change(verb, model, ANYONE if caller is None else caller.name)
