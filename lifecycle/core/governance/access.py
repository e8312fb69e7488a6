"""Who may do what over the admin API: one table from method and path to a role. Enforced in one place."""

import re
from dataclasses import dataclass

from gateway.core.keys import KeyRole

_MODEL = "/v1/models/{model}"
_VERSION = _MODEL + "/versions/{number}"
_CURRENT = _MODEL + "/rollouts/current"
_V, _D, _A, _ADMIN = KeyRole.VIEWER, KeyRole.DEPLOYER, KeyRole.APPROVER, KeyRole.ADMIN

OPEN = ("/", "/ui/{name}", "/v1/ready")
"""Needs no key: the page's own files and whether the cluster is ready. They say nothing of any model."""

RULES: dict[tuple[str, str], KeyRole] = {
    ("GET", "/v1/models"): _V,
    ("GET", _MODEL): _V,
    ("GET", _MODEL + "/policy"): _V,
    ("GET", _MODEL + "/versions"): _V,
    ("POST", _MODEL + "/versions"): _D,
    ("GET", _VERSION): _V,
    ("PATCH", _VERSION): _D,
    ("GET", _VERSION + "/card"): _V,
    ("PUT", _MODEL + "/aliases/{alias}"): _D,
    ("DELETE", _MODEL + "/aliases/{alias}"): _D,
    ("POST", _VERSION + "/validate"): _D,
    ("POST", _VERSION + "/approve"): _A,
    ("POST", _VERSION + "/reject"): _A,
    ("POST", _VERSION + "/retire"): _D,
    ("POST", _VERSION + "/deploy"): _D,
    ("PUT", _MODEL + "/holdout"): _A,
    ("GET", _MODEL + "/traffic"): _V,
    ("PUT", _MODEL + "/traffic"): _D,
    ("PUT", _MODEL + "/limits"): _D,
    ("PUT", _MODEL + "/placement"): _D,
    ("PUT", _MODEL + "/cache"): _D,
    ("PUT", _MODEL + "/memory"): _D,
    ("POST", _MODEL + "/rollback"): _D,
    ("GET", _MODEL + "/rollouts"): _V,
    ("POST", _MODEL + "/rollouts"): _D,
    ("POST", _MODEL + "/rollouts/forecast"): _V,
    ("GET", _CURRENT): _V,
    ("POST", _CURRENT + "/pause"): _D,
    ("POST", _CURRENT + "/resume"): _D,
    ("POST", _CURRENT + "/promote"): _D,
    ("POST", _CURRENT + "/abort"): _D,
    ("GET", _MODEL + "/series"): _V,
    ("GET", _MODEL + "/drift"): _V,
    ("GET", _MODEL + "/performance"): _V,
    ("GET", _MODEL + "/retrain"): _V,
    ("POST", _MODEL + "/retrain"): _D,
    ("POST", "/v1/feedback"): KeyRole.INFERENCE,
    ("GET", "/v1/audit"): _V,
    ("GET", "/v1/audit/at"): _V,
    ("GET", "/v1/audit/predictions/{prediction:path}"): _V,
    ("GET", "/v1/audit/verify"): _V,
    ("GET", "/v1/audit/key"): _V,
    ("GET", "/v1/events"): _V,
    ("GET", "/v1/status"): _V,
    ("GET", "/v1/attention"): _V,
    ("GET", "/metrics"): _V,
    ("GET", "/openapi.json"): _V,
    ("POST", "/v1/upgrade"): _ADMIN,
    ("GET", "/v1/join"): _ADMIN,
    ("POST", "/v1/artifacts/collect"): _ADMIN,
    ("GET", "/v1/keys"): _ADMIN,
    ("POST", "/v1/keys"): _ADMIN,
    ("DELETE", "/v1/keys/{name}"): _ADMIN,
}

WIDE = frozenset(
    (
        "/v1/audit/verify",
        "/v1/upgrade",
        "/v1/join",
        "/metrics",
        "/v1/keys",
        "/v1/keys/{name}",
        "/v1/artifacts/collect",
    )
)
"""Tells of every model or rules over all, so it takes a key that is for every model."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a request takes. `role` None: nothing at all. `model` is the one that the path names, or empty."""

    role: KeyRole | None
    model: str = ""
    wide: bool = False


def need(method: str, path: str) -> Need:
    """What a request takes; one that the table does not know takes an admin of everything."""
    if method in ("GET", "HEAD") and any(_PATTERNS[route].fullmatch(path) for route in OPEN):
        return Need(None)
    for (verb, route), role in RULES.items():
        if verb == method and (found := _PATTERNS[route].fullmatch(path)):
            return Need(role, found.groupdict().get("model", ""), route in WIDE)
    return Need(KeyRole.ADMIN, wide=True)


def _pattern(route: str) -> re.Pattern[str]:
    route = re.sub(r"\{(\w+):path\}", r"(?P<\1>.*)", route)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route), re.DOTALL)


_PATTERNS = {route: _pattern(route) for route in (*OPEN, *(route for _, route in RULES))}
