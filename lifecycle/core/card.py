"""A version's model card: all that is known of it and all that people say of it, in sections.

After Mitchell et al., "Model Cards for Model Reporting" (2019). Knows no markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.core.signature import TensorSpec
from lifecycle.core.alias import aliases
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Model, Version

UNSAID = "not stated"
_SOURCES = {"none": "", "data": "its reference data", "live": "the first {rows} rows of its live traffic"}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading over a text, or over a table whose rows are as long as its `columns`."""

    title: str
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A version's card, section by section."""

    title: str
    sections: tuple[Section, ...]


def card(model: Model, version: Version, rollouts: Iterable[Rollout]) -> Card:
    """The card as it stands now. `rollouts` are the version's own."""
    said = version.description
    return Card(
        f"{version.model} version {version.number}",
        (
            _table("Version", ("", ""), _facts(model, version)),
            Section("Owner", said.owner or UNSAID),
            Section("Intended use", said.intended_use or UNSAID),
            Section("Limitations", said.limitations or UNSAID),
            _table("Inputs", ("name", "datatype", "shape"), map(_tensor, version.signature.inputs)),
            _table("Outputs", ("name", "datatype", "shape"), map(_tensor, version.signature.outputs)),
            _table("What outputs must lie in", ("", ""), _ranges(version)),
            _table("Where it comes from", ("", ""), _origin(version)),
            _table(
                "Metrics", ("metric", "value"), ((name, f"{x:g}") for name, x in sorted(said.metrics.items()))
            ),
            _table(
                "Evidence",
                ("gate", "verdict", "reason"),
                ((found.name, str(found.verdict), found.reason) for found in version.evidence),
            ),
            _table(
                "Approvals",
                ("by", "role", "at (UTC)", "comment"),
                ((yes.by, yes.role, when(yes.at), yes.comment) for yes in version.approvals),
            ),
            _table(
                "Rollouts",
                ("started (UTC)", "by", "plan", "state", "reason"),
                (
                    (when(one.started_at), one.started_by, one.plan.name, str(one.phase), one.reason)
                    for one in rollouts
                ),
            ),
        ),
    )


def when(seconds: float) -> str:
    """Unix seconds as UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _facts(model: Model, version: Version) -> Sequence[tuple[str, str]]:
    signed = version.package_signature
    called = [name for name, number in sorted(aliases(model).items()) if number == version.number]
    tags = [f"{name}={value}" if value else name for name, value in sorted(version.description.tags.items())]
    return (
        ("stage", str(version.stage)),
        ("also called", ", ".join(called)),
        ("share of the traffic", f"{dict(model.weights).get(version.number, 0.0):g} %"),
        ("tags", ", ".join(tags)),
        ("registered", f"{when(version.created_at)} UTC by {version.submitter}"),
        ("retired", f"{when(version.retired_at)} UTC" if version.retired_at else ""),
        ("artifact", version.digest),
        ("package signed by", f"{signed.signer} ({signed.signer_digest})" if signed else ""),
        ("signature checked", f"{when(signed.verified_at)} UTC" if signed else ""),
    )


def _origin(version: Version) -> Sequence[tuple[str, str]]:
    lineage = version.lineage
    return (
        ("cause", lineage.cause),
        ("ledger record of the cause", str(lineage.record or "")),
        ("parent version", str(lineage.parent or "")),
        ("training run", lineage.run),
        ("recipe", lineage.recipe),
        ("code", lineage.code),
        ("training data", lineage.data_digest),
        ("reference profile", version.profile_digest or "none: drift cannot be judged"),
        ("taken of", _SOURCES[version.source].format(rows=version.live_rows)),
    )


def _ranges(version: Version) -> Sequence[tuple[str, str]]:
    return [(declared.output, str(declared).partition("=")[2]) for declared in version.ranges]


def _tensor(spec: TensorSpec) -> tuple[str, ...]:
    shape = ", ".join("any" if size < 0 else str(size) for size in spec.shape)
    return spec.name, spec.datatype, f"[{shape}]"


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Section:
    """Rows that say nothing are left out, and so is a table without any."""
    kept = tuple(row for row in rows if any(row[1:]))
    return Section(title, columns=columns, rows=kept) if kept else Section(title, "none")
