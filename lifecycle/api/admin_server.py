"""The admin port's servers: HTTP, and gRPC beside it where an edge tells the two apart."""

import asyncio

import uvicorn

from gateway.config import GatewayConfig
from gateway.server.run_dir import admin_grpc_socket, admin_socket
from lifecycle.api.app import build
from lifecycle.api.desk import Desk
from lifecycle.api.rpc import AdminRpc


class AdminServer:
    """Serves a desk, in the event loop of its services."""

    def __init__(self, desk: Desk, gateway: GatewayConfig) -> None:
        self._app = build(desk)
        self._gateway = gateway
        self._rpc = AdminRpc(self._app)
        self._http: uvicorn.Server | None = None
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled."""
        gateway = self._gateway
        direct = gateway.edge == "direct"
        if not direct:
            await self._rpc.start(f"unix:{admin_grpc_socket(gateway.run_dir)}")
        config = uvicorn.Config(
            self._app,
            host=gateway.host,
            port=gateway.admin_port,
            uds=None if direct else str(admin_socket(gateway.run_dir)),
            log_level="warning",
            lifespan="off",
            # Behind the edge only it knows the caller's address, and nobody else reaches the socket.
            proxy_headers=not direct,
            forwarded_allow_ips="*",
            timeout_graceful_shutdown=1,  # readers of /v1/events never hang up by themselves
        )
        self._http = uvicorn.Server(config)
        try:
            await self._http.serve()
        finally:
            self._over.set()

    async def stop(self) -> None:
        """Take nothing new; what was asked is answered, within a second."""
        await self._rpc.stop()
        if self._http is not None:
            self._http.should_exit = True
            await self._over.wait()
