"""Status, metrics and the page."""

import re
from typing import cast

import pytest

from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.world import FakeFleet


async def test_a_cluster_is_ready_once_all_workers_follow(admin: Admin) -> None:
    fleet = admin.desk.fleet
    assert isinstance(fleet, FakeFleet)
    await admin.deployed()
    ready = (await admin.http.get("/v1/status")).json()
    fleet.asleep = True
    fleet.publish(type(fleet.table)(fleet.table.generation + 1, fleet.table.models))
    behind = (await admin.http.get("/v1/status")).json()

    assert ready["ready"]
    assert [worker["loaded"] for worker in ready["workers"]] == [1, 1]
    assert not behind["ready"]
    assert behind["generation"] == ready["generation"] + 1


async def test_metrics_are_prometheus_text(admin: Admin) -> None:
    answer = await admin.http.get("/metrics")
    assert answer.text == "headrace_up 1\n"
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_the_page_needs_nothing_from_elsewhere(admin: Admin) -> None:
    page = await admin.http.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assets = re.findall(r'(?:src|href)="(/ui/[^"]+)"', page.text)
    assert len(assets) == 3
    for asset in assets:
        answer = await admin.http.get(asset)
        assert answer.status_code == 200
        assets += [f"/ui/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.text)]
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", answer.text)


@pytest.mark.parametrize("name", ["ask.js", "dom.js", "ledger.js", "ui.js"])
async def test_the_page_never_takes_data_for_markup(admin: Admin, name: str) -> None:
    script = (await admin.http.get(f"/ui/{name}")).text
    assert len(script.splitlines()) <= 300
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


async def test_only_the_pages_own_files_are_served(admin: Admin) -> None:
    assert (await admin.http.get("/ui/..%2Fapp.py")).status_code == 404
    assert (await admin.http.get("/ui/none.js")).status_code == 404


async def test_a_cluster_is_ready_once_every_node_has_its_workers(admin: Admin) -> None:
    fleet = cast(FakeFleet, admin.desk.fleet)
    fleet.join("other-1f", workers=2)
    both = (await admin.http.get("/v1/ready")).json()
    fleet.wanted["other-1f"] = 3
    late = (await admin.http.get("/v1/ready")).json()
    assert (both["ready"], late["ready"]) == (True, False)
