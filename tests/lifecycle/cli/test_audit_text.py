"""Records of the ledger as sentences."""

from lifecycle.cli.audit_text import told

SPLIT = {"champion": 1, "held": [1, 2], "shadows": [], "weights": {"1": 90.0, "2": 10.0}}


def test_a_digest_is_told_by_its_beginning() -> None:
    detail = {"reason": "done", "rows": 7, "data_digest": f"sha256:{'ab' * 32}"}
    assert told("training.done", detail) == "done · rows 7, data digest sha256:abababababab…"


def test_a_moment_is_told_as_a_time() -> None:
    assert (
        told("retrain.started", {"reason": "worse", "since": 0.5 + 86400})
        == "worse · since 1970-01-02 00:00:00"
    )


def test_a_change_of_traffic_tells_the_split() -> None:
    assert told("traffic.set", SPLIT | {"revision": 3}) == "champion 1, weights 1=90 2=10"


def test_a_change_of_a_setting_tells_the_setting_alone() -> None:
    assert told("limits.set", SPLIT | {"limits": {"max_concurrency": 8}}) == "limits max_concurrency=8"
    assert told("cache.set", SPLIT | {"max_mb": 0}) == "max mb 0"


def test_a_plan_is_told_by_its_name() -> None:
    assert (
        told("rollout.start", {"plan": {"name": "quick", "steps": []}, "version": 2})
        == "plan quick, version 2"
    )
