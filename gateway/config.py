"""Settings of the data path: one frozen tree, checked once at start."""

import hashlib
import ipaddress
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.core.batching import Batching


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Section):
    """What one client may ask of a worker."""

    max_body_mb: int = Field(64, ge=1, description="of a request, unpacked")
    max_connections: int = Field(12_000, ge=1, description="of each worker, and of each port of the edge")
    max_lag_ms: float = Field(250, gt=0, description="a worker whose loop is later than this sheds")


class Serving(_Section):
    """How a worker runs models."""

    threads: int = Field(2, ge=1, description="threads of the pool that runs costly requests")
    threads_per_run: int = Field(1, ge=1, description="threads that one run may use")
    batching: Batching = Field(
        Batching.CLOSE, description="close: may round otherwise than alone; exact: only where no bit differs"
    )
    max_batch_ms: float = Field(50.0, gt=0, description="how long joined requests may be foreseen to run")
    queue: int = Field(
        256, ge=1, description="requests that may wait for the pool, of one version, or for loads"
    )
    max_run_s: float = Field(30.0, gt=0, description="a run longer than this is ended as wedged")
    recycle_above_mb: int = Field(
        0, ge=0, description="a worker that takes more makes way for a new one, one at a time; 0: never"
    )
    memory_budget_mb: int = Field(
        0, ge=0, description="memory for models, per worker; 0: half of the machine's, shared by its workers"
    )
    max_load_wait_s: float = Field(
        10.0, gt=0, description="a request that waits longer for its version to load is told to come back"
    )
    warm_start_s: float = Field(
        8.0,
        ge=0,
        description="loading may hold up a new table or worker for so long, then goes on beside requests",
    )


class Dedicated(_Section):
    """Versions that run in a Serve application of their own. All numbers are per version."""

    above_mb: int = Field(
        1024, ge=0, description="memory, as seen at registration, from which `auto` is dedicated; 0: never"
    )
    min_replicas: int = Field(1, ge=1, description="processes that there always are")
    max_replicas: int = Field(1, ge=1, description="processes that there may be")
    requests_per_replica: float = Field(4.0, gt=0, description="more under way start another replica")
    scale_up_after_s: float = Field(30.0, ge=1, description="for so long, before there is one more")
    scale_down_after_s: float = Field(600.0, ge=1, description="fewer for so long end one")
    threads: int = Field(1, ge=1, description="runs at once in a replica")
    threads_per_run: int = Field(1, ge=1, description="threads that one run may use")
    cpus: float = Field(0.0, ge=0, description="CPUs that Ray sets aside for a replica")
    gpus: float = Field(
        0.5, ge=0, description="of a GPU that Ray sets aside for a replica, where there is one and CUDA"
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise ValueError("max_replicas is below min_replicas")
        return self


class Watching(_Section):
    """What a worker keeps of its traffic."""

    window_s: float = Field(1.0, gt=0, description="how long a summary of traffic spans")
    profiled_per_s: int = Field(
        500,
        ge=1,
        description="requests whose tensors are looked at, per model and worker; beyond, a sample",
    )
    sample_rows_per_s: int = Field(500, ge=0, description="predictions kept whole, per model and worker")
    sample_total_rows_per_s: int = Field(1_000, ge=0, description="the same of all models, per worker")
    sample_mb_per_s: float = Field(
        4.0, ge=0, description="and their tensors' size, of all models, per worker"
    )
    tap_records: int = Field(
        100_000, ge=1, description="records held between two windows before the tap drops"
    )
    shadow_queue: int = Field(1_000, ge=1, description="copies that may wait for their shadow")


class Logging(_Section):
    """What processes write to `HOME/logs`. Requests beyond the rate are counted instead of told."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="and graver ones")
    slow_ms: float = Field(1_000, gt=0, description="a request that takes longer is logged")
    requests_per_s: float = Field(10, ge=0, description="slow and failed requests logged, per worker")
    file_mb: int = Field(16, ge=1, description="size of a file; three older ones are kept")


class Tracing(_Section):
    """Where spans of requests go. A caller's decision about its trace stands; of others a share is traced."""

    endpoint: str = Field(
        pattern=r"^https?://", description="OTLP over HTTP, such as http://localhost:4318/v1/traces"
    )
    sample_ratio: float = Field(0.01, ge=0, le=1, description="of requests whose callers do not say")

    @model_validator(mode="after")
    def _installed(self) -> Self:
        try:
            found = find_spec("opentelemetry.exporter.otlp.proto.http")
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise ValueError("[gateway.tracing] needs OpenTelemetry: install headrace[tracing]")
        return self


class Tls(_Section):
    """PEM files, from the home if relative. With `client_ca`, only clients that it signed are let in."""

    certificate: Path = Field(description="the chain that all three ports show")
    key: Path = Field(description="the certificate's private key")
    client_ca: Path | None = Field(None, description="only clients that it signed are let in")


class GatewayConfig(_Section):
    """Settings of one node's gateway."""

    home: Path
    host: str = Field("127.0.0.1", description="the address that all ports listen on")
    http_port: int = Field(8000, ge=1, le=65535, description="inference over HTTP")
    grpc_port: int = Field(8001, ge=1, le=65535, description="inference over gRPC")
    admin_port: int = Field(8002, ge=1, le=65535, description="admin API, page and metrics")
    address: str = Field(
        "",
        description="the IP address by which other nodes of a cluster reach this one; none: it has no others",
    )
    join: str = Field(
        "", description="the admin API of the cluster that this node joins; none: it begins one"
    )
    workers: int = Field(2, ge=1, description="processes that serve, of about one core each")
    edge: Literal["haproxy", "direct"] = Field(
        "haproxy", description="direct: no HAProxy in front of the workers, so no TLS and no retries"
    )
    tls: Tls | None = None
    keys: Literal["auto", "required"] = Field(
        "auto", description="auto: callers need an API key as soon as `host` is beyond loopback"
    )
    model_control: Literal["none", "explicit"] = Field(
        "none", description="explicit: V2 clients may load and unload models, with a deployer's key if any"
    )
    default_model: str = Field(
        "", description="the model of /invocations and /score; without it the only one that is served"
    )
    limits: Limits = Limits()
    serving: Serving = Serving()
    dedicated: Dedicated = Dedicated()
    watching: Watching = Watching()
    logging: Logging = Logging()
    tracing: Tracing | None = None

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        ports = (self.http_port, self.grpc_port, self.admin_port)
        if len(set(ports)) < len(ports):
            raise ValueError(f"http_port, grpc_port and admin_port must differ; they are {ports}")
        return self

    @model_validator(mode="after")
    def _tls_needs_an_edge(self) -> Self:
        if self.tls is not None and self.edge == "direct":
            raise ValueError('TLS ends at the edge: it needs edge = "haproxy"')
        return self

    @model_validator(mode="after")
    def _recycling_needs_others(self) -> Self:
        if self.serving.recycle_above_mb and (self.workers < 2 or self.edge == "direct"):
            raise ValueError('serving.recycle_above_mb needs two workers or more, and edge = "haproxy"')
        return self

    @model_validator(mode="after")
    def _nodes_reach_each_other(self) -> Self:
        if self.join and not self.address:
            raise ValueError("a node that joins needs `address`, its own, for the others to reach it by")
        if self.address:
            ipaddress.ip_address(self.address)  # a ValueError says what is wrong
            if self.edge == "direct":
                raise ValueError('a cluster of several nodes needs edge = "haproxy" on each')
        return self

    @property
    def identity(self) -> bool:
        """Whether every caller must show a key."""
        return self.keys == "required" or not is_loopback(self.host)

    @property
    def certificates(self) -> bool:
        """Whether the edge verifies client certificates, so that one can stand for a key."""
        return self.tls is not None and self.tls.client_ca is not None

    @property
    def run_dir(self) -> Path:
        """Sockets and locks. Short on purpose: a unix socket's path may have 107 bytes at most."""
        name = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"headrace-{name}"

    @property
    def rolled(self) -> Path:
        """Where these settings are as an upgrade made them, until the node goes down."""
        return self.run_dir / "gateway.json"

    @property
    def slots(self) -> int:
        """Sockets that HAProxy knows: a full second set for an upgrade, and one while a worker recycles."""
        return 2 * self.workers + 1


def is_loopback(host: str) -> bool:
    """Whether a name or address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
