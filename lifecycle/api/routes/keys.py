"""`/v1/keys`: API keys. The only answer that holds a secret is the one that creates it."""

from fastapi import APIRouter, Response

from lifecycle.api.desk import Actor, AtDesk
from lifecycle.api.schemas.keys import KeyOut, KeysOut, NewKeyOut
from lifecycle.api.schemas.requests import KeyIn

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.get("")
async def list_keys(desk: AtDesk) -> KeysOut:
    """All keys, those that are over too."""
    return KeysOut(keys=[KeyOut.model_validate(key.as_json()) for key in desk.keys.list()])


@router.post("", status_code=201)
async def create(wanted: KeyIn, desk: AtDesk, actor: Actor, response: Response) -> NewKeyOut:
    """Make a key. Its secret is in this answer and nowhere else."""
    response.headers["cache-control"] = "no-store"
    key, secret = desk.keys.create(
        wanted.name,
        wanted.role,
        actor=actor,
        models=wanted.models,
        expires_s=wanted.expires_s,
        subject=wanted.subject,
        owner=wanted.owner,
    )
    return NewKeyOut.model_validate(key.as_json() | {"secret": secret})


@router.delete("/{name}")
async def revoke(name: str, desk: AtDesk, actor: Actor) -> KeyOut:
    """End a key at once."""
    return KeyOut.model_validate(desk.keys.revoke(name, actor).as_json())
