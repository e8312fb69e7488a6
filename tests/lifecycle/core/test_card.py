"""What a model card says."""

from dataclasses import replace

from lifecycle.core.card import Card, card
from lifecycle.core.rollouts.plan import QUICK
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Approval, Description, Lineage, Model
from tests.lifecycle.world import version

MODEL = Model("m", 1, 0.0, champion=1, weights=((1, 90.0), (2, 10.0)), aliases={"audited": 2})
VERSION = replace(
    version(2),
    lineage=Lineage(1, "recipes:fit", "sha256:rows", "drift on 3 features", "run 7", "repo@abc", 12),
    evidence=(Finding("accuracy", Verdict.PASS, "0.93 against 0.91"),),
    approvals=(Approval("bob", 60.0, "approver", "fine"),),
    description=Description("risk team", "scoring", tags={"eu": "", "tier": "1"}, metrics={"auc": 0.93}),
)
ROLLOUT = Rollout("r", "m", 2, 1, QUICK, 120.0, "cleo", phase=Phase.STEP)


def texts(found: Card) -> dict[str, str]:
    return {one.title: one.text or "\n".join(" | ".join(row) for row in one.rows) for one in found.sections}


def test_a_card_gathers_what_is_known() -> None:
    said = texts(card(MODEL, VERSION, [ROLLOUT]))
    assert said["Owner"] == "risk team"
    assert said["Limitations"] == "not stated"
    assert "also called | audited, canary" in said["Version"]
    assert "share of the traffic | 10 %" in said["Version"]
    assert "tags | eu, tier=1" in said["Version"]
    assert "training run | run 7" in said["Where it comes from"]
    assert "ledger record of the cause | 12" in said["Where it comes from"]
    assert said["Metrics"] == "auc | 0.93"
    assert said["Evidence"] == "accuracy | PASS | 0.93 against 0.91"
    assert said["Approvals"] == "bob | approver | 1970-01-01 00:01:00 | fine"
    assert said["Rollouts"].startswith("1970-01-01 00:02:00 | cleo | quick | step")


def test_what_is_not_known_is_said_to_be_none() -> None:
    said = texts(card(Model("m", 1, 0.0), version(1), []))
    assert said["Metrics"] == said["Approvals"] == said["Rollouts"] == "none"
    assert "retired" not in said["Version"]


def test_every_row_is_as_long_as_its_heading() -> None:
    for section in card(MODEL, VERSION, [ROLLOUT]).sections:
        assert {len(row) for row in section.rows} <= {len(section.columns)}
