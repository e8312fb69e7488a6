"""Each test confines a process of its own, for there is no way back."""

import os
import subprocess
import sys
from pathlib import Path

PREPARE = "from lifecycle.adapters.sandbox.confine import confine; confine(1 << 30, {cpu}, {wall}); "


def confined(
    then: str, cpu: int = 10, wall: float = 10, before: str = ""
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", before + PREPARE.format(cpu=cpu, wall=wall) + then]
    root = str(Path(__file__).resolve().parents[4])
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=root, env={}
    )


def test_memory_is_bounded() -> None:
    assert "MemoryError" in confined("bytearray(2 << 30)").stdout


def test_no_file_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert "PermissionError" in confined(f"open({str(path)!r}, 'wb', 0)").stdout
    assert not path.exists()


def test_a_file_that_was_open_before_cannot_grow_either(tmp_path: Path) -> None:
    path = tmp_path / "file"
    before = f"file = open({str(path)!r}, 'wb', 0); "
    assert "File too large" in confined("file.write(b'x')", before=before).stdout
    assert path.read_bytes() == b""


def test_processor_time_and_life_are_bounded() -> None:
    assert confined("\nwhile True: pass", cpu=1).returncode < 0
    assert confined("import time; time.sleep(60)", wall=0).returncode < 0


def test_the_limits_cannot_be_raised_again() -> None:
    raising = "import resource as r; print(r.getrlimit(r.RLIMIT_AS), r.getrlimit(r.RLIMIT_FSIZE))"
    assert confined(raising).stdout.strip() == f"({1 << 30}, {1 << 30}) (0, 0)"


def test_not_even_root_can_raise_a_limit_that_is_low() -> None:
    raising = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (1, 1))"
    assert "ValueError: not allowed to raise maximum limit" in confined(raising).stdout


def test_the_secrets_of_other_processes_stay_theirs() -> None:
    """Of the controller's environment, say: it holds Ray's token and the keys of object stores."""
    reading = f"open('/proc/{os.getpid()}/environ', 'rb').read()"
    assert "PermissionError" in confined(reading).stdout


def test_nothing_is_lacking_where_the_kernel_has_it_all() -> None:
    told = "from lifecycle.adapters.sandbox.confine import confine; print(confine(1 << 30, 10, 10))"
    root = str(Path(__file__).resolve().parents[4])
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "()"
