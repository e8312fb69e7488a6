"""The home's settings file, and what of the command line wins over it."""

from pathlib import Path

import pytest

from gateway.core.keys import KeyRole
from lifecycle.config import load, renewed
from lifecycle.core.governance.policy import Policy
from lifecycle.errors import LifecycleCode, LifecycleError


def write(home: Path, text: str) -> None:
    (home / "headrace.toml").write_text(text)


def test_without_a_file_everything_lies_in_the_home(tmp_path: Path) -> None:
    config = load(tmp_path, {})
    assert config.gateway.home == tmp_path
    assert config.store_url == f"sqlite:///{tmp_path / 'headrace.db'}"
    assert config.artifacts_uri == str(tmp_path / "artifacts")


def test_the_command_line_wins_over_the_file_where_it_names_something(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        store = "postgresql://db/headrace"
        artifacts = "s3://models"
        [gateway]
        workers = 5
        http_port = 9000
        limits.max_body_mb = 7
        [control]
        default_plan = "careful"
        """,
    )
    config = load(tmp_path, {"http_port": 9100, "workers": None})
    assert (config.gateway.http_port, config.gateway.workers) == (9100, 5)
    assert config.gateway.limits.max_body_mb == 7
    assert config.control.default_plan == "careful"
    assert (config.store_url, config.artifacts_uri) == ("postgresql://db/headrace", "s3://models")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[gateway]\nworkers = 0\nhtttp_port = 1", r"gateway\.workers: .*; .* gateway\.htttp_port"),
        ("[control]\ntick_s = 'soon'", r"control\.tick_s: "),
        ("workers = 2", r"workers; it belongs in \[gateway\]"),
        ("[gateway", r"headrace\.toml is not valid TOML"),
    ],
)
def test_each_wrong_key_is_named(tmp_path: Path, text: str, named: str) -> None:
    write(tmp_path, text)
    with pytest.raises(LifecycleError, match=named) as caught:
        load(tmp_path, {})
    assert caught.value.code is LifecycleCode.INVALID


def test_policies_are_for_all_and_then_for_one_model(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        [governance]
        approvals = 1
        gates = ["accuracy"]
        [governance.models.fraud]
        approvals = { approver = 1, admin = 1 }
        signature = "required"
        [governance.models.toy]
        approvals = 0
        gates = []
        [[governance.freezes]]
        name = "year end"
        from = 2026-12-20T00:00:00Z
        until = 2027-01-04T00:00:00Z
        [[governance.freezes]]
        name = "weekends"
        days = ["sat", "sun"]
        zone = "Europe/Berlin"
        models = ["eu-*"]
        """,
    )
    governance = load(tmp_path, {}).governance
    approver, admin = KeyRole.APPROVER, KeyRole.ADMIN
    assert governance.policy_of("any") == Policy({approver: 1}, frozenset({"accuracy"}))
    assert governance.policy_of("fraud") == Policy({approver: 1, admin: 1}, frozenset({"accuracy"}), True)
    assert governance.policy_of("toy").automatic
    assert [window.freeze().name for window in governance.freezes] == ["year end", "weekends"]


def test_what_retraining_signs_with_lies_in_the_home(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        [governance]
        retraining_key = "keys/all.key"
        [governance.models.fraud]
        retraining_key = "keys/fraud.key"
        """,
    )
    governance = load(tmp_path, {}).governance
    assert governance.policy_of("any", tmp_path).key == str(tmp_path / "keys" / "all.key")
    assert governance.policy_of("fraud", tmp_path).key == str(tmp_path / "keys" / "fraud.key")
    assert not load(tmp_path / "empty", {}).governance.policy_of("any").key


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[governance]\ngates = ["acuracy"]', "'acuracy' is not a gate"),
        ("[governance]\napprovals = { boss = 1 }", "governance.approvals"),
        ('[[governance.freezes]]\nname = "x"', "needs `from`, `until` or `days`"),
        ('[[governance.freezes]]\nname = "x"\ndays = ["sunday"]', "'sunday' is not a day"),
        ('[[governance.freezes]]\nname = "x"\ndays = ["sun"]\nzone = "Mars"', "no time zone 'Mars'"),
    ],
)
def test_a_policy_that_makes_no_sense_is_named(tmp_path: Path, text: str, fault: str) -> None:
    write(tmp_path, text)
    with pytest.raises(LifecycleError, match=fault) as refused:
        load(tmp_path, {})
    assert refused.value.code is LifecycleCode.INVALID


def test_new_workers_keep_the_ports_and_take_the_settings_of_now(tmp_path: Path) -> None:
    running = load(tmp_path, {"http_port": 9000, "workers": 3}).gateway
    write(tmp_path, "[gateway]\nhttp_port = 1\n[gateway.serving]\nthreads = 7\n")
    new = renewed(running)
    assert (new.http_port, new.workers, new.serving.threads) == (9000, 3, 7)
    write(tmp_path, "[gateway.serving]\nthreads = 0\n")
    with pytest.raises(LifecycleError, match=r"gateway\.serving\.threads"):
        renewed(running)


def test_standards_and_limits_of_validation(tmp_path: Path) -> None:
    write(tmp_path, "[validation]\nlatency_budget_ratio = 1.5\nprocess_s = 30")
    validation = load(tmp_path, {}).validation
    assert validation.standards.budget.latency_ratio == 1.5
    assert (validation.limits.wall_seconds, validation.limits.memory_mb) == (30, 2048)
