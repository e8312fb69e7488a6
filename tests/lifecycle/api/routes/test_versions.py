"""Registering and governing versions over HTTP."""

from tests.lifecycle.api.conftest import Admin


async def test_a_version_is_registered_and_shown(admin: Admin) -> None:
    answer = await admin.register(recipe="recipes:fit")
    shown = (await admin.http.get("/v1/models/fraud/versions/1")).json()

    assert answer.status_code == 201
    assert shown.pop("placed") == [
        {"placement": "inline", "workers": 1, "run_ms": 0.28},
        {"placement": "pool", "workers": 1, "run_ms": 0.31},
    ]
    assert answer.json() == shown
    assert shown["stage"] == "registered"
    assert shown["submitter"] == "local"
    assert shown["signature"]["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]


async def test_the_actor_is_the_one_of_the_header(admin: Admin) -> None:
    admin.http.headers["x-headrace-actor"] = "ada"
    assert (await admin.register()).json()["submitter"] == "ada"


async def test_a_file_that_is_no_model_is_refused(admin: Admin) -> None:
    files = {"artifact": ("model.onnx", b"PK\x03\x04 a zip")}
    answer = await admin.http.post("/v1/models/fraud/versions", files=files)
    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "UNSUPPORTED"


async def test_a_taken_number_conflicts(admin: Admin) -> None:
    await admin.register(text="one", number="1")
    answer = await admin.register(text="two", number="1")
    assert answer.status_code == 409


async def test_a_version_goes_through_governance(admin: Admin) -> None:
    await admin.register()
    path = "/v1/models/fraud/versions/1"
    stages = [
        (await admin.http.post(f"{path}/{verb}")).json()["stage"]
        for verb in ("validate", "approve", "reject", "retire")
    ]
    assert stages == ["approved", "approved", "rejected", "retired"]


async def test_a_version_with_an_alias_is_not_retired(admin: Admin) -> None:
    for text in ("1", "2"):
        await admin.register(text=text)
    for alias in ("audited", "audited-2025"):
        await admin.http.put(f"/v1/models/fraud/aliases/{alias}", json={"version": 2})
    path = "/v1/models/fraud/versions/2"
    answer = await admin.http.post(f"{path}/retire")
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        409,
        "version 2 of 'fraud' is called 'audited', 'audited-2025'; give each to another version with "
        "`headrace model alias` or take it away with `headrace model unalias fraud audited`",
    )
    assert (await admin.http.get(path)).json()["stage"] == "registered"
    await admin.http.put("/v1/models/fraud/aliases/audited", json={"version": 1})
    await admin.http.delete("/v1/models/fraud/aliases/audited-2025")
    assert (await admin.http.post(f"{path}/retire")).json()["stage"] == "retired"


async def test_an_illegal_move_conflicts(admin: Admin) -> None:
    await admin.register()
    assert (await admin.http.post("/v1/models/fraud/versions/1/approve")).status_code == 409


async def test_rejecting_is_kept(admin: Admin) -> None:
    await admin.register()
    await admin.http.post("/v1/models/fraud/versions/1/reject")
    listed = (await admin.http.get("/v1/models/fraud/versions")).json()["versions"]
    assert [version["stage"] for version in listed] == ["rejected"]


async def test_the_first_version_gets_all_traffic(admin: Admin) -> None:
    await admin.register()
    answer = (await admin.http.post("/v1/models/fraud/versions/1/deploy")).json()
    assert answer["traffic"]["weights"] == {"1": 100.0}
    assert answer["version"]["stage"] == "serving"
    assert answer["rollout"] is None


async def test_a_later_version_starts_a_rollout_by_the_plan(admin: Admin) -> None:
    await admin.deployed()
    await admin.register(text="2")
    answer = await admin.http.post("/v1/models/fraud/versions/2/deploy", json={"plan": "cautious"})
    assert answer.json()["rollout"]["plan"]["name"] == "cautious"
    assert answer.json()["traffic"]["weights"] == {"1": 100.0}


async def test_an_unknown_version_is_not_found(admin: Admin) -> None:
    await admin.register()
    assert (await admin.http.get("/v1/models/fraud/versions/7")).status_code == 404
    assert (await admin.http.get("/v1/models/none/versions")).status_code == 404
