"""Reading contacts: a person's list, and the contact of two people."""

from django.db.models import Q

from chat.models import Contact
from chat.names import name_key
from chat.queries.structs import ContactEntry, person_key

MAX_LISTED = 1000
"""Contacts in one list, the oldest ones."""

REQUESTED = Contact.State.REQUESTED.value
FRIENDS = Contact.State.FRIENDS.value
DECLINED = Contact.State.DECLINED.value
ASKED = "asked"
REMOVED = "removed"
"""As one of the two sees it: the other asked; it is in this one's list no longer."""
LISTED = (FRIENDS, ASKED, REQUESTED, DECLINED)
"""The states of a list, in its order."""


def contacts_of(user_id: int) -> list[ContactEntry]:
    """A person's list: friends, then requests, each part by name. Requests that they declined are left out."""
    mine = Contact.objects.filter(Q(asker_id=user_id) | Q(asked_id=user_id, state__in=(REQUESTED, FRIENDS)))
    found = mine.select_related("asker", "asked").order_by("pk")[:MAX_LISTED]
    entries = [entry_of(contact, user_id) for contact in found]
    return sorted(entries, key=lambda entry: (LISTED.index(entry.state), name_key(entry.name)))


def contact_between(one: int, other: int) -> Contact | None:
    """The contact of two people, whoever asked."""
    either_way = Q(asker_id=one, asked_id=other) | Q(asker_id=other, asked_id=one)
    return Contact.objects.filter(either_way).select_related("asker", "asked").first()


def entry_of(contact: Contact, viewer: int, state: str | None = None) -> ContactEntry:
    """A contact as one of the two sees it, with the state of its record unless another is given."""
    is_asker = contact.asker_id == viewer
    other = contact.asked if is_asker else contact.asker
    if state is None:
        state = ASKED if contact.state == REQUESTED and not is_asker else contact.state
    return ContactEntry(other.pk, person_key(other.pk), other.name, state)
