"""The words of the SDK: one method per request, for both clients. Says what to send and sends nothing.

Answers are the admin API's JSON objects.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lifecycle.client.operation import LONG_S, Operation, VersionName, at, get, listed, send, whole
from lifecycle.client.registry_operations import RegistryOperations
from lifecycle.client.wire import Call, Json


class Operations(RegistryOperations):
    """What can be asked of a controller. Every method raises LifecycleError."""

    @Operation
    def status(self) -> Call[Json]:
        return get("/v1/status")

    @Operation
    def attention(self) -> Call[list[Json]]:
        """What to look at first: rollouts under way, then alarms that stand."""
        return listed("/v1/attention", "matters")

    @Operation
    def ready(self) -> Call[bool]:
        return Call("GET", "/v1/ready", lambda answer: bool(answer["ready"]))

    @Operation
    def upgrade(self) -> Call[Json]:
        """Replace every worker, new ones first, and after the answer the controller that it names.

        Dedicated versions under `stayed` were not, for the `reason`s given; their old processes serve on.
        The controller's successor answers once `status()["info"]["controller"]` is another.
        """
        return send("POST", "/v1/upgrade", timeout_s=LONG_S)

    @Operation
    def join(self) -> Call[Json]:
        """`address` and `token` of the cluster's Ray. CONFLICT if it takes no other node."""
        return get("/v1/join")

    # Traffic

    @Operation
    def traffic(self, model: str) -> Call[Json]:
        return get(at(model, "traffic"))

    @Operation
    def set_traffic(
        self,
        model: str,
        weights: Mapping[int, float] | Mapping[str, float],
        *,
        shadows: Sequence[VersionName] | None = None,
        dry_run: bool = False,
    ) -> Call[Json]:
        """Percent by version, summing to 100; shadows stay unless given."""
        kept = None if shadows is None else list(shadows)
        body = {"weights": dict(weights), "shadows": kept, "dry_run": dry_run}
        return send("PUT", at(model, "traffic"), json=body, timeout_s=LONG_S)

    @Operation
    def set_limits(self, model: str, *, max_concurrency: int = 0, max_queue: int = 0) -> Call[Json]:
        """What a model may take of each worker; 0 is no limit."""
        limits = {"max_concurrency": max_concurrency, "max_queue": max_queue}
        return send("PUT", at(model, "limits"), json=limits, timeout_s=LONG_S)

    @Operation
    def set_placement(self, model: str, placement: str) -> Call[Json]:
        """`auto`, `inline`, `pool` or `dedicated`; answers once the model's versions run there."""
        return send("PUT", at(model, "placement"), json={"placement": placement}, timeout_s=LONG_S)

    @Operation
    def set_cache(self, model: str, *, max_mb: int = 0) -> Call[Json]:
        """MiB of answers that each worker keeps for requests that come again; 0: none."""
        return send("PUT", at(model, "cache"), json={"max_mb": max_mb}, timeout_s=LONG_S)

    @Operation
    def set_memory(self, model: str, *, resident: bool) -> Call[Json]:
        """Keep what the model serves in every worker's memory; else it is loaded by demand."""
        return send("PUT", at(model, "memory"), json={"resident": resident}, timeout_s=LONG_S)

    @Operation
    def rollback(self, model: str) -> Call[Json]:
        return send("POST", at(model, "rollback"), timeout_s=LONG_S)

    # Rollouts

    @Operation
    def rollouts(self, model: str) -> Call[list[Json]]:
        """Newest first."""
        return listed(at(model, "rollouts"), "rollouts")

    @Operation
    def rollout(self, model: str) -> Call[Json]:
        """The latest one; NOT_FOUND if there never was any."""
        return get(at(model, "rollouts", "current"))

    @Operation
    def start_rollout(self, model: str, version: VersionName, plan: str | Json = "") -> Call[Json]:
        """`plan` is a preset's name or a plan as a JSON object."""
        return send("POST", at(model, "rollouts"), json={"version": version, "plan": plan})

    @Operation
    def forecast(self, model: str, version: VersionName, plan: str | Json = "") -> Call[Json]:
        """What `start_rollout` would lead to with the traffic of now. Changes nothing."""
        return send("POST", at(model, "rollouts", "forecast"), json={"version": version, "plan": plan})

    @Operation
    def pause(self, model: str) -> Call[Json]:
        return _steer(model, "pause")

    @Operation
    def resume(self, model: str) -> Call[Json]:
        return _steer(model, "resume")

    @Operation
    def promote(self, model: str) -> Call[Json]:
        return _steer(model, "promote")

    @Operation
    def abort(self, model: str) -> Call[Json]:
        return _steer(model, "abort")

    # Observation and retraining

    @Operation
    def feedback(
        self,
        model: str,
        labels: Path | str | Mapping[str, Any],
        metrics: Mapping[str, Mapping[str, float]] | None = None,
    ) -> Call[Json]:
        """What came of predictions: labels by prediction id, and by name of a business metric its numbers by
        prediction id; or a Parquet or CSV file with a column `prediction_id`, and `label`, `feedback.NAME`.
        """
        if isinstance(labels, Path | str):
            labels = Path(labels)
            kind = "text/csv" if labels.suffix.lower() == ".csv" else "application/vnd.apache.parquet"
            headers, query = {"content-type": kind}, {"model": model}
            return send("POST", "/v1/feedback", query=query, headers=headers, content=labels)
        pairs = [{"prediction_id": prediction, "label": label} for prediction, label in labels.items()]
        numbers = [
            {"prediction_id": prediction, "name": name, "value": value}
            for name, by_prediction in (metrics or {}).items()
            for prediction, value in by_prediction.items()
        ]
        return send("POST", "/v1/feedback", json={"model": model, "labels": pairs, "metrics": numbers})

    @Operation
    def series(self, model: str) -> Call[Json]:
        return get(at(model, "series"))

    @Operation
    def drift(self, model: str) -> Call[Json]:
        return get(at(model, "drift"))

    @Operation
    def performance(self, model: str) -> Call[Json]:
        return get(at(model, "performance"))

    @Operation
    def retraining(self, model: str) -> Call[Json]:
        return get(at(model, "retrain"))

    @Operation
    def retrain(self, model: str, reason: str = "") -> Call[Json]:
        return send("POST", at(model, "retrain"), json={"reason": reason})

    @Operation
    def audit(
        self, model: str | None = None, *, after: int | None = None, limit: int = 100, kind: str | None = None
    ) -> Call[list[Json]]:
        """Records, oldest first: the newest `limit`, or the first `limit` behind number `after`.

        Of a kind are its parts, too: `rollout` is `rollout.start`, `rollout.promote`…
        """
        query = {"model": model, "after": after, "limit": limit, "kind": kind}
        return listed("/v1/audit", "records", query)

    @Operation
    def audit_at(self, time: str, model: str | None = None) -> Call[list[Json]]:
        """Which versions had the traffic at a time (ISO 8601 or Unix seconds), of one model or of each."""
        return listed("/v1/audit/at", "splits", {"model": model, "time": time})

    @Operation
    def audit_prediction(self, prediction: str) -> Call[Json]:
        """Which version gave an answer, who let it serve and on what evidence, and the traffic then."""
        return get("/v1/audit/predictions/" + quote(prediction))

    @Operation
    def verify(self) -> Call[Json]:
        """Check the ledger's hash chain and signed checkpoints, and the registry by it."""
        return Call("GET", "/v1/audit/verify", whole, timeout_s=LONG_S)

    @Operation
    def audit_key(self) -> Call[str]:
        """The public key of the ledger's checkpoints, in hexadecimal."""
        return Call("GET", "/v1/audit/key", lambda answer: str(answer["key"]))


def _steer(model: str, verb: str) -> Call[Json]:
    return send("POST", at(model, "rollouts", "current", verb), timeout_s=LONG_S)
