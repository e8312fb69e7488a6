"""`If-Match` as clients send it."""

from typing import Any

import pytest

from lifecycle.api.preconditions import etag
from lifecycle.core.governance.access import RULES
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import onnx_bytes

BODIES: dict[str, Any] = {
    "/versions": {"files": {"artifact": ("model.onnx", onnx_bytes("3"))}},
    "/holdout": {"files": {"rows": ("rows.parquet", b"PAR1")}},
    "/versions/{number}": {"json": {"owner": "ann"}},
    "/aliases/{alias}": {"json": {"version": 1}},
    "/traffic": {"json": {"weights": {"2": 100}}},
    "/limits": {"json": {}},
    "/memory": {"json": {"resident": True}},
    "/cache": {"json": {}},
    "/placement": {"json": {"placement": "auto"}},
    "/rollouts": {"json": {"version": 2}},
}


def test_an_etag_is_the_quoted_revision() -> None:
    assert etag(7) == '"7"'


@pytest.mark.parametrize(
    ("sent", "status"),
    [('"999"', 412), ('W/"999"', 412), ("999", 412), ("*", 200), ("seven", 400), ('"1', 400)],
)
async def test_if_match(admin: Admin, sent: str, status: int) -> None:
    await admin.deployed()
    body = {"weights": {"1": 100}, "dry_run": True}
    answer = await admin.http.put("/v1/models/fraud/traffic", json=body, headers={"if-match": sent})
    assert answer.status_code == status


async def test_every_change_of_a_model_goes_ahead_only_on_the_revision_that_its_caller_saw(
    admin: Admin,
) -> None:
    await admin.deployed(versions=2)
    (await admin.http.put("/v1/models/fraud/aliases/blue", json={"version": 1})).raise_for_status()
    (await admin.http.post("/v1/models/fraud/rollouts", json={"version": 2})).raise_for_status()
    written = len(admin.store.records())
    for method, route in RULES:
        if method == "GET" or "{model}" not in route or route.endswith("/forecast"):
            continue
        path = route.format(model="fraud", number=2, alias="blue")
        body = BODIES.get(route.removeprefix("/v1/models/{model}"), {}) if method != "DELETE" else {}
        answer = await admin.http.request(method, path, headers={"if-match": '"999"'}, **body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (412, "STALE"), (method, route)
    assert len(admin.store.records()) == written
