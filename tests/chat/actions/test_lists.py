"""Lists that everybody gets fit into an answer, however much there is to list."""

import msgspec
import pytest

from chat.actions.people import Info
from chat.actions.rooms import FEW_ROOMS, rooms_listed
from chat.queries.identity import SanctionFacts
from chat.queries.members import MAX_HERE, members_of
from chat.queries.sizes import MAX_LIST_BYTES, json_size
from chat.queries.structs import ContactEntry, PersonCard
from chat.realtime.directory import Directory
from rpc import Limits
from tests.chat.actions.test_access import person, room

WIDEST = "\x01"
"""Six bytes in JSON."""


@pytest.fixture
def directory():
    """More rooms than fit, with the longest names and topics; the last one is alice's."""
    directory = Directory()
    directory.put_rooms([room(number, name=f"{number:040}", topic=WIDEST * 200) for number in range(3000)])
    return directory


def test_list_of_very_many_rooms_fits_into_an_answer(directory):
    """It is as long as it may be, by name, and has the rooms that somebody takes part in before all others."""
    alice = person(roles={2999: "member"})
    listed = rooms_listed(alice, directory)
    assert MAX_LIST_BYTES // 2 < json_size(listed) <= MAX_LIST_BYTES
    assert [entry.name for entry in listed] == sorted(entry.name for entry in listed)
    assert listed[-1].id == 2999


def test_own_info_fits_into_an_answer(directory):
    """With as many contacts as a list may have beside the rooms."""
    alice = person()
    contacts = [ContactEntry(number, f"u{number}", WIDEST * 40, "requested") for number in range(1000)]
    whole = Info(alice.card, rooms_listed(alice, directory, MAX_LIST_BYTES // 2), contacts)
    assert len(msgspec.json.encode(whole)) < Limits().max_payload_bytes


def test_list_of_few_rooms_fits_into_an_answer_with_all_that_is_said_of_them():
    """Of rooms with the longest names and topics, in which somebody is muted for the longest reason."""
    directory = Directory()
    names = (WIDEST * 36 + f"{number:04}" for number in range(FEW_ROOMS))
    directory.put_rooms([room(id, name=name, topic=WIDEST * 200) for id, name in enumerate(names)])
    alice = person(sanctions=[SanctionFacts("mute", None, 4e9, WIDEST * 200)])
    contacts = [ContactEntry(number, f"u{number}", WIDEST * 40, "requested") for number in range(1000)]
    whole = Info(alice.card, rooms_listed(alice, directory, MAX_LIST_BYTES // 2), contacts)
    assert len(whole.rooms) == FEW_ROOMS
    assert len(msgspec.json.encode(whole)) < Limits().max_payload_bytes


@pytest.mark.django_db
def test_list_of_very_many_people_fits_into_an_answer():
    """Of those who are here, the first by name; how many there are is told beside it."""
    here = [PersonCard(f"g{number:032}", None, WIDEST * 34 + f"{number:06}", True, False) for number in range(9000)]
    listed = members_of(1, here)
    assert [member.key for member in listed] == [card.key for card in here[:MAX_HERE]]
    assert json_size(listed) < MAX_LIST_BYTES
