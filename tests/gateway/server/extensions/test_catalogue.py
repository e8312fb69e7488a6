from types import SimpleNamespace
from typing import Any

import pytest

from gateway.core.routing import ModelRoute, RouteTable
from gateway.errors import ErrorCode, GatewayError
from gateway.server.extensions import catalogue


def test_without_a_version_the_champion_is_shown(engine: Any) -> None:
    assert catalogue.find(engine.routes, "pair", "")[1].version == 1
    assert catalogue.find(engine.routes, "pair", "2")[1].version == 2


@pytest.mark.parametrize(
    ("name", "version", "code"),
    [
        ("nobody", "", "NOT_FOUND"),
        ("pair", "3", "NOT_FOUND"),
        ("pair", "-1", "INVALID"),
        ("a/b", "", "INVALID"),
    ],
)
def test_what_cannot_be_found(name: str, version: str, code: str, engine: Any) -> None:
    with pytest.raises(GatewayError) as caught:
        catalogue.find(engine.routes, name, version)
    assert caught.value.code is ErrorCode(code)


def test_configuration_names_the_data_types_of_load_tools(engine: Any) -> None:
    config = catalogue.config(engine.routes, "text", "")
    assert config["input"] == [{"name": "s", "data_type": "TYPE_STRING", "dims": []}]
    assert config["max_batch_size"] == catalogue.ROWS


def test_configuration_says_what_joining_does_once_that_is_known(engine: Any) -> None:
    assert catalogue.config(engine.routes, "pair", "")["parameters"] == {
        "batching": {"string_value": "exact"},
        "device": {"string_value": "gpu"},
    }
    assert catalogue.config(engine.routes, "text", "")["parameters"] == {}


def test_a_model_without_a_version_is_listed_and_not_ready() -> None:
    routes: Any = SimpleNamespace(table=RouteTable(1, {"idle": ModelRoute("idle", ())}), failed={})
    assert catalogue.index(routes, only_ready=False) == [
        {"name": "idle", "version": "", "state": "UNAVAILABLE", "reason": "no version of it is served"}
    ]
    assert catalogue.index(routes, only_ready=True) == []
