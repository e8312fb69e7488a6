"""Every setting of a home, as the configuration's own model has it."""

from pathlib import Path

from lifecycle.cli.settings_file import settings_of


def test_every_setting_has_a_meaning(tmp_path: Path) -> None:
    found = settings_of(tmp_path)
    assert len(found) > 70
    assert [each.name for each in found if not each.meaning] == []


def test_sections_that_are_not_there_tell_what_they_may_hold(tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").write_text("[gateway.serving]\nthreads = 7\n")
    found = {each.name: (each.value, each.default) for each in settings_of(tmp_path)}
    assert found["gateway.serving.threads"] == (7, 2)
    assert found["gateway.tls.certificate"] == (None, None)


def test_passwords_and_secrets_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").write_text(
        'store = "postgresql://ann:hid:den@db.example/h"\n'
        'artifacts = "s3://bucket/a:b@c"\n'
        '[[webhooks]]\nname = "pager"\nurl = "https://ann:hidden@hooks.example/x"\n'
        f'secret = "whsec_{"hide" * 8}"\n'
    )
    found = {each.name: each.value for each in settings_of(tmp_path)}
    assert "hid" not in str(found)
    assert found["store"] == "postgresql://ann:***@db.example/h"
    assert found["webhooks"][0]["url"] == "https://ann:***@hooks.example/x"
    assert found["artifacts"] == "s3://bucket/a:b@c"
