"""Drift on data whose answer is known: NannyML's synthetic sets, in which traffic changes half way.

    python -m benchmarks.statistics.known_drift

Each chunk of 5,000 or 6,000 rows is compared with the reference as live traffic is. Nothing may be told
before the change, and something in the first chunk after it; of the car loans, all features that were changed
and none that were not. Exits with 1 if not.
"""

import argparse
import sys

import numpy as np

from benchmarks.statistics.nannyml_data import SOURCES, Rows, load
from benchmarks.statistics.table import Table
from gateway.core.profile import Profile
from gateway.core.types import Array
from lifecycle.core.drift.live import LiveCounts
from lifecycle.core.drift.report import DriftReport

ALPHA, FLOOR = 0.05, 0.03
CHANGED = {
    "car_loan": {"car_value", "loan_length", "repaid_loan_on_prev_car", "salary_range"},
    "multiclass": {"credit_bureau_score", "app_channel", "stated_income"},
    "regression": set[str](),
}
"""What must be told of in the first chunk."""

QUIET = {"debt_to_income_ratio", "size_of_downpayment", "driver_tenure"}


def tensors(rows: Rows) -> tuple[dict[str, Array], dict[str, Array]]:
    """Inputs and outputs as a gateway would see them: categories are text."""
    inputs: dict[str, Array] = {}
    for name, column in rows.features.items():
        if name in rows.categorical:
            text = np.empty((len(column), 1), np.object_)
            text[:, 0] = [str(code).encode() for code in column.tolist()]
            inputs[name] = text
        else:
            inputs[name] = column[:, None]
    scores = rows.scores if rows.scores.size else rows.predicted[:, None]
    return inputs, {"answer": scores if scores.shape[1] != 2 else scores[:, 1:]}


def reports(reference: Rows, chunks: list[Rows]) -> list[DriftReport]:
    profile = Profile.of(*tensors(reference))
    found = []
    for rows in chunks:
        live = LiveCounts(profile)
        live.add(profile.count(*tensors(rows)))
        report = live.judge(ALPHA, FLOOR)
        assert report is not None
        found.append(report)
    return found


def named(report: DriftReport) -> set[str]:
    return {feature.name.partition("[")[0] for feature in report.drifted}


def main() -> int:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    table = Table()
    for name, changed in CHANGED.items():
        reference, analysis = load(name)
        chunks = analysis.chunks(SOURCES[name].chunk)
        half = len(chunks) // 2
        found = reports(reference, chunks)
        table.heading(
            f"{name}: {len(found[0].features)} features, change after {half} of {len(chunks)} chunks"
        )
        early = [named(report) for report in found[:half] if report.drifted]
        late = sum(bool(report.drifted) for report in found[half:])
        table.check("alarms before the change", "0", str(len(early)), not early)
        table.check(
            "chunks with an alarm after it", f"{len(chunks) - half}", f"{late}", bool(found[half].drifted)
        )
        told = named(found[half])
        missing, wrong = changed - told, told & QUIET
        if changed:
            table.check(
                "changed features that are missed", "none", ", ".join(sorted(missing)) or "none", not missing
            )
        if name == "car_loan":
            table.check(
                "quiet features that are told of", "none", ", ".join(sorted(wrong)) or "none", not wrong
            )
        largest = ", ".join(f"{f.name.partition('[')[0]} {f.effect:.2f}" for f in found[half].drifted[:4])
        print(f"  told, largest effect (PSI) first: {largest}")
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
