"""People by their names, and the names that are in use."""

from functools import cached_property

from django.db.models import Q, QuerySet

from chat.models import Connection, SiteSettings, User
from chat.names import GUEST_NAMES, BadName, clean_name, free_guest_name, name_key, name_look, same_name
from rpc import OperationError

RESERVED = ("admin", "system")
"""Besides the site's title: who is called so seems to speak for the site."""
LISTED_LOOKS = {name_look(name): name for name in GUEST_NAMES}


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
    """All names in use, by an account or a guest who is here now, and their like; those of our list read once."""

    def __contains__(self, name: object) -> bool:
        if name in LISTED_LOOKS.values():
            return name in self._listed
        same = same_name(str(name))
        return User.objects.filter(same).exists() or _guests_here().filter(same).exists()

    @cached_property
    def _listed(self) -> set[str]:
        of_accounts = User.objects.filter(name_look__in=LISTED_LOOKS)
        of_guests = _guests_here().filter(name_look__in=LISTED_LOOKS)
        looks = {each for people in (of_accounts, of_guests) for each in people.values_list("name_look", flat=True)}
        return {LISTED_LOOKS[look] for look in looks | (_reserved() & LISTED_LOOKS.keys())}


def _guests_here() -> QuerySet[Connection]:
    return Connection.objects.filter(user__isnull=True)


def _reserved() -> set[str]:
    return {*map(name_look, (*RESERVED, SiteSettings.current().title))}


def new_guest_name() -> str:
    """A random name for a guest that nobody has now."""
    return free_guest_name(TakenNames())


def free_name(name: str, *, besides: int | None = None, for_staff: bool = False) -> str:
    """
    The name as it would be stored, if nobody but the person with key `besides` logs in by it, is called so or looks
    so. Only staff, or who is about to be (`for_staff`), may speak for the site by their name.

    Raises:
        BadName: the text cannot be a name.
        OperationError: `name_taken`.
    """
    name = clean_name(name)
    others = User.objects.exclude(pk=besides or 0)
    if others.filter(same_name(name) | Q(username__iexact=name)).exists():
        raise OperationError("this name is taken", code="name_taken", field="name")
    if name_look(name) in _reserved() and not (
        for_staff or User.objects.filter(pk=besides or 0, is_staff=True).exists()
    ):
        raise BadName("this name is reserved")
    return name
