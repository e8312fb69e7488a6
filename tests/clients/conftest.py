"""A gateway as clients meet it: one worker with real models, once by itself and once behind HAProxy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.served import Address, models, serving


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every model of these tests, as a file."""
    folder = tmp_path_factory.mktemp("models")
    for name, data in models().items():
        (folder / f"{name}.onnx").write_bytes(data)
    return {path.stem: path for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def direct(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A worker that owns its ports: gRPC by the complete server."""
    with serving("gateway.local", tmp_path_factory.mktemp("direct"), files) as address:
        yield address


@pytest.fixture(scope="session")
def edge(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A worker behind HAProxy: unary gRPC by the fast lane."""
    with serving("tests.clients.served", tmp_path_factory.mktemp("edge"), files) as address:
        yield address


@pytest.fixture(params=["direct", "edge"])
def address(request: pytest.FixtureRequest) -> Address:
    """Both, one after the other: no client may notice which."""
    found: Address = request.getfixturevalue(request.param)
    return found
