"""The admin API as one FastAPI application: its routes, its guards and its one shape of error."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import Depends, FastAPI

from lifecycle.api.bounds import Bounded
from lifecycle.api.desk import Desk as Desk
from lifecycle.api.idempotency import Idempotency
from lifecycle.api.identity import Identity
from lifecycle.api.openapi import DescribedApi
from lifecycle.api.origin import SameOrigin
from lifecycle.api.routes import (
    artifacts,
    attention,
    audit,
    catalogue,
    cluster,
    events,
    feedback,
    keys,
    models,
    observe,
    overview,
    rollouts,
    serving,
    traffic,
    versions,
)
from lifecycle.api.status import install_errors
from lifecycle.api.strangers import refuse_strangers


def build(desk: Desk) -> FastAPI:
    """The application that serves `desk`. Must run in the event loop of the desk's services."""
    # FastAPI's documentation pages load scripts from other sites, so only the schema is served.
    app = DescribedApi(
        title="Headrace admin API",
        version=installed_version(),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # an empty name is a caller's slip, not another address
    )
    app.state.desk = desk
    for part in (
        overview,
        attention,
        models,
        versions,
        catalogue,
        artifacts,
        traffic,
        serving,
        rollouts,
        feedback,
        observe,
        audit,
        events,
        keys,
        cluster,
    ):
        app.include_router(part.router, dependencies=[Depends(refuse_strangers)])
    install_errors(app)
    app.add_middleware(Idempotency, requests=desk.requests)
    app.add_middleware(Bounded)
    if desk.identity:
        app.add_middleware(Identity, keys=desk.keys, certificates=desk.certificates)
    # Added last, so it is asked first: a foreign page is turned away whatever key it holds.
    app.add_middleware(SameOrigin, hosts=desk.hosts)
    return app


def installed_version() -> str:
    """The release that is installed."""
    try:
        return version("headrace")
    except PackageNotFoundError:  # run from a source tree
        return "unreleased"
