"""What the SDK makes of an answer that is none, or is a failure, or is not headrace's."""

import httpx

from lifecycle.errors import LifecycleCode, LifecycleError

DEFAULT_URL = "http://127.0.0.1:8002"


def unreachable(url: str, error: Exception) -> LifecycleError:
    if isinstance(error, httpx.TimeoutException):
        message = f"{url} did not answer in time; look at it with `headrace status`"
    elif isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        message = f"{url!r} is not a URL this can call; it looks like {DEFAULT_URL}"
        return LifecycleError(LifecycleCode.INVALID, message)
    elif "CERTIFICATE" in str(error):
        message = f"{url} and this client do not trust each other; see HEADRACE_TLS_CA, HEADRACE_TLS_CERT"
    else:
        message = f"no headrace answers at {url}: start one with `headrace up`"
    return LifecycleError(LifecycleCode.UNAVAILABLE, message)


def rebuilt(answer: httpx.Response) -> LifecycleError:
    try:
        error = answer.json()["error"]
        return LifecycleError(LifecycleCode(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return stranger(answer)


def stranger(answer: httpx.Response) -> LifecycleError:
    message = f"{answer.request.url.host} answered {answer.status_code}, not as headrace does; check the URL"
    return LifecycleError(LifecycleCode.UNAVAILABLE, message)
