from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config import Serving
from gateway.runtime.loader import Loader


@pytest.fixture
async def loader(tmp_path: Path) -> AsyncIterator[Loader]:
    loader = Loader(tmp_path / "cache", Serving(threads=1, queue=8, max_run_s=0.2))
    yield loader
    await loader.close()
