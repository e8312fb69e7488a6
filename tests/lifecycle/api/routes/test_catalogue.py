"""Descriptions, model cards and aliases over HTTP."""

import pytest

from tests.lifecycle.api.conftest import Admin

VERSION = "/v1/models/fraud/versions"


async def test_a_card_is_completed_by_people(admin: Admin) -> None:
    await admin.deployed()
    said = {"owner": "<b>risk</b>", "tags": {"tier": "1"}, "metrics": {"auc": 0.9}}
    answer = await admin.http.patch(f"{VERSION}/champion", json=said)
    assert answer.json()["description"]["tags"] == {"tier": "1"}
    page = await admin.http.get(f"{VERSION}/1/card?format=html")
    assert page.headers["content-type"].startswith("text/html")
    assert "&lt;b&gt;risk" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    text = await admin.http.get(f"{VERSION}/1/card?format=markdown")
    assert "| auc | 0.9 |" in text.text
    both = (await admin.http.get(f"{VERSION}/1/card")).json()
    assert (both["markdown"], both["html"]) == (text.text, page.text)


@pytest.mark.parametrize(
    "said", [{"metrics": {"auc": "NaN"}}, {"tags": {"a b": ""}}, {"owner": "x" * 1001}, {"ownr": "x"}]
)
async def test_a_bad_description_is_refused(admin: Admin, said: object) -> None:
    await admin.deployed()
    assert (await admin.http.patch(f"{VERSION}/1", json=said)).status_code == 400


async def test_an_alias_is_good_wherever_a_version_is_named(admin: Admin) -> None:
    await admin.deployed(2)
    answer = await admin.http.put("/v1/models/fraud/aliases/next", json={"version": 2})
    assert answer.json()["aliases"] == {"next": 2, "champion": 1}
    assert (await admin.http.get(f"{VERSION}/next")).json()["number"] == 2
    split = await admin.http.put("/v1/models/fraud/traffic", json={"weights": {"champion": 90, "next": 10}})
    assert split.json()["weights"] == {"1": 90.0, "2": 10.0}
    assert (await admin.http.get(f"{VERSION}/canary")).json()["number"] == 2
    twice = await admin.http.put("/v1/models/fraud/traffic", json={"weights": {"2": 50, "next": 50}})
    assert twice.status_code == 400
    assert (await admin.http.delete("/v1/models/fraud/aliases/next")).json()["aliases"] == {
        "champion": 1,
        "canary": 2,
    }
    assert (await admin.http.get(f"{VERSION}/next")).status_code == 404


async def test_a_rollout_starts_by_alias(admin: Admin) -> None:
    await admin.deployed(2)
    await admin.http.put("/v1/models/fraud/aliases/next", json={"version": "2"})
    answer = await admin.http.post("/v1/models/fraud/rollouts", json={"version": "next"})
    assert answer.json()["version"] == 2


async def test_an_approval_keeps_its_comment(admin: Admin) -> None:
    await admin.register()
    await admin.http.post(f"{VERSION}/1/validate")
    shown = (await admin.http.get(f"{VERSION}/1")).json()
    assert [(yes["by"], yes["role"]) for yes in shown["approvals"]] == [("policy", "")]


async def test_lineage_comes_with_the_file(admin: Admin) -> None:
    stray = await admin.register(parent="1")
    assert (stray.status_code, "no version 1 that" in stray.json()["error"]["message"]) == (400, True)
    await admin.register()
    told = {"run": "run 7", "code": "repo@abc", "data_digest": "sha256:x"}
    lineage = (await admin.register(text="2", parent="1", **told)).json()["lineage"]
    assert (lineage["parent"], lineage["run"], lineage["code"]) == (1, "run 7", "repo@abc")
