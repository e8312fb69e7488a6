"""The stream of ledger records, on a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.core.keys import KeyRole
from lifecycle.api.routes.events import keep_alive
from lifecycle.ports import Entry
from tests.lifecycle.live import Live, serving


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with serving(tmp_path) as found:
        for number in (1, 2, 3):
            found.store.commit(Entry("ann", f"kind.{number}", "fraud"))
        yield found


def lines(live: Live, count: int, **headers: str) -> list[str]:
    """The first lines of the stream that say something, records only."""
    found: list[str] = []
    with httpx.stream("GET", f"{live.url}/v1/events", headers=headers, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith(":") and not headers:
                live.store.commit(Entry("ann", "kind.4", "fraud"))
            elif line and not line.startswith(":"):
                found.append(line)
            if len(found) == count:
                return found
    return found


def test_a_stream_begins_with_what_comes_next(live: Live) -> None:
    first = lines(live, 3)
    assert first[:2] == ["id: 4", "event: record"]
    assert '"kind":"kind.4"' in first[2]


def test_a_reader_that_was_cut_off_misses_nothing(live: Live) -> None:
    seen = lines(live, 6, **{"last-event-id": "1"})
    assert [line for line in seen if line.startswith("id")] == ["id: 2", "id: 3"]


def test_a_revoked_key_reads_nothing_more(tmp_path: Path) -> None:
    with serving(tmp_path, identity=True) as live:
        _, secret = live.desk.keys.create("eye", KeyRole.VIEWER, actor="boss")
        headers = {"authorization": f"Bearer {secret}"}
        with httpx.stream("GET", f"{live.url}/v1/events", headers=headers, timeout=5) as answer:
            said = answer.iter_lines()
            assert next(said) == ": connected"
            live.desk.keys.revoke("eye", "boss")
            live.store.commit(Entry("ann", "kind.1", "fraud"))
            assert "kind.1" not in "".join(said)


def test_a_reader_hears_of_the_models_of_its_key_and_of_the_one_that_it_names(tmp_path: Path) -> None:
    with serving(tmp_path, identity=True) as live:
        _, secret = live.desk.keys.create("eye", KeyRole.VIEWER, actor="boss", models=["eu-*", "fraud"])
        headers = {"authorization": f"Bearer {secret}"}
        for model in ("other", "eu-1", "EU-2", "", "fraud", "eu-3"):
            live.store.commit(Entry("ann", "kind.1", model))

        def first(count: int, query: str) -> list[str]:
            url, told = f"{live.url}/v1/events?after=0{query}", []
            with httpx.stream("GET", url, headers=headers, timeout=20) as answer:
                for line in answer.iter_lines():
                    told += [json.loads(line[6:])["model"]] if line.startswith("data: ") else []
                    if len(told) == count:
                        break
            return told

        assert first(3, "") == ["eu-1", "fraud", "eu-3"]
        assert first(1, "&model=eu-3") == ["eu-3"]
        refused = httpx.get(f"{live.url}/v1/events?model=other", headers=headers)
        assert (refused.status_code, refused.json()["error"]["message"]) == (404, "there is no model 'other'")


def test_a_quiet_stream_shows_that_it_lives() -> None:
    assert [keep_alive(seconds) for seconds in (0.5, 9.5, 10.0, 10.5, 20.0)] == [
        False,
        False,
        True,
        False,
        True,
    ]
