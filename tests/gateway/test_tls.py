"""TLS at the edge with a private CA: HTTP/1.1, HTTP/2 and gRPC on one port, with and without client
certificates; and the admin port with the command line's own client.
"""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import grpc
import pytest

from gateway.config import GatewayConfig, Tls
from gateway.server.edge.process import Edge
from gateway.server.run_dir import admin_socket, certificate_file
from lifecycle.cli.options import connect
from lifecycle.errors import LifecycleError
from tests.gateway.ca import Authority
from tests.gateway.exchange import read
from tests.gateway.http2 import PREFACE, call, headers
from tests.gateway.node import Node, config_of

INFER = "/v2/models/one/infer"
QUESTION = b'{"inputs": [{"name": "i", "datatype": "INT64", "shape": [1], "data": [2]}]}'


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def client(ours: Authority) -> tuple[Path, Path]:
    return ours.issue("client")


@pytest.fixture(scope="module", params=["tls", "mtls"])
def node(
    request: pytest.FixtureRequest, ours: Authority, lookup: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    home = tmp_path_factory.mktemp("home's name")
    certificate, key = ours.issue("server")
    (home / "client-ca.pem").write_bytes(ours.certificate.read_bytes())
    client_ca = Path("client-ca.pem") if request.param == "mtls" else None  # from the home
    config = config_of(home, tls=Tls(certificate=certificate, key=key, client_ca=client_ca))
    with Node(config, {"one": lookup}) as node:
        yield node


def trust(ours: Authority, shown: tuple[Path, Path] | None, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ours.certificate))
    if shown:
        context.load_cert_chain(*shown)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


@pytest.fixture
def shown(node: Node, client: tuple[Path, Path]) -> tuple[Path, Path] | None:
    """What the node asks of a client."""
    assert node.config.tls
    return client if node.config.tls.client_ca else None


def secured(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except BaseException:
        plain.close()
        raise


@pytest.mark.parametrize("which", [0, 1])
def test_both_protocols_share_each_port(
    which: int, node: Node, ours: Authority, shown: tuple[Path, Path] | None
) -> None:
    with secured(node.edge[which], trust(ours, shown, "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"
        head = f"POST {INFER} HTTP/1.1\r\nhost: h\r\ncontent-length: {len(QUESTION)}\r\n\r\n"
        connection.sendall(head.encode() + QUESTION)
        with connection.makefile("rb") as stream:
            assert json.loads(read(stream).body)["outputs"][0]["data"] == [20.0]
    with secured(node.edge[which], trust(ours, shown, "h2", "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        connection.sendall(PREFACE + headers(1, "/v2"))
        with connection.makefile("rb") as stream:
            frames = {}
            while 0 not in frames:  # DATA
                head_bytes = stream.read(9)
                frames[head_bytes[3]] = stream.read(int.from_bytes(head_bytes[:3], "big"))
    assert b'"name"' in frames[0]


@pytest.mark.parametrize("which", [0, 1])
def test_grpc(which: int, node: Node, ours: Authority, shown: tuple[Path, Path] | None) -> None:
    key, certificate = (shown[1].read_bytes(), shown[0].read_bytes()) if shown else (None, None)
    credentials = grpc.ssl_channel_credentials(ours.certificate.read_bytes(), key, certificate)
    with grpc.secure_channel(f"localhost:{node.edge[which]}", credentials) as channel:
        for method in ("/inference.GRPCInferenceService/ServerLive", "/grpc.health.v1.Health/Check"):
            assert call(channel, b"", method) == b"\x08\x01"
        with pytest.raises(grpc.RpcError) as caught:
            call(channel, b"\xff")
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_client_without_a_certificate_is_let_in_only_if_none_is_asked_for(
    node: Node, ours: Authority, shown: tuple[Path, Path] | None, tmp_path: Path
) -> None:
    strangers = Authority(tmp_path, "strangers").issue("stranger")
    for offered in (None, strangers):
        for port in (node.edge[0], node.edge[1], node.config.admin_port):
            try:
                with secured(port, trust(ours, offered)) as connection:
                    connection.sendall(b"GET /v2 HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    let_in = connection.recv(100).startswith(b"HTTP/1.1 ")
            except (ssl.SSLError, ConnectionError):
                let_in = False
            assert let_in is (shown is None)


def test_46_plain_words_to_a_tls_port_end_the_connection(
    node: Node, ours: Authority, shown: tuple[Path, Path] | None
) -> None:
    for words in (b"GET /v2 HTTP/1.1\r\nhost: h\r\n\r\n", PREFACE, bytes(100)):
        with socket.create_connection(("127.0.0.1", node.edge[0]), timeout=20) as connection:
            connection.sendall(words)
            assert b"HTTP" not in ended(connection)
    with secured(node.edge[0], trust(ours, shown, "http/1.1")) as connection:
        connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: h\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_46_tls_to_a_plain_port_ends_the_connection(lookup: bytes, ours: Authority, tmp_path: Path) -> None:
    with Node(config_of(tmp_path), {"one": lookup}) as node:
        for port in (*node.edge, node.direct[0]):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                secured(port, trust(ours, None, "h2"))
        with socket.create_connection(("127.0.0.1", node.edge[0]), timeout=20) as connection:
            connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: h\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")


def ended(connection: socket.socket) -> bytes:
    """What came until the server closed."""
    try:
        return connection.makefile("rb").read()
    except ConnectionResetError:
        return b""


class Status(BaseHTTPRequestHandler):
    """Stands in for the controller."""

    def do_GET(self) -> None:
        body = b'{"ready": true}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "edge"

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def controller(node: Node) -> Iterator[None]:
    path = admin_socket(node.config.run_dir)
    with ThreadingUnixStreamServer(str(path), Status) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()
    path.unlink()


@pytest.mark.usefixtures("controller")
def test_the_command_line_verifies_the_admin_port(
    node: Node, ours: Authority, shown: tuple[Path, Path] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"https://localhost:{node.config.admin_port}"
    with connect(url) as client, pytest.raises(LifecycleError, match="HEADRACE_TLS_CA"):
        client.status()
    monkeypatch.setenv("HEADRACE_TLS_CA", str(ours.certificate))
    if shown:
        with connect(url) as client, pytest.raises(LifecycleError, match="HEADRACE_TLS_CERT"):
            client.status()
        monkeypatch.setenv("HEADRACE_TLS_CERT", str(shown[0]))
        monkeypatch.setenv("HEADRACE_TLS_KEY", str(shown[1]))
    with connect(url) as client:
        assert client.status()["ready"]


def test_the_key_is_for_the_owner_only(node: Node) -> None:
    assert certificate_file(node.config.run_dir).stat().st_mode & 0o077 == 0


async def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    config = GatewayConfig(home=tmp_path, tls=Tls(certificate=Path("no.pem"), key=Path("no.key")))
    config.run_dir.mkdir()
    with pytest.raises(RuntimeError, match=r"gateway\.tls.*no\.pem"):
        await Edge(config).start()
    config.run_dir.rmdir()  # with nothing in it
