"""Code that starts passes; code that does not is told with its reason."""

import pytest

from lifecycle.adapters.installed import check_installed
from lifecycle.errors import LifecycleCode, LifecycleError


def test_code_that_is_whole_passes() -> None:
    check_installed("lifecycle.errors")


def test_broken_code_is_refused_with_the_reason() -> None:
    with pytest.raises(LifecycleError, match="No module named") as refused:
        check_installed("lifecycle.errors", "lifecycle.not_there")
    assert refused.value.code is LifecycleCode.INVALID
