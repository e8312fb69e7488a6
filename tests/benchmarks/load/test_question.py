"""The same question in three protocols; only an answer with the right numbers passes."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.load.cases import Protocol
from benchmarks.load.question import HEADER_LENGTH, Question, grpc_frame, make
from benchmarks.peers.inference import Inference, messages


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=["logistic", "identity", "image"])
def question(asked: Path, request: pytest.FixtureRequest) -> Question:
    return make(request.param, asked)


def answer(question: Question, protocol: Protocol) -> tuple[bytes, dict[str, str]]:
    """What a peer answers."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BENCH_MODELS", str(question.artifact.parent))
        peer = Inference(question.model)
    body, headers = question.ask(protocol)
    if protocol == "json":
        return peer.json(body), {}
    if protocol == "binary":
        told, length = peer.binary(body, int(headers[HEADER_LENGTH]))
        return told, {HEADER_LENGTH: str(length)}
    message: bytes = peer.protobuf(messages().ModelInferRequest.FromString(body)).SerializeToString()
    return message, {}


@pytest.mark.parametrize("protocol", ["json", "binary", "grpc"])
def test_a_peer_answers_rightly_and_a_wrong_number_is_seen(question: Question, protocol: Protocol) -> None:
    told, headers = answer(question, protocol)
    question.check(protocol, told, headers)
    wrong = Question(
        question.model,
        question.artifact,
        question.input,
        question.sent,
        question.output,
        question.expected + np.float32(0.01),
    )
    with pytest.raises(ValueError, match="wrong answer"):
        wrong.check(protocol, told, headers)


def test_the_questions_lie_beside_their_model(question: Question) -> None:
    for protocol in ("json", "binary", "grpc"):
        path = question.artifact.with_suffix(f".{protocol}")
        assert path.read_bytes() == question.ask(protocol)[0]


def test_a_frame_is_a_flag_a_length_and_the_message() -> None:
    assert grpc_frame(b"abc") == b"\0\0\0\0\3abc"
