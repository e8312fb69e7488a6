"""The application as a whole."""

from lifecycle.api.app import build
from tests.lifecycle.api.conftest import Admin


async def test_the_schema_names_every_route(admin: Admin) -> None:
    paths = (await admin.http.get("/openapi.json")).json()["paths"]
    models = "/v1/models/{model}"
    assert {
        "/v1/status",
        "/v1/models",
        f"{models}/versions",
        f"{models}/traffic",
        f"{models}/rollouts",
        "/v1/feedback",
        "/v1/audit",
        "/v1/events",
        "/metrics",
    } <= set(paths)


async def test_pages_that_load_foreign_scripts_are_off(admin: Admin) -> None:
    assert (await admin.http.get("/docs")).status_code == 404


async def test_one_desk_serves_one_application(admin: Admin) -> None:
    assert build(admin.desk).state.desk is admin.desk


async def test_a_call_for_a_model_is_told_where_models_answer(admin: Admin) -> None:
    error = (await admin.http.post("/v2/models/iris/infer", json={})).json()["error"]
    assert "models answer at port 8000, and this is the admin API" in error["message"]
    assert "/openapi.json" in (await admin.http.get("/v1/modles")).json()["error"]["message"]
