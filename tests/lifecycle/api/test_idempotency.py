"""Asking for a change again under the same key."""

import asyncio
import time
from collections.abc import MutableMapping
from typing import Any

import pytest

from lifecycle.api.app import build
from lifecycle.core.asked import Asked
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import onnx_bytes

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


async def test_asked_several_times_at_once_it_is_done_once(ready: Admin) -> None:
    asked = [ready.http.post(PATH, json={"version": 2}, headers=KEY) for _ in range(5)]
    answers = sorted(await asyncio.gather(*asked), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [201, 409, 409, 409, 409]
    for answer in answers[1:]:
        assert "is being carried out; ask again in a moment" in answer.json()["error"]["message"]
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


async def test_another_reason_to_go_over_a_freeze_is_another_request(ready: Admin) -> None:
    for override, status in (("an incident", 201), ("an incident", 201), ("a whim", 409)):
        headers = KEY | {"x-headrace-override": override}
        answer = await ready.http.post(PATH, json={"version": 2}, headers=headers)
        assert answer.status_code == status


async def test_another_file_under_the_same_key_is_refused_and_the_same_one_answered(admin: Admin) -> None:
    path, digests = "/v1/models/fraud/versions", []
    for text in ("one", "one", "two"):
        files = {"artifact": ("model.onnx", onnx_bytes(text))}
        answer = await admin.http.post(path, files=files, headers=KEY)
        digests.append(answer.json().get("digest", answer.status_code))
    assert digests == [digests[0], digests[0], 409]
    assert [version.digest for version in admin.store.versions("fraud")] == digests[:1]


async def test_of_a_caller_that_went_away_half_a_request_is_not_carried_out(ready: Admin) -> None:
    """A list of labels cut at the end of a line would look whole."""
    start = {"type": "http.request", "body": b"prediction_id,label\np1,1\n", "more_body": True}
    waiting, said = iter((start, {"type": "http.disconnect"})), []

    async def receive() -> MutableMapping[str, Any]:
        return next(waiting)

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    headers = {"host": "127.0.0.1", "content-type": "text/csv"} | KEY
    scope = {"type": "http", "method": "POST", "path": "/v1/feedback", "query_string": b"model=fraud"}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await build(ready.desk)(scope | {"headers": raw, "client": ("127.0.0.1", 1)}, receive, send)
    assert said == []
    body = "prediction_id,label\np1,1\np2,0\n"
    whole = await ready.http.post("/v1/feedback?model=fraud", content=body, headers=headers)
    assert whole.json()["unknown"] == 2, "the key is still free, and both labels came with it"


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
