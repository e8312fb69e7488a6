"""The words of the SDK about keys, models and versions. Says what to send and sends nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from lifecycle.client.operation import LONG_S, Operation, VersionName, at, get, listed, send, whole
from lifecycle.client.wire import Call, Json


class RegistryOperations:
    """What can be asked of the registry. Every method raises LifecycleError."""

    # Keys

    @Operation
    def keys(self) -> Call[list[Json]]:
        return listed("/v1/keys", "keys")

    @Operation
    def create_key(
        self,
        name: str,
        role: str,
        *,
        models: Sequence[str] = (),
        expires_s: float | None = None,
        subject: str = "",
        owner: str = "",
    ) -> Call[Json]:
        """A new key; `secret` in the answer is told only now. See `headrace key create --help`."""
        body = {"name": name, "role": role, "models": list(models), "expires_s": expires_s}
        body |= {field: text for field, text in (("subject", subject), ("owner", owner)) if text}
        return send("POST", "/v1/keys", json=body)

    @Operation
    def revoke_key(self, name: str) -> Call[Json]:
        return send("DELETE", "/v1/keys/" + quote(name, safe=""))

    # Models and versions

    @Operation
    def models(self, search: str = "", *, after: str = "", limit: int = 10_000) -> Call[list[Json]]:
        """By name: those with `search` in it, from behind the name `after` on."""
        params = {"search": search, "after": after, "limit": limit}
        return listed("/v1/models", "models", params)

    @Operation
    def model(self, name: str) -> Call[Json]:
        return get(at(name))

    @Operation
    def policy(self, model: str) -> Call[Json]:
        """What the model's versions must show before they may serve, and what holds its traffic now."""
        return get(at(model, "policy"))

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
        artifact: Path | str,
        *,
        number: int | None = None,
        reference: Path | str | None = None,
        golden: Path | str | None = None,
        signature: Path | str | None = None,
        recipe: str = "",
        parent: int | None = None,
        run: str = "",
        code: str = "",
        data_digest: str = "",
        placement: str = "",
        output_ranges: Sequence[str] = (),
    ) -> Call[Json]:
        """Upload an ONNX file as a new version.

        Args:
            number: the next free one if not given.
            reference: Parquet rows of training data, columns `inputs.<tensor>` and maybe `label`.
            golden: Parquet rows with the `outputs.<tensor>` that they must give.
            signature: OpenSSF Model Signing file of the artifact; `headrace model sign` makes one.
            recipe: `module:function` that retrains the model.
            parent: the version that it was made from.
            run, code, data_digest: the training run, what it ran, and the digest of what it learnt from.
            placement: where a new model's versions run: `auto`, `inline`, `pool` or `dedicated`.
            output_ranges: what outputs lie in, e.g. `score=0..1`; an answer outside counts as invalid.
        """
        form: dict[str, str | list[str]] = {"recipe": recipe, "run": run, "code": code}
        form |= {"data_digest": data_digest, "output_range": list(output_ranges)}
        named = (("number", number), ("parent", parent), ("placement", placement))
        form |= {name: str(value) for name, value in named if value}
        given = {"artifact": artifact, "reference": reference, "golden": golden, "signature": signature}
        files = {part: Path(path) for part, path in given.items() if path is not None}
        return send("POST", at(model, "versions"), data=form, files=files, timeout_s=LONG_S)

    @Operation
    def validate(self, model: str, number: VersionName, allow_signature_change: bool = False) -> Call[Json]:
        """Run the gates; raises REFUSED if the version does not pass, CONFLICT if it waits for evidence."""
        return _act(model, number, "validate", {"allow_signature_change": allow_signature_change})

    @Operation
    def freeze_holdout(self, model: str, rows: Path | str) -> Call[Json]:
        """Judge all versions on these labelled rows from now on."""
        return send("PUT", at(model, "holdout"), files={"rows": Path(rows)}, timeout_s=LONG_S)

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

    @Operation
    def collect(self, *, dry_run: bool = False) -> Call[Json]:
        """Remove files from the artifact store that nothing needs any more, by the retention rule."""
        query = {"dry_run": dry_run}
        return Call("POST", "/v1/artifacts/collect", whole, query, timeout_s=LONG_S)


def _act(model: str, number: VersionName, verb: str, json: Json | None = None) -> Call[Json]:
    return send("POST", at(model, "versions", number, verb), json=json, timeout_s=LONG_S)
