"""A system's first answer in a case: waited for while it starts, and checked before anything is counted."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

import grpc

from benchmarks.load.cases import Case
from benchmarks.load.question import GRPC_METHOD, Question

START_TIMEOUT_S = 90.0
ANSWER_TIMEOUT_S = 10.0
PAUSE_S = 0.2
# What a server says while its models still load.
NOT_YET_HTTP = (404, 502, 503)
NOT_YET_GRPC = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.DEADLINE_EXCEEDED)
GRPC_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def first_answer(
    case: Case, question: Question, port: int, headers: Mapping[str, str], alive: Callable[[], bool]
) -> bytes:
    """A right answer's body or message.

    Raises RuntimeError if the system ended, refused or took START_TIMEOUT_S; ValueError if it is not right.
    """
    body, own = question.ask(case.protocol)
    if case.protocol == "grpc":
        answer = _grpc(port, body, alive)
        question.check(case.protocol, answer, {})
        return answer
    url = f"http://127.0.0.1:{port}{question.path}"
    answer, told = _http(url, body, {**own, **headers}, alive)
    question.check(case.protocol, answer, told)
    return answer


def _http(
    url: str, body: bytes, headers: Mapping[str, str], alive: Callable[[], bool]
) -> tuple[bytes, dict[str, str]]:
    ends = time.monotonic() + START_TIMEOUT_S
    while alive() and time.monotonic() < ends:
        try:
            request = urllib.request.Request(url, body, dict(headers))
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as response:
                return response.read(), {name.lower(): value for name, value in response.headers.items()}
        except urllib.error.HTTPError as error:
            if error.code not in NOT_YET_HTTP:
                raise RuntimeError(f"status {error.code}: {error.read(300)!r}") from error
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(PAUSE_S)
    raise RuntimeError(f"no answer from {url}" if alive() else "it ended while it started")


def _grpc(port: int, message: bytes, alive: Callable[[], bool]) -> bytes:
    ends = time.monotonic() + START_TIMEOUT_S
    with grpc.insecure_channel(f"127.0.0.1:{port}", GRPC_OPTIONS) as channel:
        call = channel.unary_unary(GRPC_METHOD, request_serializer=bytes, response_deserializer=bytes)
        while alive() and time.monotonic() < ends:
            try:
                answer: bytes = call(message, timeout=ANSWER_TIMEOUT_S, wait_for_ready=True)
                return answer
            except grpc.RpcError as error:
                if error.code() not in NOT_YET_GRPC:
                    raise RuntimeError(
                        f"gRPC {error.code().name}: {(error.details() or '')[:300]}"
                    ) from error
                time.sleep(PAUSE_S)
    raise RuntimeError(f"no answer on gRPC port {port}" if alive() else "it ended while it started")
