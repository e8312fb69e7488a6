"""Failures on the wire, as the SDK tells of them."""

import ssl
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from lifecycle.client import Client
from lifecycle.client.wire import rebuilt, unreachable
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.gateway.ca import Authority


def test_a_failure_keeps_its_code() -> None:
    body = {"error": {"code": "UNAUTHENTICATED", "message": "a key is needed"}}
    error = rebuilt(httpx.Response(401, json=body))
    assert (error.code, error.message) == (LifecycleCode.UNAUTHENTICATED, "a key is needed")


def test_a_late_answer_is_told_from_none() -> None:
    assert "in time" in unreachable("http://h", httpx.ReadTimeout("")).message
    assert "headrace up" in unreachable("http://h", httpx.ConnectError("")).message


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (
            "http://nowhere.invalid:8002",
            "the host of http://nowhere.invalid:8002 is not known; check the URL",
        ),
        ("https://127.0.0.1:{port}", "speaks no TLS; try http://"),
        (
            "http://127.0.0.1:{port}",
            "answered 200, not as headrace does; check the URL, .* of the admin port",
        ),
    ],
)
def test_a_wrong_url_is_told_by_what_is_wrong_with_it(url: str, says: str) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with Client(url.format(port=server.server_port)) as client, pytest.raises(LifecycleError, match=says):
            client.status()
        server.shutdown()


def test_a_certificate_of_an_unknown_ca_is_no_absence(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "ca").issue("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_port}"
        with (
            Client(url) as client,
            pytest.raises(LifecycleError, match="HEADRACE_TLS_CA names its CA") as told,
        ):
            client.ready()
        plain = url.replace("https", "http")
        with Client(plain) as client, pytest.raises(LifecycleError, match="try https:// in place of http://"):
            client.ready()
        server.shutdown()
    assert told.value.code is LifecycleCode.INVALID
