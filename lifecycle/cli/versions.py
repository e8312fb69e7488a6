"""`headrace version`: one version's evidence, and what governance decides about it."""

from typing import Annotated, Any

import typer

from lifecycle.cli.follow import follow_deployment
from lifecycle.cli.options import URL, AsJson, IfRevision, Name, Number, Url, connect
from lifecycle.cli.plans import Plan, read_plan
from lifecycle.cli.serving import placed
from lifecycle.terminal.screen import Steps, console, show_json, when
from lifecycle.terminal.tables import fields, table

app = typer.Typer(help="Look at a version, and decide about it.", no_args_is_help=True)


AllowChange = Annotated[
    bool, typer.Option("--allow-signature-change", help="Callers know that inputs or outputs change.")
]


@app.command()
def show(name: Name, number: Number, url: Url = URL, as_json: AsJson = False) -> None:
    """Show a version: where it comes from, what it takes and gives, how it was judged.

    Example: `headrace version show fraud 2`
    """
    with connect(url) as client:
        version = client.version(name, number)
        model = client.model(name)
    if as_json:
        show_json(version)
        return
    screen = console()
    screen.print(fields(pair for pair in _facts(version, model) if pair[1]))
    screen.print()
    rows = [
        (finding["name"], finding["verdict"], finding["reason"], _numbers(finding["numbers"]))
        for finding in version["evidence"]
    ]
    screen.print(
        table(["gate", "verdict", "reason", "numbers"], rows, empty="not validated yet", sentences=2)
    )


@app.command()
def validate(
    name: Name,
    number: Number,
    allow_signature_change: AllowChange = False,
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Run the gates on a version, in a process of its own; again, if they were run before.

    Example: `headrace version validate fraud 2`
    """
    steps = Steps(as_json)
    with connect(url) as client, steps.step(f"Validating version {number}", f"validated version {number}"):
        version = client.at_revision(if_revision).validate(
            name, number, allow_signature_change=allow_signature_change
        )
    _show_outcome(version, as_json)


@app.command()
def approve(
    name: Name,
    number: Number,
    comment: Annotated[str, typer.Option(help="Kept with the approval, as evidence.")] = "",
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Approve a validated version for serving.

    Example: `headrace version approve fraud 2 --comment "compared with the June audit"`
    """
    with connect(url) as client:
        version = client.at_revision(if_revision).approve(name, number, comment)
        wanted = client.policy(name)["approvals"]
    _show_outcome(version, as_json)
    if version["stage"] == "approved" and wanted and not as_json:
        console().print(f"  next: `headrace version deploy {name} {version['number']}`")
    if version["stage"] == "validated" and not as_json:
        from gateway.core.keys import KeyRole  # other commands start sooner without these
        from lifecycle.core.governance.policy import Policy
        from lifecycle.core.version import Approval

        people = ", ".join(f"{count} of role {role} or above" for role, count in wanted.items())
        policy = Policy({KeyRole(role): count for role, count in wanted.items()})
        missing = policy.missing([Approval(**given) for given in version["approvals"]])
        console().print(
            f"  it has {len(version['approvals'])} approval(s) and needs {people}; "
            f"missing: {missing} or above"
        )


@app.command()
def reject(
    name: Name, number: Number, if_revision: IfRevision = None, url: Url = URL, as_json: AsJson = False
) -> None:
    """Reject a version that has no traffic.

    Example: `headrace version reject fraud 2`
    """
    with connect(url) as client:
        version = client.at_revision(if_revision).reject(name, number)
    _show_outcome(version, as_json)


@app.command()
def retire(
    name: Name, number: Number, if_revision: IfRevision = None, url: Url = URL, as_json: AsJson = False
) -> None:
    """Retire a version that no longer has traffic.

    Example: `headrace version retire fraud 1`
    """
    with connect(url) as client:
        version = client.at_revision(if_revision).retire(name, number)
    _show_outcome(version, as_json)


@app.command()
def deploy(
    name: Name,
    number: Number,
    plan: Plan = "",
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Bring a version into traffic: at once if it is the model's first, else by a rollout.

    Example: `headrace version deploy fraud 2 --plan cautious`
    """
    with connect(url) as client:
        held = client.at_revision(if_revision)
        answer = follow_deployment(held, name, number, read_plan(plan), Steps(as_json))
    if as_json:
        show_json(answer)


def role_of(model: dict[str, Any], number: int) -> str:
    """What a version does with live traffic; empty for nothing."""
    if model["champion"] == number:
        return "champion"
    if model["weights"].get(str(number)):
        return "canary"
    if number in model["shadows"]:
        return "shadow"
    return "held" if number in model["held"] else ""


def _facts(version: dict[str, Any], model: dict[str, Any]) -> list[tuple[str, object]]:
    lineage, number, signed = version["lineage"], version["number"], version["package_signature"]
    called = (name for name, meant in sorted(model["aliases"].items()) if meant == number)
    return [
        ("version", f"{version['model']} {version['number']}"),
        ("stage", version["stage"]),
        ("role", role_of(model, number)),
        ("placement", f"{model['placement']} → {placed(version)}"),
        ("also called", ", ".join(called)),
        ("tags", tags(version["description"]["tags"])),
        ("owner", version["description"]["owner"]),
        ("registered", f"{when(version['created_at'])} UTC by {version['submitter']}"),
        ("cause", lineage["cause"]),
        ("parent", lineage["parent"]),
        ("recipe", lineage["recipe"]),
        ("run", lineage["run"]),
        ("code", lineage["code"]),
        *(("approved", _approval(approval)) for approval in version["approvals"]),
        ("retired", f"{when(version['retired_at'])} UTC" if version["retired_at"] else ""),
        ("digest", version["digest"]),
        ("package", signed and f"signed by {signed['signer']}, checked {when(signed['verified_at'])} UTC"),
        ("reference", _reference(version)),
        ("takes", _tensors(version["signature"]["inputs"])),
        ("gives", _tensors(version["signature"]["outputs"])),
        ("within", " ".join(version["output_ranges"])),
    ]


def _reference(version: dict[str, Any]) -> str:
    told = {
        "data": "its reference data",
        "live": f"the first {version['live_rows']} rows of its live traffic",
        "none": "none yet: drift cannot be judged",
    }
    return told[version["reference_source"]]


def tags(found: dict[str, str]) -> str:
    """`name=value`, or the name alone where there is no value."""
    return ", ".join(f"{name}={value}" if value else name for name, value in sorted(found.items()))


def _approval(approval: dict[str, Any]) -> str:
    by = f"by {approval['by']}" + (f" ({approval['role']})" if approval["role"] else "")
    told = f": {approval['comment']}" if approval["comment"] else ""
    return f"{when(approval['at'])} UTC {by}{told}".strip()


def _numbers(numbers: dict[str, float | None]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in numbers.items() if value is not None)


def _tensors(specs: list[dict[str, Any]]) -> str:
    return ", ".join(f"{spec['name']} {spec['datatype']}{spec['shape']}" for spec in specs)


def _show_outcome(version: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(version)
    else:
        console().print(f"{version['model']} version {version['number']} is {version['stage']}")
