"""A home's first key, and that none opens to the network without one."""

from pathlib import Path

import pytest

from gateway.core.keys import KeyRole
from lifecycle.errors import LifecycleError
from lifecycle.offline import check_home, create_key


def test_beyond_loopback_takes_an_admin(tmp_path: Path) -> None:
    home = tmp_path / "home"
    check_home(home, {"host": "127.0.0.1"})
    for made in (None, KeyRole.VIEWER, KeyRole.ADMIN):
        if made is not None:
            create_key(home, str(made), made, actor="ann")
        if made is not KeyRole.ADMIN:
            with pytest.raises(LifecycleError, match="`headrace key create NAME --role admin"):
                check_home(home, {"host": "0.0.0.0"})
    check_home(home, {"host": "0.0.0.0"})
    check_home(home, {"keys": "required"})
