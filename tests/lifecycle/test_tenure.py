"""Two controllers, one database and a clock that the test moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.governance.ledger import verify
from lifecycle.core.lease import RENEW_S, TERM_S
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from lifecycle.tenure import Tenure, holder


class Peer:
    """A controller's process, frozen between two of its turns."""

    def __init__(self, url: str, name: str, world: "World") -> None:
        self.store = SqlStore(url)
        self.name = name
        # Monotonic clocks of two machines have nothing to do with each other.
        offset = 3600.0 * len(world.peers)
        self.tenure = Tenure(self.store, name, lambda: world.now + offset)
        self.acts = False

    def turn(self) -> bool:
        """What the control loop does in a tick; True if it wrote."""
        try:
            if not self.acts:
                self.acts = self.tenure.begin()
                return False
            self.tenure.keep()
            self.store.commit(Entry(self.name, "tick", "m"))
        except LifecycleError as error:
            if error.code is not LifecycleCode.CONFLICT:
                raise
            self.acts = False
            return False
        return True


class World:
    def __init__(self, path: Path) -> None:
        self.now = 0.0
        self.url = f"sqlite:///{path}/registry.db"
        self.peers: list[Peer] = []
        for name in ("a", "b"):
            self.peers.append(Peer(self.url, name, self))

    def close(self) -> None:
        for peer in self.peers:
            peer.store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_the_second_waits_while_the_first_lives(world: World) -> None:
    a, b = world.peers
    for _ in range(30):
        world.now += RENEW_S / 2
        a.turn()
        assert not b.turn()
    assert a.acts
    assert not b.acts


def test_the_second_takes_over_a_term_after_the_first_fell_silent(world: World) -> None:
    a, b = world.peers
    a.turn()
    b.turn()
    world.now = TERM_S - 0.1
    b.turn()
    assert not b.acts
    world.now = TERM_S
    b.turn()
    assert b.turn()
    assert not a.turn()


def test_one_that_slept_through_its_end_changes_nothing(world: World) -> None:
    a, b = world.peers
    a.turn()
    b.turn()
    world.now = TERM_S
    b.turn()
    before = b.store.head()
    with pytest.raises(LifecycleError, match="another controller has taken over"):
        a.store.commit(Entry("a", "tick", "m"))
    assert b.store.head() == before


def test_a_loss_is_seen_by_the_next_look(world: World) -> None:
    a, b = world.peers
    a.turn()
    b.store.take(b.store.lease(), "b")
    with pytest.raises(LifecycleError, match="another controller has taken over"):
        a.tenure.keep()


def test_a_renewal_of_which_only_the_answer_was_lost_ends_no_tenure(world: World) -> None:
    a, b = world.peers
    a.turn()
    a.store.renew(a.store.lease())  # the connection broke behind the commit: `keep` has not heard of it
    assert a.turn()
    a.tenure.end()
    b.turn()
    assert b.turn()


def test_one_that_ends_hands_over_at_once(world: World) -> None:
    a, b = world.peers
    a.turn()
    b.turn()
    a.tenure.end()
    b.turn()
    assert b.turn()


def test_a_restarted_one_goes_on_at_once_and_fences_off_its_former_self(world: World) -> None:
    a, _ = world.peers
    a.turn()
    again = Peer(world.url, "a", world)
    again.turn()
    assert again.turn()
    assert not a.turn()
    again.store.close()


def test_ending_without_the_lease_is_quiet(world: World) -> None:
    a, b = world.peers
    b.tenure.end()
    a.turn()
    b.turn()
    world.now = TERM_S
    b.turn()
    a.tenure.end()
    assert b.turn()


def test_a_homes_name_is_its_own_and_stays(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert holder(tmp_path) == holder(tmp_path) != holder(other)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.5, 2.0, 5.0, 11.0])), max_size=25))
def test_however_they_take_turns_the_writes_of_one_never_mix_with_the_others(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[int, float]]
) -> None:
    world = World(tmp_path_factory.mktemp("peers"))
    writers: list[tuple[int, str]] = []
    for index, passed in turns:
        world.now += passed
        peer = world.peers[index]
        if peer.turn():
            writers.append((peer.store.lease().token, peer.name))
    # Within one token only one name writes, and an older token never writes after a newer one.
    assert [token for token, _ in writers] == sorted(token for token, _ in writers)
    assert len(set(writers)) == len({token for token, _ in writers})
    store = world.peers[0].store
    assert [record.actor for record in store.records()] == [name for _, name in writers]
    assert verify(store.records(), store.head()) is None
    world.close()
