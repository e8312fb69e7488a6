"""An admin API for each test, called in process."""

import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.api.app import build
from lifecycle.api.desk import Desk
from tests.lifecycle.desk import in_process, onnx_bytes, open_desk


@dataclass(frozen=True, slots=True)
class Admin:
    http: httpx.AsyncClient
    desk: Desk
    store: SqlStore
    captures: ParquetCaptures

    async def register(self, model: str = "fraud", text: str = "1", **form: str) -> httpx.Response:
        files = {"artifact": ("model.onnx", onnx_bytes(text))}
        return await self.http.post(f"/v1/models/{model}/versions", files=files, data=form)

    async def deployed(self, versions: int = 1) -> None:
        """`fraud` with version 1 serving and the later ones approved."""
        for number in range(1, versions + 1):
            await self.register(text=str(number))
            path = f"/v1/models/fraud/versions/{number}"
            for verb in ["deploy"] if number == 1 else ["validate", "approve"]:
                (await self.http.post(f"{path}/{verb}")).raise_for_status()


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Admin]:
    desk, store, captures = open_desk(tmp_path)
    async with in_process(build(desk)) as http:
        yield Admin(http, desk, store, captures)
    await desk.retraining.close()
    store.close()


@contextmanager
def short_files(most: int) -> Iterator[None]:
    """No file of this process may grow over so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
