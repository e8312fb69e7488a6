"""`/v1/artifacts`: the files of the artifact store."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from lifecycle.api.desk import Actor, AtDesk

router = APIRouter(prefix="/v1/artifacts", tags=["artifacts"])


class StoredFileOut(BaseModel):
    """`size` is in bytes, `at` Unix seconds."""

    digest: str
    size: int
    at: float


class CollectionOut(BaseModel):
    """Files that were removed, or with `dry_run` would be; `kept` counts the others."""

    removed: list[StoredFileOut]
    bytes: int
    kept: int
    dry_run: bool


@router.post("/collect")
async def collect(desk: AtDesk, actor: Actor, dry_run: bool = False) -> CollectionOut:
    """Remove files that nothing needs any more, by the retention rule."""
    found = await asyncio.to_thread(desk.collector.collect, actor, dry_run=dry_run)
    removed = [StoredFileOut(digest=file.digest, size=file.size, at=file.at) for file in found.files]
    return CollectionOut(removed=removed, bytes=found.bytes, kept=found.kept, dry_run=dry_run)
