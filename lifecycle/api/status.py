"""How a failure looks over HTTP and gRPC: a row per code, one body for every error the admin API gives.

Must never put a traceback, a path or an internal name into a body.
"""

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus

import grpc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lifecycle.errors import LifecycleCode, LifecycleError

HTTP_STATUS: Mapping[LifecycleCode, HTTPStatus] = {
    LifecycleCode.INVALID: HTTPStatus.BAD_REQUEST,
    LifecycleCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    LifecycleCode.CONFLICT: HTTPStatus.CONFLICT,
    LifecycleCode.STALE: HTTPStatus.PRECONDITION_FAILED,
    LifecycleCode.REFUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
    LifecycleCode.UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    LifecycleCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    LifecycleCode.THROTTLED: HTTPStatus.TOO_MANY_REQUESTS,
    LifecycleCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    LifecycleCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    LifecycleCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}

GRPC_STATUS: Mapping[LifecycleCode, grpc.StatusCode] = {
    LifecycleCode.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    LifecycleCode.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    LifecycleCode.CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    LifecycleCode.STALE: grpc.StatusCode.ABORTED,
    LifecycleCode.REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
    LifecycleCode.UNSUPPORTED: grpc.StatusCode.INVALID_ARGUMENT,
    LifecycleCode.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    LifecycleCode.THROTTLED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    LifecycleCode.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    LifecycleCode.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    LifecycleCode.INTERNAL: grpc.StatusCode.INTERNAL,
}

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
"""Errors of a disk that takes nothing more. They are nobody's fault who asks, and may be over soon."""

JSON = "application/json"
_UNREAD = "model_attributes_type"
"""What pydantic calls a body that FastAPI left as bytes."""

log = logging.getLogger(__name__)


def error_response(
    code: LifecycleCode, message: str, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = {"error": {"code": code.value, "message": message}}
    return JSONResponse(body, status or HTTP_STATUS[code], headers)


def full(error: OSError) -> LifecycleError:
    """What a disk's error is to whoever asked."""
    return LifecycleError(LifecycleCode.UNAVAILABLE, f"the controller's disk takes no more: {error.strerror}")


def install_errors(app: FastAPI) -> None:
    """Every way a request can fail, mapped to the one body."""

    @app.exception_handler(LifecycleError)
    async def refused(_: Request, error: LifecycleError) -> JSONResponse:
        return error_response(error.code, error.message)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        kind = request.headers.get("content-type", "")
        if error.errors()[0]["type"] == _UNREAD and kind.partition(";")[0].strip().lower() != JSON:
            said = f", not {kind[:100]!r}" if kind else ""
            return error_response(
                LifecycleCode.UNSUPPORTED, f"this takes JSON: send it with `content-type: {JSON}`{said}"
            )
        return error_response(LifecycleCode.INVALID, _explain(error))

    @app.exception_handler(OSError)
    async def stuck(request: Request, error: OSError) -> JSONResponse:
        if error.errno not in FULL:
            return await unexpected(request, error)
        return await refused(request, full(error))

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, OSError):  # FastAPI blames the caller for whatever breaks a form
            return await stuck(request, error.__cause__)
        if isinstance(error.__cause__, LifecycleError):  # and calls a body that was refused a broken one
            return await refused(request, error.__cause__)
        if error.status_code == HTTPStatus.NOT_FOUND:
            message = f"there is nothing at {request.url.path}; {_elsewhere(request)}"
            return error_response(LifecycleCode.NOT_FOUND, message)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            message = f"{request.url.path} does not take {request.method}"
            return error_response(LifecycleCode.INVALID, message, error.status_code, error.headers)
        return error_response(LifecycleCode.INVALID, str(error.detail), error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return error_response(LifecycleCode.INTERNAL, "the controller failed; its log says why")


def _elsewhere(request: Request) -> str:
    """Where to look, for somebody who took this port for that of the models, mistyped a path, or a name."""
    if request.url.path.startswith("/v2"):
        port = request.app.state.desk.info.get("http_port", 8000)
        return f"models answer at port {port}, and this is the admin API"
    if b"%2f" in request.scope.get("raw_path", b"").lower():
        return "no name has a slash in it"
    return "GET /openapi.json tells what there is"


def _explain(error: RequestValidationError) -> str:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return f"the body is no JSON: {first['ctx']['error']} at character {first['loc'][-1]}"
    where = ".".join(str(part) for part in first["loc"][1:])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
