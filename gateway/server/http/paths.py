"""Every HTTP path but those of inference: a table from path and method to a handler."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import orjson

from gateway.core.alias import ALIAS
from gateway.errors import ErrorCode, GatewayError, internal
from gateway.protocols.fields import invalid, parameters_in
from gateway.server.context import Context
from gateway.server.extensions import catalogue, control, log_settings, trace_settings
from gateway.server.extensions.statistics import statistics
from gateway.server.gate import rules
from gateway.server.http.message import JSON_TYPE, Request, answer, document, fault, json_answer
from gateway.telemetry.metrics import CONTENT_TYPE as METRICS_TYPE

INFER = ("v2", "models", "*", "infer")
PREDICT = ("v1", "models", "*:predict")
INVOKE = ("invocations",)
OPEN = frozenset((("v2", "health", "live"), ("v2", "health", "ready"), ("ping",), ("health",)))
"""Paths that need no key: they say nothing of any model, and balancers ask them."""

NOTHING = (
    "there is nothing at this path: models answer POST /v2/models/NAME/infer, the admin API has its own port"
)
_NO_SHARED_MEMORY = "shared memory is not supported here: send tensors in the request"
_SHARED_MEMORY = frozenset((("v2", "systemsharedmemory"), ("v2", "cudasharedmemory")))
_log = logging.getLogger(__name__)


class Path(NamedTuple):
    """A URL's path: its pattern, in which `*` stands for a model, and the model and version it names.

    `version` is as the caller wrote it: a number, an alias, or nothing.
    """

    pattern: tuple[str, ...]
    model: str
    version: str


class Reply(NamedTuple):
    """`document` is sent as JSON, but for bytes, which are sent as they are; None sends an empty body."""

    status: int
    document: Any = None
    kind: bytes = JSON_TYPE


_ORIGIN = re.compile(rb"\Ahttps?://[^/]+", re.IGNORECASE)
"""Of a URL in absolute form, which proxies send and every server has to take (RFC 9112, 3.2.2)."""
Handler = Callable[[Context, Request, Path], Awaitable[Reply]]


def parse(url: bytes) -> Path:
    """The path of a URL, unquoted segment by segment. INVALID if it climbs or is not text."""
    path = _ORIGIN.sub(b"", url.partition(b"?")[0]) or b"/"
    if not path.startswith(b"/"):
        raise invalid("the URL must begin with '/'")
    try:
        segments = [unquote_to_bytes(part).decode() for part in path[1:].removesuffix(b"/").split(b"/")]
    except UnicodeDecodeError:
        raise invalid("the URL is not UTF-8") from None
    if any(segment in (".", "..") or "\0" in segment for segment in segments):
        raise invalid("the URL must not hold '.', '..' or NUL as a part of its path")
    return _named(segments)


def _named(segments: list[str]) -> Path:
    match segments:
        case ["v2", "models", "stats"]:
            return Path(("v2", "models", "stats"), "", "")
        case ["v2", "models", model, "versions", version, *rest]:
            if not version:
                raise invalid("a version is a whole number, such as 3, or an alias, such as champion")
            return Path(("v2", "models", "*", *rest), model, version)
        case ["v2", "models", model, *rest]:
            return Path(("v2", "models", "*", *rest), model, "")
        case ["v1", "models", last]:
            model, colon, verb = last.partition(":")
            return Path(("v1", "models", f"*{colon}{verb}"), model, "")
        case ["v1", "models", model, "versions", last]:
            version, colon, verb = last.partition(":")
            return Path(("v1", "models", f"*{colon}{verb}"), model, version)
        case ["v1", "models", model, "labels", last]:
            label, colon, verb = last.partition(":")
            if ALIAS.fullmatch(label) is None:
                raise invalid("a label begins with a letter, such as champion")
            return Path(("v1", "models", f"*{colon}{verb}"), model, label)
        case ["serving-endpoints", model, "invocations"] | ["models", model, "invoke"]:
            return Path(INVOKE, model, "")
        case ["score"]:
            return Path(INVOKE, "", "")
        case ["v2", "repository", "models", model, *rest]:
            return Path(("v2", "repository", "models", "*", *rest), model, "")
    return Path(tuple(segments), "", "")


async def _live(_context: Context, _request: Request, _path: Path) -> Reply:
    return Reply(200, {"live": True})


async def _ready(context: Context, _request: Request, _path: Path) -> Reply:
    return Reply(200 if context.ready else 400, {"ready": context.ready})


async def _ping(context: Context, _request: Request, _path: Path) -> Reply:
    return Reply(200 if context.ready else 503)


async def _release(_context: Context, _request: Request, _path: Path) -> Reply:
    return Reply(200, catalogue.RELEASE.encode(), b"text/plain; charset=utf-8")


async def _server(_context: Context, _request: Request, _path: Path) -> Reply:
    return Reply(200, catalogue.SERVER)


async def _model(context: Context, _request: Request, path: Path) -> Reply:
    return Reply(200, catalogue.metadata(context.routes, path.model, path.version))


async def _model_ready(context: Context, _request: Request, path: Path) -> Reply:
    ready = catalogue.ready(context.routes, path.model, path.version)
    return Reply(200 if ready else 400, {"name": path.model, "ready": ready})


async def _config(context: Context, _request: Request, path: Path) -> Reply:
    return Reply(200, catalogue.config(context.routes, path.model, path.version))


async def _stats(context: Context, _request: Request, path: Path) -> Reply:
    return Reply(200, await statistics(context, path.model, path.version))


async def _v1_models(context: Context, _request: Request, _path: Path) -> Reply:
    return Reply(200, {"models": sorted(context.routes.table.models)})


async def _v1_model(context: Context, _request: Request, path: Path) -> Reply:
    return Reply(200, catalogue.v1_status(context.routes, path.model, path.version))


async def _index(context: Context, request: Request, _path: Path) -> Reply:
    only_ready = document(request).get("ready", False)
    if not isinstance(only_ready, bool):
        raise invalid("'ready' must be true or false")
    return Reply(200, catalogue.index(context.routes, only_ready))


async def _log_settings(context: Context, _request: Request, _path: Path) -> Reply:
    return Reply(200, log_settings.told(context.log_level))


async def _set_log(context: Context, request: Request, _path: Path) -> Reply:
    _refuse_pages(request)
    rules(context.caller)
    return Reply(200, log_settings.change(context.log_level, document(request)))


async def _trace(context: Context, request: Request, path: Path) -> Reply:
    if path.model:
        catalogue.find(context.routes, path.model, "")
    if request.method != b"POST":
        return Reply(200, _plain(trace_settings.told(context.traces, path.model)))
    _refuse_pages(request)
    rules(context.caller)
    return Reply(200, _plain(trace_settings.change(context.traces, path.model, document(request))))


async def _load(context: Context, request: Request, path: Path) -> Reply:
    _refuse_pages(request)
    await control.change(context, "load", path.model, parameters_in(document(request)))
    return Reply(200)


async def _unload(context: Context, request: Request, path: Path) -> Reply:
    _refuse_pages(request)
    await control.change(context, "unload", path.model, parameters_in(document(request)))
    return Reply(200)


def _refuse_pages(request: Request) -> None:
    """Pages that a person visits can send requests to loopback; browsers say which page it was.

    Raises GatewayError FORBIDDEN.
    """
    if b"origin" in request.headers:
        raise GatewayError(ErrorCode.FORBIDDEN, "web pages can change nothing here; clients and commands can")


def _plain(told: trace_settings.Told) -> dict[str, Any]:
    """As Triton has it in JSON: only the level is a list."""
    return {name: value if name == "trace_level" else value[0] for name, value in told.items()}


async def _metrics(context: Context, _request: Request, _path: Path) -> Reply:
    if context.caller is not None and not context.caller.wide:
        raise GatewayError(ErrorCode.FORBIDDEN, "metrics tell of every model; this key is for some only")
    return Reply(200, context.metrics(), METRICS_TYPE.encode())


_MODEL = ("v2", "models", "*")
_REPOSITORY = ("v2", "repository")
HANDLERS: dict[tuple[str, ...], dict[str, Handler]] = {
    ("v2",): {"GET": _server},
    ("v2", "health", "live"): {"GET": _live},
    ("v2", "health", "ready"): {"GET": _ready},
    ("v2", "models", "stats"): {"GET": _stats},
    _MODEL: {"GET": _model},
    (*_MODEL, "ready"): {"GET": _model_ready},
    (*_MODEL, "config"): {"GET": _config},
    (*_MODEL, "stats"): {"GET": _stats},
    (*_REPOSITORY, "index"): {"POST": _index},
    (*_REPOSITORY, "models", "*", "load"): {"POST": _load},
    (*_REPOSITORY, "models", "*", "unload"): {"POST": _unload},
    ("v2", "logging"): {"GET": _log_settings, "POST": _set_log},
    ("v2", "trace", "setting"): {"GET": _trace, "POST": _trace},
    (*_MODEL, "trace", "setting"): {"GET": _trace, "POST": _trace},
    ("v1", "models"): {"GET": _v1_models},
    ("v1", "models", "*"): {"GET": _v1_model},
    ("ping",): {"GET": _ping},
    ("health",): {"GET": _ping},
    ("version",): {"GET": _release},
    ("metrics",): {"GET": _metrics},
}


async def respond(context: Context, request: Request, path: Path) -> bytes:
    """The answer to any path of the table, once it is done; or 404 or 405. Never raises."""
    methods = HANDLERS.get(path.pattern)
    if methods is None:
        if path.pattern in (INFER, PREDICT, INVOKE):
            return _wrong_method(request, "POST")
        return json_answer(request, 404, {"error": _why_nothing(path)})
    method = "GET" if request.method == b"HEAD" else request.method.decode()
    handler = methods.get(method)
    if handler is None:
        return _wrong_method(request, ", ".join(methods))
    try:
        status, told, kind = await handler(context, request, path)
    except GatewayError as error:
        return fault(request, error)
    except Exception:
        _log.exception("a request failed")
        return fault(request, internal())
    body = b"" if told is None else told if isinstance(told, bytes) else orjson.dumps(told)
    return answer(request, status, kind, body)


def _why_nothing(path: Path) -> str:
    return _NO_SHARED_MEMORY if path.pattern[:2] in _SHARED_MEMORY else NOTHING


def _wrong_method(request: Request, allowed: str) -> bytes:
    error = {"error": f"this path takes {allowed}"}
    return json_answer(request, 405, error, b"allow: %s\r\n" % allowed.encode())
