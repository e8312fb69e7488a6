"""What nobody asked for is not passed over."""

import pytest

from tests.lifecycle.api.conftest import Admin


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/audit?limt=3", "no parameter 'limt': this takes "),
        ("/v1/audit?limit=3&knd=key", "did you mean 'kind'?"),
        ("/v1/status?x=1", "no parameter 'x': this takes none"),
        ("/v1/models/fraud/versions/1?x", "no parameter 'x'"),
    ],
)
async def test_a_misspelt_parameter_is_refused(admin: Admin, path: str, says: str) -> None:
    await admin.register()
    answer = await admin.http.get(path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], says in error["message"]) == (400, "INVALID", True), error


async def test_a_misspelt_field_registers_nothing(admin: Admin) -> None:
    answer = await admin.register(nummber="7")
    assert "no parameter 'nummber'" in answer.json()["error"]["message"]
    assert "did you mean 'number'?" in answer.json()["error"]["message"]
    assert (await admin.http.get("/v1/models")).json()["models"] == []
    assert (await admin.register(number="7")).json()["number"] == 7
