"""A ledger in a file is whole, or it is said which record is not."""

import json
from pathlib import Path

import pytest

from lifecycle.cli.ledger_file import check
from lifecycle.core.governance.ledger import Head, seal
from lifecycle.errors import LifecycleError


def test_a_file_is_whole_only_with_every_record_in_its_place(tmp_path: Path) -> None:
    first = seal(Head(), 1.0, "ann", "model.created", "m", {})
    second = seal(first.head, 2.0, "bob", "traffic.set", "m", {"weights": {"1": 100.0}})
    lines = [json.dumps(record.as_json()) for record in (first, second)]
    path = tmp_path / "ledger.jsonl"
    path.write_text("\n".join(lines))
    assert check(path) == second
    for changed, told in ((lines[1:], "record 1 is missing"), (lines[::-1], "record 1"), ([], "no record")):
        path.write_text("\n".join(changed))
        with pytest.raises(LifecycleError, match=told):
            check(path)
