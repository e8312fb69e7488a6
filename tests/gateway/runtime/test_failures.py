"""What is told of versions that cannot run, and for how long requests do not try them."""

import pytest

from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.failures import Failures, NoRoom

BROKEN = GatewayError(ErrorCode.INTERNAL, "it is broken")


def test_one_that_rests_is_refused_until_it_is_forgotten() -> None:
    failures = Failures()
    failures.note(("m", 1), BROKEN, rest_s=60)
    with pytest.raises(GatewayError, match="version 1 of model 'm' does not load: it is broken") as caught:
        failures.check(("m", 1))
    assert caught.value.code is ErrorCode.NOT_READY
    assert failures.reasons == {("m", 1): "it is broken"}
    failures.forget(("m", 1))
    failures.check(("m", 1))
    assert failures.reasons == {}


def test_want_of_room_is_told_apart_and_needs_no_rest() -> None:
    failures = Failures()
    failures.note(("m", 1), BROKEN)
    failures.note(("m", 2), NoRoom(ErrorCode.NOT_READY, "others hold it"))
    failures.check(("m", 2))
    assert failures.no_room == {("m", 2)}
