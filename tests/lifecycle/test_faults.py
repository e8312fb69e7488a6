"""Wrong settings are told by their keys, with what was meant."""

from pathlib import Path

import pytest

from lifecycle.config import load
from lifecycle.errors import LifecycleError


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[gatway]\nworkers = 2", "there is no setting gatway; did you mean 'gateway'?"),
        ("[gateway]\nworkes = 2", "there is no setting gateway.workes; did you mean 'workers'?"),
        ("[gateway.limits]\nmax_body = 2", "gateway.limits.max_body; did you mean 'max_body_mb'?"),
        ("http_port = 80", "there is no setting http_port; it belongs in [gateway]"),
        ("[gateway]\nzzz = 2", "there is no setting gateway.zzz; `headrace settings` lists them"),
        ("[governance.models.fraud]\nzzz = 2", "no setting governance.models.fraud.zzz; `headrace settings`"),
        (
            "[governance]\napprovals = -1",
            "governance.approvals: Input should be greater than or equal to 0 or Input should be a valid",
        ),
        ("gateway = 3", "gateway is a section, `[gateway]`"),
        ("workers 2", "headrace.toml is not valid TOML"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "headrace.toml").write_text(text)
    with pytest.raises(LifecycleError) as caught:
        load(tmp_path, {})
    assert says in caught.value.message


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "headrace.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LifecycleError, match="is not valid TOML"):
        load(tmp_path, {})
    path.unlink()
    path.mkdir()
    with pytest.raises(LifecycleError, match=r"headrace\.toml cannot be read: Is a directory"):
        load(tmp_path, {})
