"""People by their names, and the names that are in use."""

from collections.abc import Iterable
from functools import cached_property

from django.db.models import Q

from chat.models import Connection, User
from chat.names import GUEST_NAMES, clean_name, free_guest_name, name_key
from rpc import OperationError

LISTED_KEYS = frozenset(map(name_key, GUEST_NAMES))


def person_named(name: str) -> User:
    """
    The person whom others see under a name, however it is spelled.

    Raises:
        BadName: nobody can be called so.
        OperationError: `no_such_person`; `not_allowed`, a guest without an account.
    """
    key = name_key(clean_name(name))
    person = User.objects.filter(name_key=key).first()
    if person is not None:
        return person
    if Connection.objects.filter(name_key=key, user__isnull=True).exists():
        text = "a guest can be a contact once they have written something"
        raise OperationError(text, code="not_allowed", field="name")
    raise OperationError("no such person", code="no_such_person", field="name")


class TakenNames:
    """The keys of all names in use, by an account or a guest who is here now. Those of our list are read once."""

    def __contains__(self, key: object) -> bool:
        if key in LISTED_KEYS:
            return key in self._listed
        return bool(_keys_in_use([key]))

    @cached_property
    def _listed(self) -> set[str]:
        return _keys_in_use(LISTED_KEYS)


def _keys_in_use(keys: Iterable[object]) -> set[str]:
    of_accounts = User.objects.filter(name_key__in=keys).values_list("name_key", flat=True)
    of_guests = Connection.objects.filter(name_key__in=keys, user__isnull=True)
    return {*of_accounts, *of_guests.values_list("name_key", flat=True)}


def new_guest_name() -> str:
    """A random name for a guest that nobody has now."""
    return free_guest_name(TakenNames())


def free_name(name: str, *, besides: int | None = None) -> str:
    """
    The name as it would be stored, if nobody but the person with key `besides` is called or logs in by it.

    Raises:
        BadName: the text cannot be a name.
        OperationError: `name_taken`.
    """
    name = clean_name(name)
    same = Q(name_key=name_key(name)) | Q(username__iexact=name)
    others = User.objects.all() if besides is None else User.objects.exclude(pk=besides)
    if others.filter(same).exists():
        raise OperationError("this name is taken", code="name_taken", field="name")
    return name
