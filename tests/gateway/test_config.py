"""What a gateway's settings accept, and what is derived of them."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config import GatewayConfig, Serving, is_loopback


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"htttp_port": 8000}, "htttp_port"),
        ({"http_port": 0}, "http_port"),
        ({"grpc_port": 70_000}, "grpc_port"),
        ({"workers": 0}, "workers"),
        ({"edge": "nginx"}, "edge"),
        ({"limits": {"max_body": 3}}, "limits.max_body"),
        ({"serving": {"max_run_s": 0}}, "serving.max_run_s"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GatewayConfig(**({"home": Path("home")} | wrong))
    assert [".".join(map(str, error["loc"])) for error in caught.value.errors()] == [named]


def test_each_port_is_its_own() -> None:
    with pytest.raises(ValidationError, match=r"must differ; they are \(8001, 8001, 8002\)"):
        GatewayConfig(home=Path("home"), http_port=8001)


def test_tls_needs_the_edge() -> None:
    tls = {"certificate": "server.pem", "key": "server.key"}
    with pytest.raises(ValidationError, match="haproxy"):
        GatewayConfig(home=Path("home"), tls=tls, edge="direct")


def test_only_this_machine_is_listened_to_unless_told_otherwise() -> None:
    assert GatewayConfig(home=Path("home")).host == "127.0.0.1"


def test_sockets_fit_into_a_unix_address_however_deep_the_home_lies() -> None:
    deep = GatewayConfig(home=Path("/", *["a-rather-long-folder"] * 20))
    assert len(str(deep.run_dir / "worker-999.grpc.sock")) <= 107


def test_a_home_always_finds_its_own_sockets() -> None:
    one, same, other = (GatewayConfig(home=Path(name)).run_dir for name in ("/a", "/a", "/b"))
    assert one == same
    assert one != other


def test_a_second_set_of_workers_finds_room() -> None:
    assert GatewayConfig(home=Path("home"), workers=3).slots == 7


def test_loopback_is_a_whole_network() -> None:
    assert is_loopback("127.8.9.1")
    assert not is_loopback("128.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_keys_are_a_choice(host: str) -> None:
    assert not GatewayConfig(home=Path("h"), host=host).identity
    assert GatewayConfig(home=Path("h"), host=host, keys="required").identity


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "headrace.example"])
def test_beyond_loopback_keys_are_required(host: str) -> None:
    assert GatewayConfig(home=Path("h"), host=host).identity


def test_recycling_needs_somebody_to_take_over(tmp_path: Path) -> None:
    growing = Serving(recycle_above_mb=500)
    assert GatewayConfig(home=tmp_path, serving=growing).serving.recycle_above_mb == 500
    with pytest.raises(ValidationError, match="two workers"):
        GatewayConfig(home=tmp_path, serving=growing, workers=1)


def test_a_node_of_several_can_be_reached_by_the_others() -> None:
    config = GatewayConfig(home=Path("home"), join="http://10.0.0.5:8002", address="10.0.0.6")
    assert config.address == "10.0.0.6"
    for wrong, fault in (
        ({"join": "http://10.0.0.5:8002"}, "needs `address`"),
        ({"address": "node-b"}, "'node-b' does not appear to be an IPv4 or IPv6 address"),
        ({"address": "10.0.0.6", "edge": "direct"}, 'needs edge = "haproxy"'),
    ):
        with pytest.raises(ValidationError, match=fault):
            GatewayConfig(home=Path("home"), **wrong)
