"""What people say about models and versions: descriptions, model cards and aliases."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response

from lifecycle.api.desk import Actor, AtDesk, Numbered
from lifecycle.api.preconditions import IfRevision
from lifecycle.api.schemas.models import ModelOut
from lifecycle.api.schemas.requests import AliasIn, DescriptionIn
from lifecycle.api.schemas.versions import CardOut, VersionOut
from lifecycle.commands.lookup import find_number
from lifecycle.commands.registry.catalogue import Words
from lifecycle.core.card_text import html, markdown

_PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}

router = APIRouter(prefix="/v1/models/{model}", tags=["catalogue"])


@router.patch("/versions/{number}")
async def describe(
    model: str, number: Numbered, said: DescriptionIn, desk: AtDesk, actor: Actor, if_revision: IfRevision
) -> VersionOut:
    """Say who owns a version, what it is for and what it is not; set tags and metrics."""
    words = Words(said.owner, said.intended_use, said.limitations, said.tags, said.metrics)
    return VersionOut.of(desk.catalogue.describe(model, number, words, actor, if_revision=if_revision))


@router.get("/versions/{number}/card", response_model=CardOut)
async def card(
    model: str, number: Numbered, desk: AtDesk, format: Literal["json", "markdown", "html"] = "json"
) -> Response | CardOut:
    """The model card: as a page, as Markdown, or both in JSON."""
    found = desk.catalogue.card(model, number)
    if format == "html":
        return Response(html(found), media_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)
    if format == "markdown":
        return Response(markdown(found), media_type="text/markdown; charset=utf-8", headers=_PAGE_HEADERS)
    return CardOut(title=found.title, markdown=markdown(found), html=html(found))


@router.put("/aliases/{alias}")
async def set_alias(
    model: str, alias: str, wanted: AliasIn, desk: AtDesk, actor: Actor, if_revision: IfRevision
) -> ModelOut:
    """Let a name stand for a version."""
    number = find_number(desk.store, model, str(wanted.version))
    found = desk.catalogue.alias(model, alias, number, actor, if_revision=if_revision)
    return ModelOut.of(found, len(desk.store.versions(model)))


@router.delete("/aliases/{alias}")
async def remove_alias(
    model: str, alias: str, desk: AtDesk, actor: Actor, if_revision: IfRevision
) -> ModelOut:
    """Let a name stand for nothing."""
    found = desk.catalogue.unalias(model, alias, actor, if_revision=if_revision)
    return ModelOut.of(found, len(desk.store.versions(model)))
