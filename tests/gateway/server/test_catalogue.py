from typing import Any

import pytest

from gateway.errors import ErrorCode, GatewayError
from gateway.server import catalogue
from gateway.server.tally import Count, Tally


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


def test_statistics_name_every_version_and_count_what_was_answered(engine: Any) -> None:
    tally = Tally()
    tally.counts["pair", 2] = Count(requests=3, rows=7, busy_ns=900, last=1.5)
    stats = catalogue.statistics(engine.routes, tally, "pair", "")["model_stats"]
    assert [(s["version"], s["execution_count"], s["inference_count"]) for s in stats] == [
        ("1", 0, 0),
        ("2", 3, 7),
    ]
    assert stats[1]["inference_stats"]["success"] == {"count": 3, "ns": 900}
    assert stats[1]["last_inference"] == 1500
    everything = catalogue.statistics(engine.routes, tally, "", "")["model_stats"]
    assert len(everything) == 2 * len(engine.routes.table.models)
    assert len(catalogue.statistics(engine.routes, tally, "pair", "2")["model_stats"]) == 1


def test_configuration_names_the_data_types_of_load_tools(engine: Any) -> None:
    config = catalogue.config(engine.routes, "text", "")
    assert config["input"] == [{"name": "s", "data_type": "TYPE_STRING", "dims": []}]
    assert config["max_batch_size"] == catalogue.ROWS


def test_configuration_says_what_joining_does_once_that_is_known(engine: Any) -> None:
    assert catalogue.config(engine.routes, "pair", "")["parameters"] == {
        "batching": {"string_value": "exact"}
    }
    assert catalogue.config(engine.routes, "text", "")["parameters"] == {}
