"""What a benchmark starts is ended, its children and only its children."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.load.processes import marked, running

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
ORPHAN = f"import subprocess; subprocess.Popen({SLEEP!r}, start_new_session=True)"


def test_orphans_in_their_own_session_are_ended() -> None:
    bystander = subprocess.Popen(SLEEP)
    try:
        with marked({"EXTRA": "1"}) as environment:
            assert environment["EXTRA"] == "1"
            subprocess.run([sys.executable, "-c", ORPHAN], env=environment, check=True)
            orphans = [p for p in psutil.process_iter() if _carries(p, environment)]
            assert len(orphans) == 1
        assert not [p for p in orphans if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_failure_quotes_the_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)it died.*the reason"):
        _run_and_fail([sys.executable, "-c", "print('the reason')"], tmp_path / "log")


def _run_and_fail(command: list[str], log: Path) -> None:
    with marked({}) as environment, running(command, environment, log, log.parent) as process:
        process.wait()
        raise RuntimeError("it died")


def _carries(process: psutil.Process, environment: dict[str, str]) -> bool:
    try:
        return process.environ().get("HEADRACE_BENCH_MARK") == environment["HEADRACE_BENCH_MARK"]
    except psutil.Error:
        return False
