"""Two looks change an alarm; one does not."""

from lifecycle.core.alarm import Alarm


def after(*looks: bool) -> Alarm:
    alarm = Alarm()
    for now, bad in enumerate(looks):
        alarm = alarm.look(bad, float(now))
    return alarm


def test_two_bad_looks_in_a_row_raise_it() -> None:
    assert after(True).since is None
    assert after(True, False, True).since is None
    assert after(True, True).since == 1
    assert after(True, True, True, True).since == 1


def test_two_good_looks_in_a_row_clear_it() -> None:
    assert after(True, True, False).since == 1
    assert after(True, True, False, True, False).since == 1
    assert after(True, True, False, False).since is None
