"""Reading contacts: a person by name, and one's list."""

from django.db.models import Q

from chat.models import Connection, Contact, User
from chat.names import clean_name, name_key
from chat.services.events import ContactEntry
from rpc import OperationError

MAX_LISTED = 1000
"""Contacts in one list, the oldest ones."""

REQUESTED = Contact.State.REQUESTED.value
FRIENDS = Contact.State.FRIENDS.value
DECLINED = Contact.State.DECLINED.value
ASKED = "asked"
REMOVED = "removed"
"""As one of the two sees it: the other asked; it is in his list no longer."""
LISTED = (FRIENDS, ASKED, REQUESTED, DECLINED)
"""The states of a list, in its order."""


def person_named(name: str) -> User:
    """
    The person whom others see under a name, whichever way it is written.

    Raises:
        BadName: nobody can be called so.
        OperationError: `no_such_person`; `not_allowed`, a visitor who has no row yet.
    """
    key = name_key(clean_name(name))
    person = User.objects.filter(name_key=key).first()
    if person is not None:
        return person
    if Connection.objects.filter(name_key=key, user__isnull=True).exists():
        raise OperationError(
            "a visitor can be a contact once he has written something", code="not_allowed", field="name"
        )
    raise OperationError("no such person", code="no_such_person", field="name")


def contacts_of(user_id: int) -> list[ContactEntry]:
    """One's list: friends, then requests, each part by name. What one declined oneself is out of the way."""
    mine = Contact.objects.filter(Q(asker_id=user_id) | Q(asked_id=user_id, state__in=(REQUESTED, FRIENDS)))
    found = mine.select_related("asker", "asked").order_by("pk")[:MAX_LISTED]
    entries = [entry_of(contact, user_id) for contact in found]
    return sorted(entries, key=lambda entry: (LISTED.index(entry.state), name_key(entry.name)))


def tie_between(one: int, other: int) -> Contact | None:
    """The contact of two people, whoever asked."""
    either_way = Q(asker_id=one, asked_id=other) | Q(asker_id=other, asked_id=one)
    return Contact.objects.filter(either_way).select_related("asker", "asked").first()


def entry_of(contact: Contact, viewer: int, state: str | None = None) -> ContactEntry:
    """A contact as one of the two sees it, with the state of its row unless another is given."""
    is_asker = contact.asker_id == viewer
    other = contact.asked if is_asker else contact.asker
    if state is None:
        state = ASKED if contact.state == REQUESTED and not is_asker else contact.state
    return ContactEntry(other.pk, f"u{other.pk}", other.name, state)
