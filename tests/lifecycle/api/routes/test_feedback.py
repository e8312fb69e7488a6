"""Labels as Parquet, CSV and JSON."""

import io
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.capture import blocks
from lifecycle.core.governance.quota import Quota
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import capture

NOTHING: dict[str, object] = {
    "joined": 0,
    "duplicate": 0,
    "conflicting": 0,
    "unknown": 0,
    "early": 0,
    "late": 0,
    "metrics": {},
    "unfamiliar": {},
}
CSV = {"content-type": "text/csv"}


@pytest.fixture
async def ready(admin: Admin) -> Admin:
    await admin.deployed()
    admin.captures.append(blocks([capture("a"), capture("b")]))
    return admin


async def test_labels_come_as_json(ready: Admin) -> None:
    body = {
        "model": "fraud",
        "labels": [{"prediction_id": "a", "label": 1}, {"prediction_id": "z", "label": 0}],
    }
    answer = await ready.http.post("/v1/feedback", json=body)
    assert answer.json() == NOTHING | {"joined": 1, "unknown": 1}


async def test_labels_come_as_csv_and_contradictions_are_told(ready: Admin) -> None:
    async def send(text: str) -> dict[str, object]:
        answer = await ready.http.post("/v1/feedback?model=fraud", content=text, headers=CSV)
        return dict(answer.json())

    assert await send("prediction_id,label\na,1\nb,0\n") == NOTHING | {"joined": 2}
    assert await send("prediction_id,label\na,1\nb,1\n") == NOTHING | {"duplicate": 1, "conflicting": 1}


async def test_labels_that_only_contradict_are_refused(ready: Admin) -> None:
    for label, status in ((1, 200), (1, 200), (0, 409)):
        body = {"model": "fraud", "labels": [{"prediction_id": "a", "label": label}]}
        assert (await ready.http.post("/v1/feedback", json=body)).status_code == status


async def test_labels_of_unknown_predictions_are_kept_for_them(ready: Admin) -> None:
    body = {"model": "fraud", "labels": [{"prediction_id": "later", "label": 1}]}
    assert (await ready.http.post("/v1/feedback", json=body)).status_code == 202
    ready.captures.append(blocks([capture("later")]))
    assert ready.captures.labelled("fraud")["prediction_id"].to_pylist() == ["later"]


async def test_one_callers_flood_is_told_to_wait_and_nobody_elses(ready: Admin) -> None:
    ready.desk.feedback._quota = Quota(2)
    body = {"model": "fraud", "labels": [{"prediction_id": "a", "label": 1}] * 2}
    bob = {"x-headrace-actor": "bob"}
    answers = [await ready.http.post("/v1/feedback", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["error"]["code"] == "THROTTLED"
    assert (await ready.http.post("/v1/feedback", json=body, headers=bob)).status_code == 200


async def test_labels_come_as_parquet(ready: Admin) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"prediction_id": ["a"], "label": [2.5]}), file)
    answer = await ready.http.post("/v1/feedback?model=fraud", content=file.getvalue())
    # The model answers scores of three classes.
    assert answer.json() == NOTHING | {"joined": 1, "unfamiliar": {"2.5": 1}}


@pytest.mark.parametrize(
    "body",
    [
        '{"model": "fraud", "labels": []}',
        '{"model": "fraud", "labels": [{"prediction_id": "a"}]}',
        '{"model": "fraud", "labels": '
        '[{"prediction_id": "a", "label": 1}, {"prediction_id": "b", "label": "x"}]}',
        '{"model": "fraud"}',
        "[",
    ],
)
async def test_labels_that_cannot_be_used_are_refused(ready: Admin, body: str) -> None:
    answer = await ready.http.post("/v1/feedback", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID")


@pytest.mark.parametrize("label", [None, [1], {}])
async def test_a_label_that_is_none_is_told_what_one_is(ready: Admin, label: object) -> None:
    body = {"model": "fraud", "labels": [{"prediction_id": "a", "label": label}]}
    answer = await ready.http.post("/v1/feedback", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(
        "labels.0.label: a label is a number, a boolean or text"
    )


async def test_a_broken_file_a_missing_and_an_unknown_model(ready: Admin) -> None:
    broken = await ready.http.post("/v1/feedback?model=fraud", content=b"PAR1 but no more")
    unnamed = await ready.http.post("/v1/feedback", content="prediction_id,label\na,1\n", headers=CSV)
    unknown = await ready.http.post("/v1/feedback?model=x", content="prediction_id,label\na,1\n", headers=CSV)
    assert (broken.status_code, unnamed.status_code, unknown.status_code) == (400, 400, 404)


async def test_numbers_come_as_json_beside_labels_or_alone(ready: Admin) -> None:
    numbers = [{"prediction_id": name, "name": "revenue", "value": 2.5} for name in ("a", "b")]
    body = {"model": "fraud", "labels": [{"prediction_id": "a", "label": 1}], "metrics": numbers}
    answer = await ready.http.post("/v1/feedback", json=body)
    assert answer.json()["joined"] == 1
    assert answer.json()["metrics"]["revenue"]["joined"] == 2
    alone = await ready.http.post("/v1/feedback", json={"model": "fraud", "metrics": numbers})
    assert (alone.status_code, alone.json()["metrics"]["revenue"]["duplicate"]) == (200, 2)
    assert (await ready.http.post("/v1/feedback", json={"model": "fraud"})).status_code == 400


async def test_when_a_label_became_known_may_be_said(ready: Admin) -> None:
    pair = {"prediction_id": "a", "label": 1}
    future = {"model": "fraud", "labels": [pair | {"at": 4e9}]}
    assert (await ready.http.post("/v1/feedback", json=future)).status_code == 400
    now = {"model": "fraud", "labels": [pair | {"at": time.time()}, {"prediction_id": "b", "label": 0}]}
    assert (await ready.http.post("/v1/feedback", json=now)).json()["joined"] == 2
