"""Why a process of a version's own does not come. `tests/e2e` has Ray and Serve around it."""

from types import SimpleNamespace
from typing import Any

import pytest
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview

from gateway.config import Dedicated
from gateway.serve.starting import answers, given_up, needs, no_room

SMALL, LARGE = {"CPU": 2.0}, {"CPU": 8.0, "GPU": 1.0}


def test_a_gpu_is_needed_only_where_the_runtime_can_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Dedicated(cpus=0.5, gpus=0.5)
    monkeypatch.setattr("gateway.serve.starting.offers_cuda", lambda: False)
    assert needs(own, gpus=4.0) == {"CPU": 0.5, "GPU": 0.0}
    monkeypatch.setattr("gateway.serve.starting.offers_cuda", lambda: True)
    assert needs(own, gpus=4.0) == {"CPU": 0.5, "GPU": 0.5}
    assert needs(own, gpus=0.0) == {"CPU": 0.5, "GPU": 0.0}


def test_what_no_node_has_is_told_at_once() -> None:
    wanted = {"CPU": 4.0, "GPU": 1.5}
    told = "its own process needs 4 CPU and 1.5 GPU, and no node has as much"
    assert no_room(wanted, [SMALL, LARGE], waited=False) == told
    # Two nodes together are no node.
    assert no_room({"CPU": 9.0}, [SMALL, LARGE], waited=False).startswith("its own process needs 9 CPU")
    assert no_room({"CPU": 0.0, "GPU": 0.0}, [SMALL], waited=False) == ""


def test_what_others_hold_is_told_after_a_while() -> None:
    wanted = {"CPU": 1.0, "GPU": 1.0}
    assert no_room(wanted, [SMALL, LARGE], waited=False) == ""
    told = "its own process waits for 1 CPU and 1 GPU, which others hold"
    assert no_room(wanted, [SMALL, LARGE], waited=True) == told


@pytest.mark.parametrize(("old", "serves"), [("RUNNING", True), ("STOPPING", False)])
def test_one_whose_new_process_does_not_come_is_served_by_the_old_one(old: str, serves: bool) -> None:
    pending: Any = SimpleNamespace(replica_states={old: 1, "STARTING": 1})
    found = ApplicationStatusOverview(ApplicationStatus.DEPLOYING, "", 0.0, {"Replica": pending})
    assert answers(found) is serves
    assert not answers(None)


@pytest.mark.parametrize(
    ("status", "trigger", "told"),
    [
        ("UNHEALTHY", "REPLICA_STARTUP_FAILED", "own process does not start"),
        ("DEPLOY_FAILED", "HEALTH_CHECK_FAILED", "own process does not start"),
    ],
)
def test_processes_that_end_before_they_take_requests_are_not_waited_for(
    status: str, trigger: str, told: str
) -> None:
    failing: Any = SimpleNamespace(replica_states={"STARTING": 1}, status_trigger=trigger, message="")
    found = ApplicationStatusOverview(ApplicationStatus(status), "", 0.0, {"Replica": failing})
    error = given_up(found, Dedicated())
    assert error is not None
    assert told in error.message
