"""The files of `[gateway.tls]`: which are taken, and that new ones come into force while the edge serves."""

import asyncio
import shutil
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.config import GatewayConfig, Tls
from gateway.server.edge import certificates
from gateway.server.edge.process import Edge
from tests.gateway.ca import Authority
from tests.gateway.node import haproxy
from tests.ports import free_port

TLS = Tls(certificate=Path("server.pem"), key=Path("server.key"))


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    (tmp_path / "ca").mkdir()
    return Authority(tmp_path / "ca", "ours")


@pytest.fixture
def home(tmp_path: Path, ours: Authority) -> Path:
    give(tmp_path, *ours.issue("first"))
    return tmp_path


@pytest.fixture
def config(home: Path) -> Iterator[GatewayConfig]:
    http, grpc, admin = free_port(), free_port(), free_port()
    config = GatewayConfig(home=home, http_port=http, grpc_port=grpc, admin_port=admin, tls=TLS)
    config.run_dir.mkdir()
    yield config
    shutil.rmtree(config.run_dir)


def give(home: Path, certificate: Path, key: Path) -> None:
    shutil.copy(certificate, home / "server.pem")
    shutil.copy(key, home / "server.key")


async def shows(port: int, ours: Authority) -> str:
    """Whose certificate a client is shown that verifies it."""
    trust = ssl.create_default_context(cafile=str(ours.certificate))
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    subject = writer.get_extra_info("peercert")["subject"]
    writer.close()
    return str(dict(part[0] for part in subject)["commonName"])


async def until_shown(port: int, ours: Authority, subject: str) -> None:
    for _ in range(600):
        with suppress(OSError):  # nobody listens for a moment
            if await shows(port, ours) == subject:
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{subject} was never shown")


async def test_a_new_certificate_comes_into_force_while_the_edge_serves(
    config: GatewayConfig, ours: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(certificates, "LOOK_S", 0.05)
    edge, home = Edge(config), config.home
    await edge.start()
    ports = config.http_port, config.grpc_port, config.admin_port
    try:
        shutil.copy(ours.issue("half")[0], home / "server.pem")  # its key is still to come
        await asyncio.sleep(0.5)
        assert [await shows(port, ours) for port in ports] == ["first"] * 3
        give(home, *ours.issue("second"))
        for port in ports:
            await until_shown(port, ours, "second")
        assert "is not the key of" in caplog.text
        (process,) = haproxy(config)
        process.kill()
        await until_shown(ports[0], ours, "second")  # by the next one
    finally:
        await edge.stop()


def test_what_cannot_be_shown_is_refused_by_name(home: Path, ours: Authority) -> None:
    assert certificates.check(home, TLS).count(b"-----BEGIN") == 2
    shutil.copy(ours.issue("other")[1], home / "server.key")
    with pytest.raises(RuntimeError, match=r"server\.key is not the key of .*server\.pem"):
        certificates.check(home, TLS)
    (home / "server.key").write_text("no key")
    with pytest.raises(RuntimeError, match=r"server\.key of \[gateway\.tls\] have to be PEM"):
        certificates.check(home, TLS)
    (home / "server.key").unlink()
    with pytest.raises(RuntimeError, match=r"cannot be read: .*server\.key"):
        certificates.check(home, TLS)


def test_a_certificate_that_has_ended_is_told_of(home: Path, ours: Authority) -> None:
    assert certificates.has_ended(home, TLS) is None
    give(home, *ours.issue("late", ended=True))
    assert certificates.has_ended(home, TLS) is not None


def test_a_certificate_authority_has_to_be_one(home: Path) -> None:
    (home / "clients.pem").write_text("no certificate")
    with pytest.raises(RuntimeError, match=r"clients\.pem of \[gateway\.tls\] holds no certificate"):
        certificates.check(home, TLS.model_copy(update={"client_ca": Path("clients.pem")}))
