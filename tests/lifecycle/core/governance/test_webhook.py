"""Messages are signed in a way that others verify, and failures wait ever longer."""

import json

import pytest

from lifecycle.core.governance.ledger import Head, seal
from lifecycle.core.governance.webhook import (
    LONGEST_PAUSE_S,
    Message,
    key_of,
    message,
    pause,
    signed,
    verify,
    wants,
)
from lifecycle.errors import LifecycleError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example of the Standard Webhooks specification."""


def test_the_signature_is_that_of_the_specification() -> None:
    told = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    headers = signed([SECRET], told, 1614265330.0)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert verify(SECRET, headers, told.body, 1614265400.0)


def test_while_a_secret_is_changed_both_are_believed_and_no_third() -> None:
    new, third = (f"whsec_{letter * 32}" for letter in "ab")
    headers = signed([new, SECRET], Message("m", b"{}"), 1000.0)
    assert [verify(secret, headers, b"{}", 1000.0) for secret in (new, SECRET, third)] == [True, True, False]


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"webhook-id": "another"}, 1000.0),
        ({"webhook-timestamp": "1001"}, 1000.0),
        ({"webhook-timestamp": "soon"}, 1000.0),
        ({"webhook-timestamp": "\u00b2"}, 1000.0),
        ({"webhook-timestamp": "9" * 5_000}, 1000.0),
        ({"webhook-signature": "v1,AAAA"}, 1000.0),
        ({"webhook-signature": ""}, 1000.0),
        ({"webhook-signature": "v1,\u00e9 \udcff"}, 1000.0),
        ({"webhook-id": "\udcff"}, 1000.0),
        ({}, 2000.0),
        ({}, 0.0),
    ],
)
def test_whatever_was_changed_or_is_old_is_not_believed(change: dict[str, str], now: float) -> None:
    headers = signed([SECRET], Message("m", b"{}"), 1000.0)
    assert verify(SECRET, headers, b"{}", 1000.0)
    assert not verify(SECRET, headers, b"{ }", 1000.0)
    assert not verify(SECRET, headers | change, b"{}", now)


def test_a_record_is_told_whole_under_a_name_of_its_own() -> None:
    record = seal(Head(), 5.0, "ann", "rollout.promote", "m", {"version": 2})
    told = message(record)
    assert json.loads(told.body)["data"] == record.as_json()
    assert json.loads(told.body)["type"] == "rollout.promote"
    assert told == message(record)
    assert told.id != message(seal(record.head, 5.0, "ann", "rollout.promote", "m", {"version": 2})).id


def test_kinds_are_whole_words() -> None:
    assert wants((), "anything")
    assert wants(("rollout",), "rollout.promote")
    assert wants(("drift", "rollout.promote"), "rollout.promote")
    assert not wants(("rollout.promote",), "rollout.promoted")
    assert not wants(("roll",), "rollout.promote")


def test_pauses_double_up_to_five_minutes() -> None:
    assert [pause(failures) for failures in (1, 2, 3)] == [1, 2, 4]
    assert pause(500) == LONGEST_PAUSE_S


@pytest.mark.parametrize("secret", ["", "secret", "whsec_short", "whsec_!!!", SECRET[6:]])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(LifecycleError, match="24 bytes"):
        key_of(secret)
