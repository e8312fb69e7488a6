"""What is asked of the whole node: `/v1/upgrade`."""

from fastapi import APIRouter
from pydantic import BaseModel

from lifecycle.api.desk import Actor, AtDesk

router = APIRouter(prefix="/v1", tags=["cluster"])


class UpgradeOut(BaseModel):
    """The workers that went and those that came."""

    before: list[str]
    after: list[str]
    seconds: float


@router.post("/upgrade")
async def upgrade(desk: AtDesk, actor: Actor) -> UpgradeOut:
    """Replace every worker by one of the installed code and the present settings, new ones first."""
    done = await desk.upgrade.run(actor)
    return UpgradeOut(before=list(done.before), after=list(done.after), seconds=done.seconds)
