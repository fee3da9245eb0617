"""Who may connect, and how much is kept of what is not finished."""

import pytest

from rpc import Admission, Caps
from rpc.admission import SWEEP_SIZE, WELCOME_SECONDS, NoRoom

STRANGER, NEIGHBOUR, PROXY = "192.0.2.1", "192.0.2.2", "10.0.0.1"


def refused(admission, address):
    """Whether one more connection is refused because the process is full; None when it is let in."""
    try:
        admission.enter(address)
    except NoRoom as error:
        return error.at_all
    return None


# --- connections -------------------------------------------------------------------------------------------


def test_address_with_too_many_connections():
    """Another address gets in, and one that leaves makes room."""
    admission = Admission(Caps(connections_per_address=2))
    first, _ = admission.enter(STRANGER), admission.enter(STRANGER)
    assert refused(admission, STRANGER) is False
    assert refused(admission, NEIGHBOUR) is None
    first.leave()
    assert refused(admission, STRANGER) is None


def test_addresses_of_one_ipv6_network_count_together():
    """A customer has them all."""
    admission = Admission(Caps(connections_per_address=1))
    admission.enter("2001:db8::1")
    assert refused(admission, "2001:db8::2") is False
    assert refused(admission, "2001:db8:0:1::1") is None


def test_place_is_left_once():
    """Whoever says so twice takes nobody else's."""
    admission = Admission(Caps(connections_per_address=2))
    first, _ = admission.enter(STRANGER), admission.enter(STRANGER)
    first.leave()
    first.leave()
    assert admission.connections == 1


def test_address_that_connects_too_often(clock):
    """Also if each connection is short; after a while it may again."""
    admission = Admission(Caps(arrivals_burst=3, arrivals_per_second=1), clock=clock)
    for _ in range(3):
        admission.enter(STRANGER).leave()
    assert refused(admission, STRANGER) is False
    assert refused(admission, NEIGHBOUR) is None
    clock.now += 1
    assert refused(admission, STRANGER) is None


def test_unix_sockets_have_no_address():
    """They count in total only."""
    admission = Admission(Caps(connections_per_address=1, connections=2, connections_kept=1))
    assert [refused(admission, "") for _ in range(3)] == [None, None, True]


# --- a full process ----------------------------------------------------------------------------------------


def test_some_connections_are_kept_for_those_who_are_welcome():
    """Staff, and what runs on this machine, get in when others do not; beyond the last one they do not either."""
    admission = Admission(Caps(connections=4, connections_kept=2))
    admission.enter(STRANGER)
    admission.enter(NEIGHBOUR)
    assert refused(admission, "192.0.2.3") is True
    assert refused(admission, "127.0.0.1") is None
    admission.welcome("2001:db8::1")
    assert refused(admission, "2001:db8::2") is None
    assert refused(admission, "2001:db8::2") is True


def test_welcome_ends(clock):
    """Some day somebody else may have the address."""
    admission = Admission(Caps(connections=1, connections_kept=1), clock=clock)
    admission.welcome(STRANGER)
    admission.enter(STRANGER).leave()
    clock.now += WELCOME_SECONDS
    assert refused(admission, STRANGER) is True


# --- proxies -----------------------------------------------------------------------------------------------


def test_proxy_is_excepted_and_its_clients_are_not():
    """Its connections count for whoever is behind it, as soon as that is known."""
    caps = Caps(connections_per_address=2, arrivals_burst=2)
    admission = Admission(caps, is_proxy=lambda address: address == PROXY)
    places = [admission.enter(PROXY) for _ in range(4)]
    places[0].move_to(STRANGER)
    places[1].move_to(STRANGER)
    with pytest.raises(NoRoom) as caught:
        places[2].move_to(STRANGER)
    assert not caught.value.at_all
    places[2].move_to(NEIGHBOUR)
    places[3].move_to(PROXY)
    for place in places:
        place.leave()
    assert admission.connections == 0


def test_proxy_brings_staff_into_a_full_process():
    """And nobody else, though its own connection is accepted."""
    admission = Admission(Caps(connections=3, connections_kept=2), is_proxy=lambda address: address == PROXY)
    admission.welcome(NEIGHBOUR)
    admission.enter(STRANGER)
    place = admission.enter(PROXY)
    with pytest.raises(NoRoom) as caught:
        place.move_to(STRANGER)
    assert caught.value.at_all
    place.move_to(NEIGHBOUR)
    assert refused(admission, PROXY) is None
    assert refused(admission, PROXY) is True


# --- unfinished messages -----------------------------------------------------------------------------------


class Sender:
    """A connection that is ended when it keeps too much."""

    def __init__(self, admission, address):
        self.is_ended = False
        self.place = admission.enter(address)
        self.place.ends_by(self.end)

    def end(self):
        self.is_ended = True


@pytest.fixture
def caps():
    return Caps(unfinished_bytes=100, unfinished_bytes_per_address=60)


def test_address_that_finishes_too_little(caps):
    """Its largest message makes room, not one that happens to be the last straw."""
    admission = Admission(caps)
    large, small = Sender(admission, STRANGER), Sender(admission, STRANGER)
    large.place.keep(55)
    small.place.keep(5)
    assert not large.is_ended
    small.place.keep(6)
    assert large.is_ended
    assert not small.is_ended
    assert admission.unfinished == 6


def test_what_comes_of_a_connection_that_was_ended_does_not_count(caps):
    """It is read past, and kept for nobody."""
    admission = Admission(caps)
    sender = Sender(admission, STRANGER)
    sender.place.keep(61)
    sender.place.keep(1000)
    assert admission.unfinished == 0


def test_too_much_altogether(caps):
    """The address that has most makes room, and of its connections the one that has most."""
    admission = Admission(caps)
    first, second = Sender(admission, STRANGER), Sender(admission, STRANGER)
    neighbour = Sender(admission, NEIGHBOUR)
    first.place.keep(20)
    second.place.keep(30)
    neighbour.place.keep(45)
    third = Sender(admission, "192.0.2.3")
    third.place.keep(6)
    assert [each.is_ended for each in (first, second, neighbour, third)] == [False, True, False, False]


def test_finished_messages_and_lost_connections_make_room(caps):
    """However the message ended."""
    admission = Admission(caps)
    sender, other = Sender(admission, STRANGER), Sender(admission, STRANGER)
    for _ in range(10):
        sender.place.keep(50)
        sender.place.keep(0)
    sender.place.keep(50)
    sender.place.leave()
    sender.place.keep(0)
    other.place.keep(60)
    assert not other.is_ended
    assert admission.unfinished == 60


def test_unfinished_messages_move_with_their_connection(caps):
    """From the proxy to the client."""
    admission = Admission(caps, is_proxy=lambda address: address == PROXY)
    sender = Sender(admission, PROXY)
    sender.place.keep(40)
    sender.place.move_to(STRANGER)
    Sender(admission, PROXY).place.keep(30)
    assert not sender.is_ended
    sender.place.leave()
    assert admission.unfinished == 30


# --- memory ------------------------------------------------------------------------------------------------


def test_addresses_that_came_and_went_are_forgotten(clock):
    """As soon as their rate has recovered: an IPv6 stranger has many."""
    admission = Admission(Caps(arrivals_burst=2, arrivals_per_second=1), clock=clock)
    for number in range(20 * SWEEP_SIZE):
        clock.now += 0.01
        admission.enter(f"10.1.{number // 250}.{number % 250}").leave()
    assert admission.addresses < 2 * SWEEP_SIZE
