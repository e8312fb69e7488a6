import numpy as np

from lifecycle.core.gates.slices import slices
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Verdict

RNG = np.random.default_rng(3)
REGION = np.array([b"north", b"south"] * 1_000, np.object_)
TRUTH = RNG.integers(0, 2, 2_000)


def compared(broken: str = "", rows: int = 2_000) -> Answers:
    """Both versions err on one row in ten; the new one on half of the rows of the broken region."""
    own, champion = (np.where(RNG.random(2_000) < 0.1, 1 - TRUTH, TRUTH) for _ in range(2))
    hit = (broken.encode() == REGION) & (RNG.random(2_000) < 0.5)
    own = np.where(hit, 1 - TRUTH, own)
    return Answers(
        outputs={"y": own[:rows]},
        beside={"y": champion[:rows]},
        labels=TRUTH[:rows],
        slices={"region": REGION[:rows]},
    )


def test_a_group_that_fares_worse_fails_by_its_name() -> None:
    found = slices([compared("south")])
    assert found.verdict is Verdict.FAIL
    assert found.reason.startswith("region 'south' fares worse by 4")
    assert found.numbers["groups"] == 4  # two regions, two classes


def test_equal_versions_pass() -> None:
    assert slices([compared()]).verdict is Verdict.PASS


def test_without_a_group_that_is_large_enough_nothing_is_claimed() -> None:
    assert slices([]).verdict is Verdict.INCONCLUSIVE
    assert slices([compared("south", rows=90)]).verdict is Verdict.INCONCLUSIVE


def test_the_first_set_with_enough_labels_counts() -> None:
    assert slices([compared("south", rows=90), compared()]).verdict is Verdict.PASS
