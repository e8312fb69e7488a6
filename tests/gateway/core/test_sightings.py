from gateway.core.sightings import Sightings


def test_what_comes_a_second_time_has_come_before() -> None:
    sightings = Sightings(10)
    assert [sightings.again(text) for text in (b"a", b"b", b"a", b"a", b"b")] == [
        *(False, False),
        *(True, False, True),
    ]


def test_the_memory_is_bounded() -> None:
    sightings = Sightings(2)
    assert not any(sightings.again(text) for text in (b"a", b"b", b"c", b"a"))
