"""What the words about versions send."""

import json

import httpx

from lifecycle.client import Client


def test_what_is_said_of_a_version_is_all_that_is_sent() -> None:
    asked: list[tuple[str, str, dict[str, object]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, json.loads(request.content)))
        return httpx.Response(200, json={})

    with Client("http://h", transport=httpx.MockTransport(answer)) as client:
        client.describe("m", "champion", owner="risk", tags={"eu": "", "old": None})
        client.set_alias("m", "audited", 2)
        client.approve("m", 2, "fine")
    said = {"owner": "risk", "intended_use": None, "limitations": None}
    assert asked == [
        ("PATCH", "/v1/models/m/versions/champion", said | {"tags": {"eu": "", "old": None}, "metrics": {}}),
        ("PUT", "/v1/models/m/aliases/audited", {"version": 2}),
        ("POST", "/v1/models/m/versions/2/approve", {"comment": "fine"}),
    ]
