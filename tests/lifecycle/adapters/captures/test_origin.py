"""An answer and its shadows, from rows as the capture log keeps them."""

import pyarrow as pa

from lifecycle.adapters.captures.origin import origin_of


def rows(*roles: str, **outputs: list[object]) -> pa.Table:
    columns = {f"outputs.{name}": values for name, values in outputs.items()}
    n = len(roles)
    return pa.table(
        {
            "prediction_id": ["p/0"] * n,
            "at": [float(i) for i in range(n)],
            "version": list(range(1, n + 1)),
            "role": list(roles),
            **columns,
        }
    )


def test_only_an_answer_that_a_caller_saw_counts() -> None:
    assert origin_of("m", rows("shadow")) is None
    found = origin_of("m", rows("pinned", "canary"))
    assert found is not None
    assert (found.model, found.version, found.role, found.at) == ("m", 1, "pinned", 0.0)
    assert found.shadows == ()


def test_outputs_that_one_side_lacks_are_left_out() -> None:
    found = origin_of("m", rows("champion", "shadow", "shadow", y=[[1.0], [1.5], None], z=[7, None, 7]))
    assert found is not None
    near, none = found.shadows
    assert (near.version, near.differs, near.distances) == (2, True, {"y": 0.5})
    assert (none.version, none.differs, list(none.outputs)) == (3, False, ["z"])
