"""Keeps other web sites' pages away from the admin API: no foreign Host, no foreign Origin.

A page that a person visits can send requests to loopback, and by DNS rebinding even read the answers.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config import is_loopback
from lifecycle.api.status import error_response
from lifecycle.errors import LifecycleCode

_EVERY_INTERFACE = frozenset(("0.0.0.0", "::"))


class SameOrigin:
    """ASGI middleware.

    Args:
        hosts: names besides loopback by which this API may be addressed, without a port. With the address
            that stands for every interface, any address will do: DNS rebinding needs a name.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts) - _EVERY_INTERFACE
        self._anywhere = bool(_EVERY_INTERFACE & hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(Headers(scope=scope))):
            await error_response(LifecycleCode.FORBIDDEN, refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> str:
        host, origin = headers.get("host", ""), headers.get("origin")
        name = _hostname(f"//{host}")
        if not (is_loopback(name) or name in self._hosts or (self._anywhere and _is_address(name))):
            return "this host name is not served here; add it to admin_hosts to allow it"
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            return "requests from other web sites are not taken"
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # an unclosed bracket
        return ""
