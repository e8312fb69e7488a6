"""The home's settings file, and what of the command line wins over it."""

from pathlib import Path

import pytest

from lifecycle.config import load
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
        ("[gateway]\nworkers = 0\nhtttp_port = 1", r"gateway\.workers: .*; gateway\.htttp_port: "),
        ("[control]\ntick_s = 'soon'", r"control\.tick_s: "),
        ("workers = 2", r"workers: "),
        ("[gateway", r"headrace\.toml is not valid TOML"),
    ],
)
def test_each_wrong_key_is_named(tmp_path: Path, text: str, named: str) -> None:
    write(tmp_path, text)
    with pytest.raises(LifecycleError, match=named) as caught:
        load(tmp_path, {})
    assert caught.value.code is LifecycleCode.INVALID
