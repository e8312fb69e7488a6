"""Environments are made once, in a folder that checkouts may share, and say why they could not be made."""

import sys
from pathlib import Path

import pytest

from benchmarks.load import environments
from benchmarks.load.environments import ROOT, cache, prepare, require


def test_the_cache_is_in_the_checkout_or_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADRACE_BENCH_CACHE", raising=False)
    assert cache() == ROOT / ".bench"
    monkeypatch.setenv("HEADRACE_BENCH_CACHE", "/elsewhere")
    assert cache() == Path("/elsewhere")


def test_what_is_there_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_BENCH_CACHE", str(tmp_path))
    made = []

    def pretend(*arguments: str) -> str:
        made.append(arguments[0])
        (Path(arguments[-1]) if arguments[0] == "venv" else tmp_path).mkdir(parents=True, exist_ok=True)
        return ""

    monkeypatch.setattr(environments, "_uv", pretend)
    first = prepare(sys.executable, ["b==2", "a==1"])
    assert prepare(sys.executable, ["a==1", "b==2"]) == first
    assert made == ["venv", "pip"]
    assert prepare(sys.executable, ["a==2", "b==2"]) != first


def test_the_installers_own_words_say_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_BENCH_CACHE", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"uv venv failed: .*no-such-python"):
        prepare("/no-such-python", ["a==1"])
    assert not list(tmp_path.glob("*/requirements.json"))


def test_missing_programs_are_named_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    require({"python3": "python3", "bin/sh": "dash"})
    with pytest.raises(RuntimeError, match="sudo apt-get install -y -qq some-package"):
        require({"no-such-program": "some-package", "no/such/file": "some-package"})
