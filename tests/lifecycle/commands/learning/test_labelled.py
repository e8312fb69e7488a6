from dataclasses import replace

import pyarrow as pa

from lifecycle.commands.learning.labelled import MOST_ROWS, held_out
from lifecycle.core.version import Version
from tests.lifecycle.world import version


def reading(columns: dict[str, object]) -> tuple[Version, pa.Table]:
    return replace(version(1), reference="somewhere"), pa.table(dict(columns))


def test_only_rows_that_a_version_was_kept_from_can_be_frozen() -> None:
    own, table = reading({"inputs.x": [1, 2, 3], "label": [4, 5, 6], "holdout": [True, None, False]})
    rows = held_out(own, lambda _: table)
    assert rows is not None
    assert rows.to_pydict() == {"inputs.x": [1], "label": [4]}


def test_no_labels_and_no_such_rows_are_nothing_to_freeze() -> None:
    own, bare = reading({"inputs.x": [1], "holdout": [True]})
    assert held_out(own, lambda _: bare) is None
    own, learnt = reading({"inputs.x": [1], "label": [1], "holdout": [False]})
    assert held_out(own, lambda _: learnt) is None
    assert held_out(version(1), lambda _: learnt) is None


def test_of_many_some_are_taken_at_even_distances() -> None:
    many = list(range(4 * MOST_ROWS))
    own, table = reading({"inputs.x": list(many), "label": list(many), "holdout": [True] * len(many)})
    rows = held_out(own, lambda _: table)
    assert rows is not None
    assert (rows.num_rows, rows["label"][0].as_py(), rows["label"][-1].as_py()) == (MOST_ROWS, 0, many[-1])
