"""`If-Match` as clients send it."""

import pytest

from lifecycle.api.preconditions import etag
from tests.lifecycle.api.conftest import Admin


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
