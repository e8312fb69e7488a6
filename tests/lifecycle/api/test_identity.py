"""Numbers 47 to 52 of `docs/input.md` at the admin API, and approvals by people who are who they say."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.core.capture import blocks
from gateway.core.keys import SUBJECT, KeyRole
from gateway.core.throttle import ALLOWED
from lifecycle.api.app import build
from lifecycle.core.governance.access import OPEN, RULES, WIDE
from lifecycle.core.governance.policy import Policy
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import capture, in_process, onnx_bytes, open_desk


class Staff:
    """Keys by name, and requests in their holders' names."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin
        self.secrets: dict[str, str] = {}

    def hire(self, name: str, role: KeyRole, *models: str) -> None:
        _, self.secrets[name] = self.admin.desk.keys.create(name, role, actor="test", models=models)

    async def ask(self, name: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.secrets.get(name, name)}", "x-headrace-actor": "liar"}
        return await self.admin.http.request(method, path, headers=headers, **more)

    async def register(self, name: str, model: str = "fraud", text: str = "1") -> httpx.Response:
        files = {"artifact": ("model.onnx", onnx_bytes(text))}
        return await self.ask(name, "POST", f"/v1/models/{model}/versions", files=files)


@pytest.fixture
async def staff(tmp_path: Path) -> AsyncIterator[Staff]:
    desk, store, captures = open_desk(tmp_path, identity=True)
    async with in_process(build(desk)) as http:
        staff = Staff(Admin(http, desk, store, captures))
        staff.hire("boss", KeyRole.ADMIN)
        staff.hire("dev", KeyRole.DEPLOYER, "fraud")
        staff.hire("eye", KeyRole.VIEWER)
        staff.hire("app", KeyRole.INFERENCE, "fraud")
        staff.hire("vera", KeyRole.APPROVER)
        yield staff
    await desk.retraining.close()
    store.close()


async def test_47_no_or_a_bad_key(staff: Staff) -> None:
    none = await staff.admin.http.get("/v1/models")
    bad = await staff.ask("wrong", "GET", "/v1/models")
    for answer in (none, bad):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["error"]["code"] == "UNAUTHENTICATED"
    assert (await staff.ask("eye", "GET", "/v1/models")).status_code == 200


async def test_47_an_unknown_caller_uploads_nothing(staff: Staff) -> None:
    assert (await staff.register("wrong")).status_code == 401


async def test_48_a_lesser_role(staff: Staff) -> None:
    assert (await staff.register("dev")).status_code == 201
    for name, method, path in (
        ("eye", "POST", "/v1/models/fraud/versions/1/validate"),
        ("dev", "POST", "/v1/models/fraud/versions/1/approve"),
        ("vera", "GET", "/v1/keys"),
        ("dev", "GET", "/metrics"),
    ):
        answer = await staff.ask(name, method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


async def test_49_a_revoked_key_is_dead_with_the_answer(staff: Staff) -> None:
    assert (await staff.ask("eye", "GET", "/v1/models")).status_code == 200
    revoked = await staff.ask("boss", "DELETE", "/v1/keys/eye")
    assert (revoked.status_code, revoked.json()["revoked_at"] > 0) == (200, True)
    assert (await staff.ask("eye", "GET", "/v1/models")).status_code == 401


async def test_50_many_bad_keys(staff: Staff) -> None:
    codes = [(await staff.ask("guess", "GET", "/v1/models")).status_code for _ in range(ALLOWED + 1)]
    assert codes == [401] * ALLOWED + [429]
    assert (await staff.ask("eye", "GET", "/v1/models")).status_code == 200


async def test_51_another_tenants_model_prediction_and_label(staff: Staff) -> None:
    assert (await staff.register("boss", "other")).status_code == 201
    assert (await staff.register("dev")).status_code == 201
    staff.admin.captures.append(blocks([capture("p-1", "other")]))
    for method, path in (
        ("GET", "/v1/models/other"),
        ("PUT", "/v1/models/other/traffic"),
        ("GET", "/v1/audit?model=other"),
        ("GET", "/v1/audit/at?model=other&time=1"),
        ("GET", "/v1/audit/predictions/p-1"),
    ):
        assert (await staff.ask("dev", method, path)).status_code == 404, path
    labels = {"model": "other", "labels": [{"prediction_id": "p-1", "label": 1}]}
    assert (await staff.ask("app", "POST", "/v1/feedback", json=labels)).status_code == 404
    shown = (await staff.ask("dev", "GET", "/v1/models")).json()["models"]
    assert [model["name"] for model in shown] == ["fraud"]
    for path in ("/v1/audit", "/v1/audit?after=0"):
        told = (await staff.ask("dev", "GET", path)).json()["records"]
        assert [(record["kind"], record["model"]) for record in told] == [("version.registered", "fraud")]


@pytest.mark.parametrize("foreign", [{"origin": "https://evil.example"}, {"host": "evil.example"}])
async def test_52_a_good_key_excuses_no_foreign_page(staff: Staff, foreign: dict[str, str]) -> None:
    headers = {"authorization": f"Bearer {staff.secrets['boss']}", **foreign}
    answer = await staff.admin.http.delete("/v1/keys/eye", headers=headers)
    assert answer.status_code == 403
    assert (await staff.ask("eye", "GET", "/v1/models")).status_code == 200


async def test_what_needs_no_key(staff: Staff) -> None:
    for path in ("/", "/ui/ui.js", "/v1/ready"):
        assert (await staff.admin.http.get(path)).status_code == 200


async def test_every_route_is_in_the_table(staff: Staff) -> None:
    paths = build(staff.admin.desk).openapi()["paths"]
    served = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    ruled = {(method, path.replace(":path", "")) for method, path in RULES}
    assert served - {("GET", path) for path in OPEN} == ruled - {("GET", "/openapi.json")}


async def test_the_ledger_names_the_key_whatever_the_header_says(staff: Staff) -> None:
    await staff.register("dev")
    assert staff.admin.store.records("fraud")[-1].actor == "dev"


async def test_a_key_over_the_api(staff: Staff) -> None:
    wanted = {"name": "new", "role": "viewer", "models": ["eu-*"], "expires_s": 60}
    made = await staff.ask("boss", "POST", "/v1/keys", json=wanted)
    assert made.status_code == 201
    assert (await staff.ask(made.json()["secret"], "GET", "/v1/models")).status_code == 200
    listed = (await staff.ask("boss", "GET", "/v1/keys")).json()["keys"]
    assert {key["name"] for key in listed} == {"boss", "dev", "eye", "app", "vera", "new"}
    assert all("secret" not in key and "digest" not in key for key in listed)


async def test_approval_takes_others_than_the_submitter(tmp_path: Path) -> None:
    desk, store, captures = open_desk(tmp_path, identity=True, policy=Policy({KeyRole.APPROVER: 1}))
    async with in_process(build(desk)) as http:
        staff = Staff(Admin(http, desk, store, captures))
        for name in ("ann", "bob"):
            staff.hire(name, KeyRole.APPROVER)
        await staff.register("ann")
        path = "/v1/models/fraud/versions/1"
        assert (await staff.ask("ann", "POST", f"{path}/validate")).json()["stage"] == "validated"
        own = await staff.ask("ann", "POST", f"{path}/approve")
        assert (own.status_code, "submitter" in own.json()["error"]["message"]) == (403, True)
        waiting = await staff.ask("ann", "POST", f"{path}/deploy")
        assert "waits for approval" in waiting.json()["message"]
        assert (await staff.ask("bob", "POST", f"{path}/approve")).json()["stage"] == "approved"
    await desk.retraining.close()
    store.close()


async def test_only_an_admin_overrides_a_freeze(staff: Staff) -> None:
    await staff.register("dev")
    secret = staff.secrets["dev"]
    headers = {"authorization": f"Bearer {secret}", "x-headrace-override": "because"}
    path = "/v1/models/fraud/traffic"
    answer = await staff.admin.http.put(path, headers=headers, json={"weights": {"1": 100}})
    assert (answer.status_code, "takes the role admin" in answer.json()["error"]["message"]) == (403, True)


async def test_a_certificate_counts_only_where_the_edge_verifies_it(staff: Staff) -> None:
    desk = staff.admin.desk
    desk.keys.create("shop", KeyRole.VIEWER, actor="boss", subject="CN=shop")
    claim = {SUBJECT: "CN=shop"}
    assert (await staff.admin.http.get("/v1/models", headers=claim)).status_code == 401
    async with in_process(build(replace(desk, certificates=True))) as behind_the_edge:
        assert (await behind_the_edge.get("/v1/models", headers=claim)).status_code == 200
        assert (await behind_the_edge.get("/v1/keys", headers=claim)).status_code == 403
        desk.keys.revoke("shop", "boss")
        refused = await behind_the_edge.get("/v1/models", headers=claim)
        assert refused.status_code == 401
        assert "create NAME --role ROLE --certificate 'CN=shop'`" in refused.json()["error"]["message"]


def filled(route: str, model: str = "fraud") -> str:
    """A path of a route of the table."""
    return re.sub(r"\{[^}]+\}", "1", route.replace("{model}", model))


async def test_no_route_answers_without_a_good_key(staff: Staff) -> None:
    """Items 47 and 53: the schema and the metrics as well; and there are no documentation pages."""
    for method, route in [*RULES, ("GET", "/docs"), ("GET", "/redoc"), ("GET", "/v1/nothing")]:
        answer = await staff.admin.http.request(method, filled(route))
        assert (answer.status_code, answer.headers.get("www-authenticate")) == (401, "Bearer"), route
    for page in ("/docs", "/redoc"):
        assert (await staff.ask("boss", "GET", page)).status_code == 404


async def test_every_route_refuses_every_role_below_its_own(staff: Staff) -> None:
    """Item 48."""
    ladder = list(KeyRole)
    for role in ladder:
        staff.hire(f"a-{role}", role)
    for (method, route), least in RULES.items():
        for role in ladder[: ladder.index(least)]:
            answer = await staff.ask(f"a-{role}", method, filled(route))
            assert answer.status_code == 403, (method, route, role)


async def test_for_every_route_anothers_model_does_not_exist(staff: Staff) -> None:
    """Item 51."""
    assert (await staff.register("boss", "other")).status_code == 201
    staff.hire("theirs", KeyRole.ADMIN, "fraud")
    for method, route in RULES:
        if "{model}" in route or route in WIDE:
            answer = await staff.ask("theirs", method, filled(route, "other"))
            assert answer.status_code == (403 if route in WIDE else 404), (method, route)


@pytest.mark.parametrize("foreign", [{"origin": "https://evil.example"}, {"host": "evil.example"}])
async def test_no_route_answers_a_foreign_page(staff: Staff, foreign: dict[str, str]) -> None:
    """Item 52, for every method."""
    headers = {"authorization": f"Bearer {staff.secrets['boss']}", **foreign}
    for method, route in RULES:
        answer = await staff.admin.http.request(method, filled(route), headers=headers)
        assert answer.status_code == 403, (method, route)
    assert (await staff.ask("eye", "GET", "/v1/models")).status_code == 200
