"""What is asked of the whole cluster: `/v1/upgrade`, and `/v1/join` by a node that wants to be part of it."""

from fastapi import APIRouter
from pydantic import BaseModel

from lifecycle.api.desk import Actor, AtDesk

router = APIRouter(prefix="/v1", tags=["cluster"])


class StayedOut(BaseModel):
    """A dedicated version whose old process serves on, since no new one came, and why."""

    model: str
    version: int
    reason: str


class UpgradeOut(BaseModel):
    """The workers that went and those that came, and the controller that goes after this answer.

    What `stayed` names was not upgraded. Where others hold the room that a new process needs, it waits, and
    takes over once there is some; for other reasons put right what they say, and upgrade again.

    Another controller answers when `controller` of `info` in `/v1/status` has changed.
    """

    before: list[str]
    after: list[str]
    seconds: float
    stayed: list[StayedOut]
    controller: str


class JoinOut(BaseModel):
    """The address of the cluster's Ray, and the secret with which every node of it is trusted."""

    address: str
    token: str


@router.get("/join")
async def join(desk: AtDesk) -> JoinOut:
    """What a node needs to join; it changes when the node with the controller starts anew."""
    admission = desk.nodes.admission()
    return JoinOut(address=admission.address, token=admission.token)


@router.post("/upgrade")
async def upgrade(desk: AtDesk, actor: Actor) -> UpgradeOut:
    """Replace every worker by one of the installed code and the present settings, new ones first; then the
    controller."""
    done = await desk.upgrade.run(actor)
    desk.upgrade.restart()
    return UpgradeOut(
        before=list(done.before),
        after=list(done.after),
        seconds=done.seconds,
        stayed=[StayedOut(**each._asdict()) for each in done.stayed],
        controller=desk.info["controller"],
    )
