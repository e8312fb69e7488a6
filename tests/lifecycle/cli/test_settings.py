"""`headrace settings` of a home."""

from pathlib import Path

from tests.lifecycle.cli.conftest import Run


def test_what_is_in_force_stands_beside_the_default(alone: Run, tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").write_text("[gateway.serving]\nthreads = 7\n")
    said = alone("settings", "serving.threads", "--home", tmp_path)
    assert said.out.splitlines()[1].split()[:3] == ["gateway.serving.threads", "7", "2"]
    assert "no setting has 'thraeds'" in alone("settings", "thraeds", "--home", tmp_path).out


def test_a_secret_is_not_shown(alone: Run, tmp_path: Path) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    webhook = f'[[webhooks]]\nname = "pager"\nurl = "https://hooks.example"\nsecret = "{secret}"\n'
    (tmp_path / "headrace.toml").write_text(webhook)
    said = alone("settings", "webhooks", "--home", tmp_path, "--json")
    assert (said.code, secret in said.out) == (0, False)


def test_a_wrong_file_fails_in_one_line(alone: Run, tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").write_text("[gateway]\nworkers = 0\n")
    said = alone("settings", "--home", tmp_path)
    assert (said.code, said.err.count("\n"), "gateway.workers" in said.err) == (1, 1, True)
