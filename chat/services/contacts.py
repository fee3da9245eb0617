"""Contacts: asked for, accepted by asking back, declined, removed."""

from django.db import transaction

from chat.models import Contact, User
from chat.queries.contacts import DECLINED, FRIENDS, REMOVED, REQUESTED, contact_between, entry_of
from chat.queries.people import person_named
from chat.queries.structs import ContactEntry, person_key
from chat.services.announcing import announce_after_commit
from chat.services.events import ContactChanged
from rpc import OperationError

MAX_OPEN_REQUESTS = 100
"""Requests of one person that are open or were declined: enough for a team, too few to bother a town."""


def add_contact(by: int, name: str) -> ContactEntry:
    """
    Ask a person to be in touch, or accept by asking back; doing so twice is as once.

    A person who declined may ask later and so accept after all; a person who was declined may not ask again.

    Raises:
        BadName: nobody can be called so.
        OperationError: `no_such_person`; `not_allowed`: themselves, a guest without an account, someone switched
            off, who has declined; `too_many` requests are open.
    """
    with transaction.atomic():
        other, contact = _locked(by, name)
        if not other.is_active:
            raise OperationError("this account is switched off", code="not_allowed", field="name")
        if contact is None:
            if Contact.objects.filter(asker_id=by).exclude(state=FRIENDS).count() >= MAX_OPEN_REQUESTS:
                raise OperationError("too many of your contact requests are waiting for an answer", code="too_many")
            contact = Contact(asker_id=by, asked=other)
            return _moved(contact, REQUESTED, by)
        if contact.asker_id == by:
            if contact.state == DECLINED:
                raise OperationError("your request was declined", code="not_allowed", field="name")
            return entry_of(contact, by)
        return entry_of(contact, by) if contact.state == FRIENDS else _moved(contact, FRIENDS, by)


def decline_contact(by: int, name: str) -> ContactEntry:
    """
    Turn a request down; doing so twice is as once.

    Raises:
        BadName: nobody can be called so.
        OperationError: `no_such_person`; `not_allowed`, themselves; `no_such_request`.
    """
    with transaction.atomic():
        _, contact = _locked(by, name)
        if contact is None or contact.asked_id != by or contact.state == FRIENDS:
            raise OperationError("this person has not asked you", code="no_such_request", field="name")
        return entry_of(contact, by) if contact.state == DECLINED else _moved(contact, DECLINED, by)


def remove_contact(by: int, name: str) -> ContactEntry:
    """
    Remove a contact, withdraw a request or forget one. Repeating it changes nothing.

    Raises:
        BadName: nobody can be called so.
        OperationError: `no_such_person`; `not_allowed`: themselves, or a request that the other one declined,
            which stands against asking again.
    """
    with transaction.atomic():
        other, contact = _locked(by, name)
        if contact is None:
            return ContactEntry(other.pk, person_key(other.pk), other.name, REMOVED)
        if contact.state == DECLINED and contact.asker_id == by:
            raise OperationError("your request was declined", code="not_allowed", field="name")
        contact.delete()
        return _told(contact, by, REMOVED)


def _locked(by: int, name: str) -> tuple[User, Contact | None]:
    """The other person and what there is between the two, which nobody else changes until the commit."""
    other = person_named(name)
    if other.pk == by:
        raise OperationError("you cannot do this to yourself", code="not_allowed", field="name")
    # Lock both, in the order of their keys: when two ask each other at once, the second one accepts.
    list(User.objects.select_for_update().filter(pk__in=(by, other.pk)).order_by("pk"))
    return other, contact_between(by, other.pk)


def _moved(contact: Contact, state: str, by: int) -> ContactEntry:
    contact.state = Contact.State(state)
    contact.save()
    return _told(contact, by)


def _told(contact: Contact, by: int, state: str | None = None) -> ContactEntry:
    """Both hear of it, each as they see it; returns what `by` sees."""
    for viewer in (contact.asker_id, contact.asked_id):
        announce_after_commit(ContactChanged(viewer, entry_of(contact, viewer, state)))
    return entry_of(contact, by, state)
