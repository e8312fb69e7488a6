"""The words of the SDK: one method per request, for both clients. Says what to send and sends nothing.

Answers are the admin API's JSON objects.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lifecycle.operation import Operation, VersionName, at, get, listed, send, whole
from lifecycle.wire import Call, Json

LONG_S = 1800.0
"""Validation and deployment answer when they are done."""


class Operations:
    """What can be asked of a controller. Every method raises LifecycleError."""

    @Operation
    def status(self) -> Call[Json]:
        return get("/v1/status")

    @Operation
    def ready(self) -> Call[bool]:
        return Call("GET", "/v1/ready", lambda answer: bool(answer["ready"]))

    # Keys

    @Operation
    def keys(self) -> Call[list[Json]]:
        return listed("/v1/keys", "keys")

    @Operation
    def create_key(
        self, name: str, role: str, *, models: Sequence[str] = (), expires_s: float | None = None
    ) -> Call[Json]:
        """A new key; `secret` in the answer is told only now. See `headrace key create --help`."""
        body = {"name": name, "role": role, "models": list(models), "expires_s": expires_s}
        return send("POST", "/v1/keys", json=body)

    @Operation
    def revoke_key(self, name: str) -> Call[Json]:
        return send("DELETE", "/v1/keys/" + quote(name, safe=""))

    # Models and versions

    @Operation
    def models(self) -> Call[list[Json]]:
        return listed("/v1/models", "models")

    @Operation
    def model(self, name: str) -> Call[Json]:
        return get(at(name))

    @Operation
    def versions(self, model: str) -> Call[list[Json]]:
        return listed(at(model, "versions"), "versions")

    @Operation
    def version(self, model: str, number: VersionName) -> Call[Json]:
        return get(at(model, "versions", number))

    @Operation
    def register(
        self,
        model: str,
        artifact: Path,
        *,
        number: int | None = None,
        reference: Path | None = None,
        recipe: str = "",
        parent: int | None = None,
        run: str = "",
        code: str = "",
        data_digest: str = "",
        placement: str = "",
    ) -> Call[Json]:
        """Upload an ONNX file as a new version.

        Args:
            number: the next free one if not given.
            reference: Parquet file of training data, columns `inputs.<tensor>` and maybe `label`.
            recipe: `module:function` that retrains the model.
            parent: the version that it was made from.
            run, code, data_digest: the training run, what it ran, and the digest of what it learnt from.
            placement: where a new model's versions run: `auto`, `inline`, `pool` or `dedicated`.
        """
        form = {"recipe": recipe, "run": run, "code": code, "data_digest": data_digest}
        named = (("number", number), ("parent", parent), ("placement", placement))
        form |= {name: str(value) for name, value in named if value}
        given = {"artifact": artifact, "reference": reference}
        files = {part: path for part, path in given.items() if path is not None}
        return send("POST", at(model, "versions"), data=form, files=files, timeout_s=LONG_S)

    @Operation
    def validate(self, model: str, number: VersionName) -> Call[Json]:
        """Run the gates; raises REFUSED if the version does not pass."""
        return _act(model, number, "validate")

    @Operation
    def approve(self, model: str, number: VersionName, comment: str = "") -> Call[Json]:
        """Approve, or give one of the approvals that the version needs; the comment is kept."""
        return _act(model, number, "approve", {"comment": comment})

    @Operation
    def reject(self, model: str, number: VersionName) -> Call[Json]:
        return _act(model, number, "reject")

    @Operation
    def retire(self, model: str, number: VersionName) -> Call[Json]:
        return _act(model, number, "retire")

    @Operation
    def deploy(self, model: str, number: VersionName, plan: str | Json = "") -> Call[Json]:
        """All traffic for a model's first version, a rollout by `plan` for a later one."""
        path = at(model, "versions", number, "deploy")
        return send("POST", path, json={"plan": plan}, timeout_s=LONG_S)

    @Operation
    def describe(
        self,
        model: str,
        number: VersionName,
        *,
        owner: str | None = None,
        intended_use: str | None = None,
        limitations: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        metrics: Mapping[str, float | None] | None = None,
    ) -> Call[Json]:
        """Say something of a version. What is left out stays; a tag or metric that is None goes."""
        said = {"owner": owner, "intended_use": intended_use, "limitations": limitations}
        body = said | {"tags": dict(tags or {}), "metrics": dict(metrics or {})}
        return send("PATCH", at(model, "versions", number), json=body)

    @Operation
    def card(self, model: str, number: VersionName) -> Call[Json]:
        """The version's model card, as `markdown` and as `html`."""
        return get(at(model, "versions", number, "card"))

    @Operation
    def set_alias(self, model: str, alias: str, version: VersionName) -> Call[Json]:
        """Let a name stand for a version."""
        return send("PUT", at(model, "aliases", alias), json={"version": version})

    @Operation
    def remove_alias(self, model: str, alias: str) -> Call[Json]:
        return send("DELETE", at(model, "aliases", alias))

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
        if_revision: int | None = None,
        dry_run: bool = False,
    ) -> Call[Json]:
        """Percent by version, summing to 100; shadows stay unless given. STALE if not at `if_revision`."""
        kept = None if shadows is None else list(shadows)
        body = {"weights": dict(weights), "shadows": kept, "dry_run": dry_run}
        headers = {} if if_revision is None else {"if-match": f'"{if_revision}"'}
        return send("PUT", at(model, "traffic"), json=body, headers=headers, timeout_s=LONG_S)

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
    def feedback(self, model: str, labels: Path | Mapping[str, Any]) -> Call[Json]:
        """Labels by prediction id, or a Parquet or CSV file with columns `prediction_id` and `label`."""
        if isinstance(labels, Path):
            kind = "text/csv" if labels.suffix.lower() == ".csv" else "application/vnd.apache.parquet"
            headers, query = {"content-type": kind}, {"model": model}
            return send("POST", "/v1/feedback", query=query, headers=headers, content=labels)
        pairs = [{"prediction_id": prediction, "label": label} for prediction, label in labels.items()]
        return send("POST", "/v1/feedback", json={"model": model, "labels": pairs})

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
        self, model: str | None = None, *, after: int | None = None, limit: int = 100
    ) -> Call[list[Json]]:
        """Records, oldest first: the newest `limit`, or the first `limit` behind number `after`."""
        query = {"model": model, "after": after, "limit": limit}
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
        """Check the ledger's hash chain and its signed checkpoints."""
        return Call("GET", "/v1/audit/verify", whole, timeout_s=LONG_S)

    @Operation
    def audit_key(self) -> Call[str]:
        """The public key of the ledger's checkpoints, in hexadecimal."""
        return Call("GET", "/v1/audit/key", lambda answer: str(answer["key"]))


def _act(model: str, number: VersionName, verb: str, json: Json | None = None) -> Call[Json]:
    return send("POST", at(model, "versions", number, verb), json=json, timeout_s=LONG_S)


def _steer(model: str, verb: str) -> Call[Json]:
    return send("POST", at(model, "rollouts", "current", verb), timeout_s=LONG_S)
