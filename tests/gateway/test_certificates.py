"""Client certificates stand for keys, over HTTP, on the fast lane of gRPC and on its full server; and a
caller cannot say whose certificate it has shown.
"""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import httpx
import pytest

from gateway.config import Tls
from gateway.core.keys import SUBJECT, Key, Keyring, KeyRole, subject_digest
from tests.gateway.ca import Authority
from tests.gateway.node import Node, config_of, table_of

QUESTION = {"inputs": [{"name": "i", "datatype": "INT64", "shape": [1], "data": [2]}]}
SHOP = Key("shop", subject_digest("CN=shop"), KeyRole.INFERENCE, ("one",), subject="CN=shop")
CLAIMS = {SUBJECT: "CN=shop", SUBJECT.upper(): "CN=shop", SUBJECT.replace("-", "_"): "CN=shop"}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def node(ours: Authority, lookup: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    certificate, key = ours.issue("server")
    tls = Tls(certificate=certificate, key=key, client_ca=ours.certificate)
    config = config_of(tmp_path_factory.mktemp("home"), tls=tls, keys="required")
    models = {"one": lookup}
    with Node(config, models) as node:
        table = table_of(config.home, models)
        node.run(node.worker.apply(replace(table, generation=2, keys=Keyring((SHOP,)))))
        yield node


def asked(node: Node, ours: Authority, shown: tuple[Path, Path], **headers: str) -> int:
    trust = ssl.create_default_context(cafile=str(ours.certificate))
    trust.load_cert_chain(*shown)
    with httpx.Client(verify=trust, headers=headers) as client:
        url = f"https://localhost:{node.config.http_port}/v2/models/one/infer"
        return client.post(url, json=QUESTION).status_code


def test_a_certificate_is_who_it_was_issued_to(node: Node, ours: Authority) -> None:
    assert asked(node, ours, ours.issue("shop")) == 200
    assert asked(node, ours, ours.issue("other")) == 401


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_caller_cannot_say_whose_certificate_it_shows(node: Node, ours: Authority, claim: str) -> None:
    assert asked(node, ours, ours.issue("other"), **{claim: CLAIMS[claim]}) == 401


@pytest.mark.parametrize("method", ["ModelInfer", "ModelMetadata"])
def test_grpc_knows_the_same_callers(node: Node, ours: Authority, method: str) -> None:
    def code(name: str, *metadata: tuple[str, str]) -> grpc.StatusCode:
        certificate, key = ours.issue(name)
        credentials = grpc.ssl_channel_credentials(
            ours.certificate.read_bytes(), key.read_bytes(), certificate.read_bytes()
        )
        with grpc.secure_channel(f"localhost:{node.config.grpc_port}", credentials) as channel:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
                f"/inference.GRPCInferenceService/{method}"
            )
            try:
                call(b"\n\x03one", metadata=metadata, timeout=20)
            except grpc.RpcError as error:
                return error.code()
            return grpc.StatusCode.OK

    assert code("shop") is not grpc.StatusCode.UNAUTHENTICATED
    assert code("other") is grpc.StatusCode.UNAUTHENTICATED
    assert code("other", (SUBJECT, "CN=shop")) is grpc.StatusCode.UNAUTHENTICATED
