"""The ledger, as JSON."""

import numpy as np

from lifecycle.api.schemas.ledger import LedgerOut, RecordOut, ShadowAnswerOut
from lifecycle.commands.governance.audit import Audit
from lifecycle.core.governance.ledger import Head, Problem, seal
from lifecycle.ports import ShadowAnswer


def test_a_record_keeps_all_that_its_hash_covers() -> None:
    record = seal(Head(), 1.5, "ann", "kind", "m", {"deep": {"list": [1, None]}})
    assert RecordOut.of(record).model_dump() == record.as_json()


def test_a_problem_is_a_reason() -> None:
    whole = LedgerOut.of(Audit(3, Head(3, "ab"), None))
    broken = LedgerOut.of(Audit(3, Head(3, "ab"), Problem(2, "record 2 was altered")))
    assert (whole.ok, whole.reason, whole.seq) == (True, "", 3)
    assert (broken.ok, broken.reason) == (False, "the ledger is not whole: record 2 was altered")


def test_a_shadows_answer_is_json_whatever_it_holds() -> None:
    outputs = {
        "label": np.array([b"caf\xc3\xa9"], np.object_),
        "p": np.array([[0.5, np.inf]], np.float32),
        "n": np.array([3]),
    }
    shown = ShadowAnswerOut.of(ShadowAnswer(2, 1.0, outputs, True, {"p": float("inf"), "n": 0.0}))
    assert shown.outputs == {"label": "café", "p": [0.5, None], "n": 3}
    assert shown.distances == {"p": None, "n": 0.0}
