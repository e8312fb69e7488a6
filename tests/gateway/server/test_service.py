"""What both servers are told of a caller, by the headers of HTTP or the metadata of gRPC."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from gateway.config import Limits
from gateway.core.keys import Key, Keyring, KeyRole, digest
from gateway.errors import GatewayError
from gateway.server.gate import Gate
from gateway.server.service import Service

NOTHING: Mapping[bytes, bytes] = MappingProxyType({})
KEYED = {b"authorization": b"Bearer secret"}
KEY = Key("caller", digest("secret"), KeyRole.VIEWER, ("pair",))


def guarded(engine: Any) -> Service:
    gate = Gate()
    gate.take(1, Keyring((KEY,)))
    return Service(engine, Limits(), gate=gate)


async def test_without_identity_everybody_sees_everything(engine: Any) -> None:
    context = Service(engine, Limits()).context(KEYED, ready=True, everybody=False)
    assert context.caller is None
    assert context.routes.table.models.keys() == engine.table.models.keys()


async def test_a_key_sees_its_models(engine: Any) -> None:
    context = guarded(engine).context(KEYED, ready=False, everybody=False)
    assert (context.caller, context.ready, context.headers) == (KEY, False, KEYED)
    assert context.routes.table.models.keys() == {"pair"}


async def test_what_is_open_to_everybody_needs_no_key(engine: Any) -> None:
    service = guarded(engine)
    assert service.context(NOTHING, ready=True, everybody=True).caller is None
    with pytest.raises(GatewayError, match="a key is needed"):
        service.context(NOTHING, ready=True, everybody=False)


async def test_the_limit_of_bodies_is_in_bytes(engine: Any) -> None:
    assert Service(engine, Limits(max_body_mb=3)).max_body == 3 * 2**20
