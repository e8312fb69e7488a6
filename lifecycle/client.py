"""The Python SDK: the command line's words as methods. Answers are the admin API's JSON objects.

Must never import the server's side.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote

import httpx

from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.wire import DEFAULT_URL as DEFAULT_URL
from lifecycle.wire import Json as Json
from lifecycle.wire import Wire

LONG_S = 1800.0
"""Validation and deployment answer when they are done."""


class Client:
    """A connection to one controller. Use as a context manager, or call `close`.

    Every method raises LifecycleError: the controller's own, or UNAVAILABLE if none answers.
    Args:
        url: the admin API, e.g. `http://127.0.0.1:8002`; a private CA goes into the `transport`.
        actor: written to the ledger as who did it, where identity is off.
        key: the API key's secret; the environment's HEADRACE_KEY if not given.
        timeout_s: for one answer; validate, deploy, promote and retrain wait longer.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        actor: str = "local",
        key: str | None = None,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._wire = Wire(self.url, actor, key, timeout_s, transport)
        self._get, self._call = self._wire.get, self._wire.call

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._wire.close()

    def status(self) -> Json:
        return self._get("/v1/status")

    def ready(self) -> bool:
        return bool(self._get("/v1/ready")["ready"])

    # Keys

    def keys(self) -> list[Json]:
        return cast(list[Json], self._get("/v1/keys")["keys"])

    def create_key(
        self, name: str, role: str, *, models: Sequence[str] = (), expires_s: float | None = None
    ) -> Json:
        """A new key; `secret` in the answer is told only now. See `headrace key create --help`."""
        body = {"name": name, "role": role, "models": list(models), "expires_s": expires_s}
        return self._call("POST", "/v1/keys", json=body)

    def revoke_key(self, name: str) -> Json:
        return self._call("DELETE", "/v1/keys/" + quote(name, safe=""))

    # Models and versions

    def models(self) -> list[Json]:
        return cast(list[Json], self._get("/v1/models")["models"])

    def model(self, name: str) -> Json:
        return self._get(_at(name))

    def versions(self, model: str) -> list[Json]:
        return cast(list[Json], self._get(_at(model, "versions"))["versions"])

    def version(self, model: str, number: int) -> Json:
        return self._get(_at(model, "versions", number))

    def register(
        self,
        model: str,
        artifact: Path,
        *,
        number: int | None = None,
        reference: Path | None = None,
        recipe: str = "",
    ) -> Json:
        """Upload an ONNX file as a new version.

        Args:
            number: the next free one if not given.
            reference: Parquet file of training data, columns `inputs.<tensor>` and maybe `label`.
            recipe: `module:function` that retrains the model.
        """
        form = {"recipe": recipe} | ({} if number is None else {"number": str(number)})
        with ExitStack() as open_files:
            paths = {"artifact": artifact, "reference": reference}
            files = {
                part: (path.name, open_files.enter_context(_open(path)))
                for part, path in paths.items()
                if path is not None
            }
            return self._call("POST", _at(model, "versions"), data=form, files=files, timeout=LONG_S)

    def validate(self, model: str, number: int) -> Json:
        """Run the gates; raises REFUSED if the version does not pass."""
        return self._act(model, number, "validate")

    def approve(self, model: str, number: int) -> Json:
        return self._act(model, number, "approve")

    def reject(self, model: str, number: int) -> Json:
        return self._act(model, number, "reject")

    def retire(self, model: str, number: int) -> Json:
        return self._act(model, number, "retire")

    def deploy(self, model: str, number: int, plan: str | Json = "") -> Json:
        """All traffic for a model's first version, a rollout by `plan` for a later one."""
        path = _at(model, "versions", number, "deploy")
        return self._call("POST", path, json={"plan": plan}, timeout=LONG_S)

    def _act(self, model: str, number: int, verb: str) -> Json:
        return self._call("POST", _at(model, "versions", number, verb), timeout=LONG_S)

    # Traffic

    def traffic(self, model: str) -> Json:
        return self._get(_at(model, "traffic"))

    def set_traffic(
        self,
        model: str,
        weights: Mapping[int, float],
        *,
        shadows: Sequence[int] | None = None,
        if_revision: int | None = None,
        dry_run: bool = False,
    ) -> Json:
        """Percent by version, summing to 100; shadows stay unless given. STALE if not at `if_revision`."""
        kept = None if shadows is None else list(shadows)
        body = {"weights": dict(weights), "shadows": kept, "dry_run": dry_run}
        headers = {} if if_revision is None else {"if-match": f'"{if_revision}"'}
        return self._call("PUT", _at(model, "traffic"), json=body, headers=headers, timeout=LONG_S)

    def set_limits(self, model: str, **limits: int) -> Json:
        """`max_concurrency` and `max_queue` of each worker; 0, or left out, is no limit."""
        return self._call("PUT", _at(model, "limits"), json=limits, timeout=LONG_S)

    def rollback(self, model: str) -> Json:
        return self._call("POST", _at(model, "rollback"), timeout=LONG_S)

    # Rollouts

    def rollouts(self, model: str) -> list[Json]:
        """Newest first."""
        return cast(list[Json], self._get(_at(model, "rollouts"))["rollouts"])

    def rollout(self, model: str) -> Json:
        """The latest one; NOT_FOUND if there never was any."""
        return self._get(_at(model, "rollouts", "current"))

    def start_rollout(self, model: str, version: int, plan: str | Json = "") -> Json:
        """`plan` is a preset's name or a plan as a JSON object."""
        return self._call("POST", _at(model, "rollouts"), json={"version": version, "plan": plan})

    def pause(self, model: str) -> Json:
        return self._steer(model, "pause")

    def resume(self, model: str) -> Json:
        return self._steer(model, "resume")

    def promote(self, model: str) -> Json:
        return self._steer(model, "promote")

    def abort(self, model: str) -> Json:
        return self._steer(model, "abort")

    def _steer(self, model: str, verb: str) -> Json:
        return self._call("POST", _at(model, "rollouts", "current", verb), timeout=LONG_S)

    # Observation and retraining

    def feedback(self, model: str, labels: Path | Mapping[str, Any]) -> Json:
        """Labels by prediction id, or a Parquet or CSV file with columns `prediction_id` and `label`."""
        if isinstance(labels, Path):
            kind = "text/csv" if labels.suffix.lower() == ".csv" else "application/vnd.apache.parquet"
            with _open(labels) as file:
                content, headers = file.read(), {"content-type": kind}
            return self._call(
                "POST", "/v1/feedback", params={"model": model}, content=content, headers=headers
            )
        pairs = [{"prediction_id": prediction, "label": label} for prediction, label in labels.items()]
        return self._call("POST", "/v1/feedback", json={"model": model, "labels": pairs})

    def series(self, model: str) -> Json:
        return self._get(_at(model, "series"))

    def drift(self, model: str) -> Json:
        return self._get(_at(model, "drift"))

    def performance(self, model: str) -> Json:
        return self._get(_at(model, "performance"))

    def retraining(self, model: str) -> Json:
        return self._get(_at(model, "retrain"))

    def retrain(self, model: str, reason: str = "") -> Json:
        return self._call("POST", _at(model, "retrain"), json={"reason": reason})

    def audit(self, model: str | None = None, *, after: int | None = None, limit: int = 100) -> list[Json]:
        """Records, oldest first: the newest `limit`, or the first `limit` behind number `after`."""
        found = self._get("/v1/audit", {"model": model, "after": after, "limit": limit})["records"]
        return cast(list[Json], found)

    def audit_at(self, model: str, time: str) -> Json:
        """Which versions had the model's traffic at a time (ISO 8601 or Unix seconds)."""
        return self._get("/v1/audit/at", {"model": model, "time": time})

    def audit_prediction(self, prediction: str) -> Json:
        """Which version gave an answer, who let it serve and on what evidence, and the traffic then."""
        return self._get("/v1/audit/predictions/" + quote(prediction))

    def verify(self) -> Json:
        """Check the ledger's hash chain and its signed checkpoints."""
        return self._call("GET", "/v1/audit/verify", timeout=LONG_S)

    def audit_key(self) -> str:
        """The public key of the ledger's checkpoints, in hexadecimal."""
        return str(self._get("/v1/audit/key")["key"])

    def events(self, after: int | None = None) -> Iterator[Json]:
        """New ledger records as they are written, without end."""
        params = {} if after is None else {"after": str(after)}
        for line in self._wire.lines("/v1/events", params):
            if line.startswith("data: "):
                yield cast(Json, json.loads(line.removeprefix("data: ")))


def _at(*parts: str | int) -> str:
    return "/v1/models/" + "/".join(quote(str(part), safe="") for part in parts)


def _open(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise LifecycleError(LifecycleCode.INVALID, f"cannot read {path}: {error.strerror}") from None
