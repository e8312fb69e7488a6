"""Reading and setting traffic, compare-and-set."""

import pytest

from tests.lifecycle.api.conftest import Admin

PATH = "/v1/models/fraud/traffic"


async def test_traffic_is_set_and_its_etag_moves(admin: Admin) -> None:
    await admin.deployed(versions=3)
    before = await admin.http.get(PATH)
    wanted = {"weights": {"1": 90, "2": 10}, "shadows": [3]}
    after = await admin.http.put(PATH, json=wanted, headers={"if-match": before.headers["etag"]})

    assert after.status_code == 200
    assert after.json()["weights"] == {"1": 90.0, "2": 10.0}
    assert after.json()["confirmed"]
    shown = await admin.http.get(PATH)
    assert shown.headers["etag"] == after.headers["etag"] != before.headers["etag"]
    assert shown.json()["shadows"] == [3]


async def test_what_the_versions_do_is_told_with_their_shares(admin: Admin) -> None:
    await admin.deployed()
    (rates,) = (await admin.http.get(PATH)).json()["rates"]
    assert (rates["version"], rates["role"], rates["requests_per_s"]) == (1, "champion", 1000.0)
    assert (rates["error_rate"], rates["p50_ms"], rates["p99_ms"]) == (0.005, 0.2, None)


async def test_a_stale_etag_changes_nothing(admin: Admin) -> None:
    await admin.deployed(versions=2)
    answer = await admin.http.put(PATH, json={"weights": {"2": 100}}, headers={"if-match": '"1"'})
    assert answer.status_code == 412
    assert (await admin.http.get(PATH)).json()["weights"] == {"1": 100.0}


async def test_a_dry_run_changes_nothing(admin: Admin) -> None:
    await admin.deployed(versions=2)
    answer = await admin.http.put(PATH, json={"weights": {"1": 50, "2": 50}, "dry_run": True})
    assert answer.json()["dry_run"]
    assert answer.json()["weights"] == {"1": 50.0, "2": 50.0}
    assert (await admin.http.get(PATH)).json()["weights"] == {"1": 100.0}


@pytest.mark.parametrize(
    "body",
    [
        '{"weights": {"1": -1, "2": 101}}',
        '{"weights": {"1": 90}}',
        '{"weights": {"1": NaN}}',
        '{"weights": {"0": 100}}',
        '{"weights": {"": 100}}',
        '{"weights": {"1": 100}, "colour": "red"}',
        "{",
    ],
)
async def test_nonsense_is_refused(admin: Admin, body: str) -> None:
    await admin.deployed()
    answer = await admin.http.put(PATH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400


async def test_a_rollback_returns_to_the_champion_before(admin: Admin) -> None:
    await admin.deployed(versions=2)
    await admin.http.put(PATH, json={"weights": {"2": 100}})
    answer = await admin.http.post("/v1/models/fraud/rollback")
    assert answer.json()["weights"] == {"1": 100.0}


async def test_a_model_is_kept_in_memory_when_asked(admin: Admin) -> None:
    await admin.deployed()
    tag = (await admin.http.get(PATH)).headers["etag"]
    wanted = {"resident": True}
    answer = await admin.http.put("/v1/models/fraud/memory", json=wanted, headers={"if-match": tag})
    assert (answer.status_code, answer.json()["confirmed"], answer.json()["resident"]) == (200, True, True)
    assert (await admin.http.get("/v1/models/fraud")).json()["resident"]
    stale = await admin.http.put("/v1/models/fraud/memory", json=wanted, headers={"if-match": tag})
    assert stale.status_code == 412
