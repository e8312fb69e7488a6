"""What a restricted process can still do with files; each test restricts a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def restricted(then: str, *trees: Path, before: str = "") -> str:
    command = (
        "import socket; from pathlib import Path; from lifecycle.adapters.sandbox.landlock import read_only; "
        f"{before}\nassert read_only(map(Path, {[str(tree) for tree in trees]})); {then}"
    )
    whole = [sys.executable, "-c", command]
    done = subprocess.run(whole, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout + done.stderr


def test_only_the_named_trees_can_be_read(tmp_path: Path) -> None:
    open_to, secret = tmp_path / "open" / "deep", tmp_path / "secret"
    for folder in (open_to, secret):
        folder.mkdir(parents=True)
        (folder / "file").write_text("words")
    assert restricted(f"print(open({str(open_to / 'file')!r}).read())", open_to.parent) == "words\n"
    assert "PermissionError" in restricted(f"open({str(secret / 'file')!r})", open_to.parent)


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("words")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(tmp_path / "secret")
    assert "PermissionError" in restricted(f"open({str(tree / 'link')!r})", tree)


def test_nothing_is_written_changed_or_removed_within_them_either(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    path = f"Path({str(tmp_path / 'file')!r})"
    for act in (f"{path}.write_text('x')", f"{path}.unlink()", f"{path}.with_name('new').mkdir()"):
        assert "PermissionError" in restricted(act, tmp_path)
    assert (tmp_path / "file").read_text() == "words"


def test_no_tcp_connection_is_made(tmp_path: Path) -> None:
    before = "server = socket.create_server(('127.0.0.1', 0))"
    said = restricted("socket.create_connection(server.getsockname())", tmp_path, before=before)
    assert "PermissionError" in said
