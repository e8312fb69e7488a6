"""The table of who may do what."""

import pytest

from gateway.core.keys import KeyRole
from lifecycle.core.governance.access import Need, need


@pytest.mark.parametrize("path", ["/", "/ui/ui.js", "/v1/ready"])
def test_what_needs_no_key(path: str) -> None:
    assert need("GET", path) == Need(None)
    assert need("POST", path).role is KeyRole.ADMIN


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/v1/models/fraud/traffic", Need(KeyRole.VIEWER, "fraud")),
        ("PUT", "/v1/models/fraud/traffic", Need(KeyRole.DEPLOYER, "fraud")),
        ("POST", "/v1/models/fraud/versions/2/approve", Need(KeyRole.APPROVER, "fraud")),
        ("POST", "/v1/feedback", Need(KeyRole.INFERENCE)),
        ("GET", "/v1/audit/verify", Need(KeyRole.VIEWER, wide=True)),
        ("GET", "/v1/audit/predictions/a/b", Need(KeyRole.VIEWER)),
        ("DELETE", "/v1/keys/ann", Need(KeyRole.ADMIN, wide=True)),
    ],
)
def test_rows(method: str, path: str, wanted: Need) -> None:
    assert need(method, path) == wanted


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/new"), ("GET", "/v1/models\n"), ("DELETE", "/v1/models/m"), ("GET", "/v1/models/")],
)
def test_what_the_table_does_not_know_takes_an_admin(method: str, path: str) -> None:
    assert need(method, path) == Need(KeyRole.ADMIN, wide=True)
