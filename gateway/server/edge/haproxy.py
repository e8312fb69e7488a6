"""The edge's configuration as text. A pure function of the gateway's settings; HAProxy 2.8 syntax.

Workers come and go without a reload: every slot's sockets are listed from the start, and health checks
find the live ones.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from gateway.config import GatewayConfig
from gateway.core.keys import SUBJECT
from gateway.protocols.grpc_frame import CONTENT_TYPE, PUSHBACK
from gateway.server.run_dir import (
    admin_grpc_socket,
    admin_socket,
    certificate_file,
    edge_socket,
    grpc_socket,
    http_socket,
    stats_socket,
)

_GRPC = CONTENT_TYPE.decode()
_IS_GRPC = f"""\
    acl grpc req.hdr(content-type) -i {_GRPC}
    acl grpc req.hdr(content-type) -i -m beg {_GRPC}+ {_GRPC};"""
LANE = "/inference.GRPCInferenceService/ModelInfer"

# What HAProxy itself answers: the message, and the same as a gRPC status.
_REFUSALS = {
    400: ("the request is not well-formed HTTP, or its head is too long", 3),
    408: ("the request took too long to arrive", 4),
    500: ("the edge failed to answer; its log says why", 13),
    502: ("the worker ended before it had answered; try again", 14),
    503: ("no worker is ready; try again in a moment", 14),
    504: ("the worker took too long to answer", 4),
}
_FULL = "too many connections; try again later"
_NO_CONTROLLER = "the controller is away for a moment, and requests are served meanwhile; try again"
_CONTROL_S = 200
"""What loading a model over the V2 protocol may take: longer than workers wait for the controller."""
_TO_REFUSE = 64
"""Connections beyond the limit that are open at once to be told so; still more wait to be accepted."""


def render(config: GatewayConfig, connections: int) -> str:
    """The whole configuration file. `connections` is how many clients it holds at once; more are refused."""
    return "\n".join(
        [
            _globals(config, connections),
            _defaults(config),
            _frontend("http", config, config.http_port, connections),
            _frontend("grpc", config, config.grpc_port, connections),
            _workers(config),
            _lane(config),
            _grpc(config),
            "" if config.join else _admin(config),  # the controller is on the node that began
        ]
    )


def _globals(config: GatewayConfig, connections: int) -> str:
    # `no strict-limits`: HAProxy wants a worker's connection for every client's; but they are shared.
    # bufsize bounds what can be sent again: a request that fits is retried whole on another worker. To keep
    # it, HAProxy copies the whole buffer: 64 KiB would cost a small request 4 µs more, of 22.
    # pool: by default no connection to a worker is kept once a fifth of all files is open, so with many idle
    # clients every request would open one of its own, and cost half as much again.
    # maxhdr is above the worker's own limit, so that the worker says what is wrong. A glitch is a frame that
    # no sound HTTP/2 client sends; too many of them end the connection.
    # pattern: to look in a cache of words that matched takes longer than to compare the few that there are.
    # `noreuseport`: a second node on the same port is refused; it would get half of the first one's callers.
    return f"""global
    noreuseport
    maxconn {connections + _TO_REFUSE}
    no strict-limits
    nbthread 1
    tune.bufsize 32768
    tune.pattern.cache-size 0
    tune.pool-low-fd-ratio 90
    tune.pool-high-fd-ratio 95
    tune.h2.initial-window-size 1048576
    tune.h2.max-concurrent-streams 256
    tune.h2.fe.glitches-threshold 1000
    tune.http.maxhdr 200
    hard-stop-after 30s
    stats socket {stats_socket(config.run_dir)} mode 600 level admin
"""


def _defaults(config: GatewayConfig) -> str:
    # `abortonclose`: a caller that hangs up frees its place with the worker at once.
    # Inference is idempotent, so it may be sent again; `disable-l7-retry` below keeps the rest from it.
    # A dead worker's socket refuses the next check at once. One that is overloaded only answers late; taken
    # for dead, it would leave its callers without the answers and refusals that it has for them.
    # An inference may wait for its version to load, then for a thread, and then run.
    serving = config.serving
    longest = math.ceil(max(serving.max_load_wait_s + 2 * serving.max_run_s, 60))
    errors = "\n".join(
        f"    http-error status {status} content-type application/json {_json(message)}"
        + (" hdr Retry-After 1" if status == 503 else "")
        for status, (message, _) in _REFUSALS.items()
    )
    return f"""defaults
    mode http
    option http-keep-alive
    option redispatch 1
    option abortonclose
    http-reuse always
    retries 10
    retry-on conn-failure empty-response response-timeout
    timeout check 5s
    timeout connect 1s
    timeout http-request 10s
    timeout http-keep-alive 60s
    timeout client 60s
    timeout server {longest}s
    timeout queue 5s
    timeout tunnel 1h
{errors}
    default-server check inter 500ms fastinter 100ms downinter 100ms fall 1 rise 1
"""


# That a client has nothing to ask for now is no fault of its stream: only a peer that is gone ends it early.
# Connections without streams end by `timeout http-keep-alive`; a body that trickles is the worker's care.
_SILENT_STREAMS = """
    timeout client 1h
    option clitcpka
    clitcpka-idle 60s
    clitcpka-intvl 20s"""


def _json(message: str) -> str:
    return 'string "{\\"error\\": \\"' + message + '\\"}"'


def _frontend(name: str, config: GatewayConfig, port: int, connections: int) -> str:
    # Which connections are too many is decided when they come, so that those already served stay so.
    # HTTP/1.1 and HTTP/2 share the port: by ALPN under TLS; in clear HAProxy knows HTTP/2 by its preface.
    other = "grpc" if name == "http" else "http"
    return f"""frontend {name}
    {_bind(config, port)}{_SILENT_STREAMS if name == "grpc" else ""}
    tcp-request connection set-var(sess.others) fe_conn({other})
    tcp-request connection set-var(sess.over) bool(true) if {{ fe_conn,add(sess.others) gt {connections} }}
    acl over var(sess.over) -m bool{_noted(config)}
    http-request return status 503 content-type application/json {_json(_FULL)} hdr Retry-After 1 if over
    acl lane path {LANE}
{_IS_GRPC}
    acl repeatable path_end /infer :predict /invocations /invoke /score
    acl repeatable path_end /ModelInfer
    http-request disable-l7-retry unless METH_GET or repeatable
    use_backend lane if lane grpc
    use_backend grpc if grpc
    default_backend workers
"""


def _workers(config: GatewayConfig) -> str:
    servers = "\n".join(
        f"    server w{slot} unix@{http_socket(config.run_dir, slot)}" for slot in range(config.slots)
    )
    # HAProxy repeats only a request that it had whole before it sent the first byte. Many clients send
    # headers and body apart, so without `http-buffer-request` theirs would be lost with a killed worker.
    # One that refuses a connection is down until its next check, 100 ms later. Only here: what tracks these
    # servers would not be checked again by itself.
    return f"""backend workers
    balance roundrobin
    default-server observe layer4 error-limit 1 on-error mark-down
    option http-buffer-request
    http-request set-timeout server {_CONTROL_S}s if {{ path_beg /v2/repository/models/ }}
    option httpchk GET /v2/health/ready
{servers}
"""


# HAProxy drops the content type of an answer without a payload; one that renders as nothing keeps it.
_NO_BODY = 'content-type application/grpc lf-string "%[str()]"'
_SOUND_CALLS = f"""\
    http-request return status 200 {_NO_BODY} hdr grpc-status 12 hdr grpc-message "not a POST" if !METH_POST
    http-request set-header te trailers"""


def _lane(config: GatewayConfig) -> str:
    # The fast lane: HAProxy ends HTTP/2 and the worker sees unary gRPC as HTTP/1.1 with trailers. What the
    # worker refuses before it knows that a request is gRPC is said again in gRPC's words.
    servers = "\n".join(
        f"    server l{slot} unix@{http_socket(config.run_dir, slot)} track workers/w{slot}"
        for slot in range(config.slots)
    )
    again = "\n".join(
        f"    http-response return status 200 {_NO_BODY} hdr grpc-status {code} "
        f'hdr grpc-message "{message}" if {{ status {statuses} }}'
        for statuses, code, message in (
            ("413 431", 8, "the message or its metadata is too large"),
            ("400 414", 3, "the request is not well-formed"),
            ("408", 4, "the request took too long to arrive"),
            ("503", 14, "the worker takes no more connections; try again later"),
        )
    )
    return f"""backend lane
    balance roundrobin
    option http-buffer-request
    default-server no-check
{_grpc_errors()}
{again}
{servers}
"""


def _grpc_errors(refusals: Mapping[int, tuple[str, int]] = _REFUSALS) -> str:
    return "\n".join(
        f'    http-error status {status} {_NO_BODY} hdr grpc-status {code} hdr grpc-message "{message}"'
        + (f" hdr {PUSHBACK[0]} {PUSHBACK[1]}" if status == 503 else "")
        for status, (message, code) in refusals.items()
    )


def _grpc(config: GatewayConfig) -> str:
    servers = "\n".join(
        f"    server g{slot} unix@{grpc_socket(config.run_dir, slot)} proto h2 track workers/w{slot}"
        for slot in range(config.slots)
    )
    # `no-check`: these servers follow the health of their HTTP twin. A call that is no POST, or lacks `te`
    # as one that came by a proxy may, they drop without an answer.
    return f"""backend grpc
    balance roundrobin
    default-server no-check
    timeout server 1h
{_SOUND_CALLS}
{_grpc_errors()}
{servers}
"""


def _admin(config: GatewayConfig) -> str:
    return f"""frontend admin
    {_bind(config, config.admin_port)}
    bind unix@{edge_socket(config.run_dir)} mode 600{_noted(config)}
{_IS_GRPC}
    use_backend admin-grpc if grpc
    default_backend admin

backend admin
    http-request disable-l7-retry unless METH_GET
    timeout server 10m
    retries 10
    http-error status 503 content-type application/json {_away()} hdr Retry-After 1
    server controller unix@{admin_socket(config.run_dir)} no-check

backend admin-grpc
    http-request disable-l7-retry
    timeout server 1h
{_SOUND_CALLS}
{_grpc_errors(_REFUSALS | {503: (_NO_CONTROLLER, 14)})}
    server controller unix@{admin_grpc_socket(config.run_dir)} proto h2 no-check
"""


def _away() -> str:
    # As the controller itself would put it.
    error = json.dumps({"error": {"code": "UNAVAILABLE", "message": _NO_CONTROLLER}})
    return f"string '{error}'"


def _noted(config: GatewayConfig) -> str:
    # Bad keys are counted by address, and behind the edge only it knows the address. Whose certificate was
    # shown is said by the edge alone: what a caller says of it never gets through.
    if not config.identity:
        return ""
    rules = ["set-header x-forwarded-for %[src]", f"del-header {SUBJECT}"]
    if config.certificates:
        rules.append(f"set-header {SUBJECT} %[ssl_c_s_dn(,0,rfc2253)] if {{ ssl_c_used }}")
    return "".join(f"\n    http-request {rule}" for rule in rules)


def _bind(config: GatewayConfig, port: int) -> str:
    bind = f"bind {_address(config.host, port)}"
    if (tls := config.tls) is None:
        return bind
    bind += f" ssl crt {certificate_file(config.run_dir)} alpn h2,http/1.1 ssl-min-ver TLSv1.2"
    if tls.client_ca is not None:
        bind += f" ca-file {_quoted(config.home / tls.client_ca)} verify required"
    return bind


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
