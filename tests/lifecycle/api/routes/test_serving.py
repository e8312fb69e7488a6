"""How a model is served, set over the API."""

import pytest

from tests.lifecycle.api.conftest import Admin

PATH = "/v1/models/fraud/traffic"


async def test_limits_reach_the_workers_and_the_ledger(admin: Admin) -> None:
    await admin.deployed()
    tag = (await admin.http.get(PATH)).headers["etag"]
    wanted = {"max_concurrency": 8, "max_queue": 32}
    answer = await admin.http.put("/v1/models/fraud/limits", json=wanted, headers={"if-match": tag})
    assert answer.status_code == 200
    assert answer.json()["confirmed"]
    assert answer.json() | wanted == answer.json()
    stale = await admin.http.put("/v1/models/fraud/limits", json={}, headers={"if-match": tag})
    assert stale.status_code == 412
    records = (await admin.http.get("/v1/audit", params={"model": "fraud"})).json()["records"]
    assert any(record["kind"] == "limits.set" for record in records)


async def test_a_placement_reaches_the_workers_and_the_ledger(admin: Admin) -> None:
    await admin.deployed()
    tag = (await admin.http.get(PATH)).headers["etag"]
    url, wanted = "/v1/models/fraud/placement", {"placement": "pool"}
    answer = await admin.http.put(url, json=wanted, headers={"if-match": tag})
    assert (answer.json()["placement"], answer.json()["confirmed"]) == ("pool", True)
    assert (await admin.http.put(url, json=wanted, headers={"if-match": tag})).status_code == 412
    assert (await admin.http.put(url, json={"placement": "roof"})).status_code == 400
    records = (await admin.http.get("/v1/audit", params={"model": "fraud"})).json()["records"]
    assert any(record["kind"] == "placement.set" for record in records)


async def test_a_cache_reaches_the_workers_and_the_ledger(admin: Admin) -> None:
    await admin.deployed()
    answer = await admin.http.put("/v1/models/fraud/cache", json={"max_mb": 8})
    assert (answer.json()["max_mb"], answer.json()["confirmed"]) == (8, True)
    assert admin.desk.fleet.table.models["fraud"].cache_mb == 8
    assert (await admin.http.put("/v1/models/fraud/cache", json={"max_mb": -1})).status_code == 400
    records = (await admin.http.get("/v1/audit", params={"model": "fraud"})).json()["records"]
    assert any(record["kind"] == "cache.set" for record in records)


@pytest.mark.parametrize("body", [{"max_concurrency": -1}, {"max_queue": 3}, {"unknown": 1}])
async def test_limits_that_make_no_sense_are_refused(admin: Admin, body: dict[str, int]) -> None:
    await admin.deployed()
    assert (await admin.http.put("/v1/models/fraud/limits", json=body)).status_code == 400
