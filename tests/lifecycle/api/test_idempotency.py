"""Asking for a change again under the same key."""

import asyncio
import time

import pytest

from lifecycle.core.asked import Asked
from tests.lifecycle.api.conftest import Admin

PATH = "/v1/models/fraud/rollouts"
KEY = {"idempotency-key": "once-7"}


@pytest.fixture
async def ready(admin: Admin) -> Admin:
    await admin.deployed(versions=2)
    return admin


def kinds(admin: Admin) -> list[str]:
    return [record.kind for record in admin.store.records("fraud")]


async def test_asked_again_it_is_done_once_and_answered_alike(ready: Admin) -> None:
    first = await ready.http.post(PATH, json={"version": 2}, headers=KEY)
    again = await ready.http.post(PATH, json={"version": 2}, headers=KEY)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert kinds(ready).count("rollout.start") == 1


async def test_the_etag_comes_again_too(ready: Admin) -> None:
    body = {"weights": {"1": 90, "2": 10}}
    first, again = [await ready.http.put("/v1/models/fraud/traffic", json=body, headers=KEY) for _ in "12"]
    assert first.headers["etag"] == again.headers["etag"]
    assert first.json() == again.json()


async def test_a_refusal_is_an_answer_too(ready: Admin) -> None:
    first = await ready.http.post(f"{PATH}/current/abort", headers=KEY)
    await ready.http.post(PATH, json={"version": 2})
    again = await ready.http.post(f"{PATH}/current/abort", headers=KEY)
    assert (first.status_code, again.status_code) == (409, 409)
    assert (await ready.http.get(f"{PATH}/current")).json()["active"]


@pytest.mark.parametrize(
    ("body", "query"),
    [({"version": 1}, ""), ({"version": 2}, "?x=1"), ({"version": 2, "plan": "manual"}, "")],
)
async def test_another_request_under_the_same_key_is_refused(
    ready: Admin, body: dict[str, object], query: str
) -> None:
    await ready.http.post(PATH, json={"version": 2}, headers=KEY)
    answer = await ready.http.post(PATH + query, json=body, headers=KEY)
    assert answer.status_code == 409
    assert "take a new one" in answer.json()["error"]["message"]


async def test_keys_belong_to_their_callers(ready: Admin) -> None:
    body = {"weights": {"1": 90, "2": 10}}
    for actor in ("ann", "bob"):
        answer = await ready.http.put(
            "/v1/models/fraud/traffic", json=body, headers=KEY | {"x-headrace-actor": actor}
        )
        assert "idempotency-replayed" not in answer.headers


async def test_what_a_crash_left_open_is_never_done_again(ready: Admin) -> None:
    first = await ready.http.post(PATH, json={"version": 2}, headers=KEY)
    fingerprint = ready.store.requests.ask("local", "once-7", "", time.time())
    assert first.status_code == 201
    assert fingerprint is not None
    ready.store.requests.answer("local", "once-7", Asked(fingerprint.fingerprint))
    again = await ready.http.post(PATH, json={"version": 2}, headers=KEY)
    assert again.status_code == 409
    assert "not known" in again.json()["error"]["message"]


async def test_two_at_once_are_one(ready: Admin) -> None:
    answers = await asyncio.gather(
        *(ready.http.post(PATH, json={"version": 2}, headers=KEY) for _ in range(5))
    )
    assert sum(answer.status_code == 201 for answer in answers) >= 1
    assert kinds(ready).count("rollout.start") == 1
    assert {answer.status_code for answer in answers} <= {201, 409}


async def test_a_secret_is_not_kept_for_a_second_answer(ready: Admin) -> None:
    body = {"name": "shop", "role": "viewer"}
    first = await ready.http.post("/v1/keys", json=body, headers=KEY)
    again = await ready.http.post("/v1/keys", json=body, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 409)
    asked = ready.store.requests.ask("local", "once-7", "", time.time())
    assert asked is not None
    assert asked.body is None


async def test_a_key_that_is_none_is_refused(ready: Admin) -> None:
    for key in ("", "a b", "x" * 201):
        answer = await ready.http.post(PATH, json={"version": 2}, headers={"idempotency-key": key})
        assert answer.status_code == 400
