"""Where an answer came from, read from its captured rows, and what shadows answered to the same request."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gateway.core.disagreement import compare
from gateway.core.types import Array, Role
from lifecycle.ports import Origin, ShadowAnswer
from lifecycle.tensors import to_array

OUTPUTS = "outputs."


def origin_of(model: str, rows: pa.Table) -> Origin | None:
    """None if no row is of an answer that a caller saw. Of several such rows, the first one's.

    Args:
        rows: captured rows of one prediction in any role, with their outputs.
    """
    shadowed = pc.equal(rows["role"], pa.scalar(Role.SHADOW.value))
    seen = rows.filter(pc.invert(shadowed)).slice(0, 1)
    if not seen.num_rows:
        return None
    first = _key(seen)
    copies = rows.filter(
        pc.and_(shadowed, pc.equal(rows["prediction_id"], pa.scalar(first["prediction_id"])))
    )
    answer = _outputs(seen)
    shadows = tuple(_shadow(copies.slice(at, 1), answer) for at in range(copies.num_rows))
    return Origin(model, first["version"], first["role"], first["at"], shadows)


def _shadow(row: pa.Table, answer: dict[str, Array]) -> ShadowAnswer:
    outputs = _outputs(row)
    both = {name: array for name, array in answer.items() if name in outputs}
    comparison = compare(both, outputs, 1)
    distances = {name: float(values[0]) for name, values in comparison.distances.items()}
    key = _key(row)
    return ShadowAnswer(key["version"], key["at"], outputs, bool(comparison.differs[0]), distances)


def _key(row: pa.Table) -> dict[str, Any]:
    found: dict[str, Any] = row.select(["prediction_id", "at", "version", "role"]).to_pylist()[0]
    return found


def _outputs(row: pa.Table) -> dict[str, Array]:
    """Tensors of one row, each with a first dimension of 1; those that it does not have are left out."""
    names = [name for name in row.column_names if name.startswith(OUTPUTS)]
    return {name.removeprefix(OUTPUTS): to_array(row[name]) for name in names if not row[name].null_count}
