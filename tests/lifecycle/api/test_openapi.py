"""The OpenAPI document is complete: every error and every body has an example, and examples are true."""

import json
from typing import Any

import pytest

from lifecycle.api.openapi import BODIES, LABELS, MESSAGES
from lifecycle.api.schemas import requests
from lifecycle.api.status import HTTP_STATUS
from lifecycle.errors import LifecycleCode
from tests.lifecycle.api.conftest import Admin


@pytest.fixture
async def document(admin: Admin) -> dict[str, Any]:
    return dict((await admin.http.get("/openapi.json")).json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, verb, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]


async def test_every_operation_names_its_errors(document: dict[str, Any]) -> None:
    statuses = {str(int(status)): code for code, status in HTTP_STATUS.items()}
    for path, verb, operation in operations(document):
        failures = {status for status in operation["responses"] if not status.startswith("2")}
        assert {"400", "500", "503"} <= failures <= statuses.keys(), path
        for status in failures:
            example = operation["responses"][status]["content"]["application/json"]["example"]["error"]
            assert example["code"] == statuses[status]
        if verb != "get":
            assert {"409", "412", "422"} <= failures, path
            assert any(p["name"] == "Idempotency-Key" for p in operation["parameters"])
        assert ("security" in operation) == ("401" in failures)


async def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            assert kind != "application/json" or content["example"], path


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_examples_are_taken(name: str) -> None:
    getattr(requests, name).model_validate_json(json.dumps(BODIES[name]))


async def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"].keys()
    text = json.dumps(document)
    wanted = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert wanted <= names
    assert "HTTPValidationError" not in text


async def test_labels_have_a_body_in_three_forms(admin: Admin, document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/feedback"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "text/csv", "application/vnd.apache.parquet"}
    await admin.deployed()
    assert (await admin.http.post("/v1/feedback", json=LABELS)).status_code < 300
    csv = body["text/csv"]["example"]
    answer = await admin.http.post(
        "/v1/feedback?model=fraud", content=csv, headers={"content-type": "text/csv"}
    )
    assert answer.status_code < 300


def test_every_code_has_an_example() -> None:
    assert MESSAGES.keys() == set(LifecycleCode)
