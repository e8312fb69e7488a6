"""A system's first answer in a case: waited for while it starts, and checked before anything is counted."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import TypeVar

import grpc

from benchmarks.load.cases import Case
from benchmarks.load.question import GRPC_METHOD, Question

START_TIMEOUT_S = 90.0
ANSWER_TIMEOUT_S = 10.0
PAUSE_S = 0.2
REFUSALS = 50
"""Some servers call a question bad while its model still loads: so often it is asked again."""

T = TypeVar("T")
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
    def once() -> tuple[bytes, dict[str, str]]:
        request = urllib.request.Request(url, body, dict(headers))
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as response:
                return response.read(), {name.lower(): value for name, value in response.headers.items()}
        except urllib.error.HTTPError as error:
            raise Refused(f"status {error.code}: {error.read(300)!r}") from None

    return _patiently(once, alive)


def _grpc(port: int, message: bytes, alive: Callable[[], bool]) -> bytes:
    with grpc.insecure_channel(f"127.0.0.1:{port}", GRPC_OPTIONS) as channel:
        call = channel.unary_unary(GRPC_METHOD, request_serializer=bytes, response_deserializer=bytes)

        def once() -> bytes:
            try:
                answer: bytes = call(message, timeout=ANSWER_TIMEOUT_S, wait_for_ready=True)
                return answer
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                    raise TimeoutError from None
                raise Refused(f"gRPC {error.code().name}: {(error.details() or '')[:300]}") from None

        return _patiently(once, alive)


class Refused(RuntimeError):
    """The server answered, and not with an answer."""


def _patiently(once: Callable[[], T], alive: Callable[[], bool]) -> T:
    ends, refusals = time.monotonic() + START_TIMEOUT_S, 0
    while alive() and time.monotonic() < ends:
        try:
            return once()
        except Refused:
            refusals += 1
            if refusals == REFUSALS:
                raise
        except OSError:  # nobody listens yet, or it takes too long
            pass
        time.sleep(PAUSE_S)
    raise RuntimeError("no answer" if alive() else "it ended while it started")
