import pytest

from gateway.core.limits import UNLIMITED, ModelLimits


def test_limits_travel_as_json() -> None:
    limits = ModelLimits(max_concurrency=4, max_queue=9)
    assert ModelLimits.from_json(limits.as_json()) == limits
    assert ModelLimits.from_json({}) == UNLIMITED


@pytest.mark.parametrize("limits", [(-1, 0), (1, -1), (0, 5)])
def test_limits_that_make_no_sense(limits: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="limit"):
        ModelLimits(*limits)
