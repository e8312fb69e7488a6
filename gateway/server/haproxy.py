"""The edge's configuration as text. A pure function of the gateway's settings; HAProxy 2.8 syntax.

Workers come and go without a reload: every slot's sockets are listed from the start, and health checks
find the live ones.
"""

from pathlib import Path

from gateway.config import GatewayConfig

LANE = "/inference.GRPCInferenceService/ModelInfer"


def http_socket(run_dir: Path, slot: int) -> Path:
    return run_dir / f"worker-{slot}.sock"


def grpc_socket(run_dir: Path, slot: int) -> Path:
    return run_dir / f"worker-{slot}.grpc.sock"


def admin_socket(run_dir: Path) -> Path:
    return run_dir / "admin.sock"


def render(config: GatewayConfig, connections: int) -> str:
    """The whole configuration file. `connections` is how many clients it holds at once."""
    return "\n".join(
        [
            _globals(config, connections),
            _defaults(),
            _frontend("http", config.host, config.http_port),
            _frontend("grpc", config.host, config.grpc_port),
            _workers(config),
            _grpc(config),
            _admin(config),
        ]
    )


def _globals(config: GatewayConfig, connections: int) -> str:
    # bufsize bounds what can be sent again: a request that fits is retried whole on another worker.
    return f"""global
    maxconn {connections}
    nbthread 1
    tune.bufsize 65536
    tune.h2.initial-window-size 1048576
    tune.h2.max-concurrent-streams 256
    hard-stop-after 30s
    stats socket {config.run_dir / "haproxy.sock"} mode 600 level admin
"""


def _defaults() -> str:
    # Inference is idempotent, so it may be sent again; `disable-l7-retry` below keeps the rest from it.
    # A worker that refuses one connection is down until its next check, 100 ms later.
    unavailable = '{\\"error\\": \\"no worker is ready; try again in a moment\\"}'
    return f"""defaults
    mode http
    option http-keep-alive
    option redispatch 1
    http-reuse always
    retries 10
    retry-on conn-failure empty-response response-timeout
    timeout connect 1s
    timeout http-request 10s
    timeout http-keep-alive 60s
    timeout client 60s
    timeout server 60s
    timeout queue 5s
    timeout tunnel 1h
    http-error status 503 content-type application/json string "{unavailable}" hdr Retry-After 1
    default-server check inter 500ms fastinter 100ms downinter 100ms fall 1 rise 1
    default-server observe layer4 error-limit 1 on-error mark-down
"""


def _frontend(name: str, host: str, port: int) -> str:
    # HTTP/1.1 and HTTP/2 by prior knowledge share the port: HAProxy tells them apart by the preface.
    return f"""frontend {name}
    bind {_address(host, port)}
    acl lane path {LANE}
    acl grpc req.hdr(content-type) -m beg application/grpc
    acl repeatable path_end /infer
    acl repeatable path_end /ModelInfer
    http-request disable-l7-retry if METH_POST !repeatable
    use_backend grpc if grpc !lane
    default_backend workers
"""


def _workers(config: GatewayConfig) -> str:
    # `abortonclose`: a caller that hangs up frees its place with the worker at once.
    # The fast lane: HAProxy ends HTTP/2 and the worker sees unary gRPC as HTTP/1.1 with trailers.
    servers = "\n".join(
        f"    server w{slot} unix@{http_socket(config.run_dir, slot)}" for slot in range(config.slots)
    )
    # HAProxy repeats only a request that it had whole before it sent the first byte. Many clients send
    # headers and body apart, so without `http-buffer-request` theirs would be lost with a killed worker.
    return f"""backend workers
    balance roundrobin
    option http-buffer-request
    option abortonclose
    option httpchk GET /v2/health/live
{servers}
"""


def _grpc(config: GatewayConfig) -> str:
    servers = "\n".join(
        f"    server g{slot} unix@{grpc_socket(config.run_dir, slot)} proto h2 track workers/w{slot}"
        for slot in range(config.slots)
    )
    # `no-check`: these servers follow the health of their HTTP twin.
    return f"""backend grpc
    balance roundrobin
    option abortonclose
    default-server no-check
    timeout server 1h
{servers}
"""


def _admin(config: GatewayConfig) -> str:
    return f"""frontend admin
    bind {_address(config.host, config.admin_port)}
    default_backend admin

backend admin
    http-request disable-l7-retry unless METH_GET
    timeout server 10m
    retries 10
    server controller unix@{admin_socket(config.run_dir)} no-check
"""


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
