"""What holds for every test, and the servers that a session shares.

The outcome of a test never depends on how busy the machine is.
"""

import os
import secrets
from collections.abc import Iterator

import pytest
from fsspec.core import url_to_fs
from hypothesis import HealthCheck, settings

from tests.postgres import MISSING, Postgres, programs, running

# Before any test imports Ray, which reads its settings once. The last one binds the loopback address.
os.environ.update(
    RAY_AUTH_MODE="token",
    RAY_AUTH_TOKEN=secrets.token_hex(32),
    RAY_USAGE_STATS_ENABLED="0",
    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0",
)

os.environ.pop("COLUMNS", None)  # pytest-xdist sets it, and tables in a pipe wrap by it

settings.register_profile("headrace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headrace")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URI of an empty bucket on a real S3 endpoint."""
    from moto.server import ThreadedMotoServer  # slow to import, and few tests need it

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "headrace")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "headrace")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        url_to_fs("s3://headrace")[0].makedirs("headrace")
        yield "s3://headrace"
    server.stop()
