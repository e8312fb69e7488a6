import resource
from collections.abc import Iterator

import pytest

from gateway.server.descriptors import affordable, raise_soft_limit


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_connections_are_bound_by_the_soft_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_200, hard))
    assert affordable(10_000) == 1_000
    assert affordable(10_000, 2.0) == 500
    assert affordable(300) == 300


def test_the_soft_limit_is_raised_as_far_as_the_hard_one() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_000, hard))
    raise_soft_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
