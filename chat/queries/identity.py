"""Who stands behind a connection: read from its session, once per connection and again when it changes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

from chat.models import Membership, Sanction, SanctionedAddress, User
from chat.queries.guests import GUEST_NAME, GUEST_USER, guest_key
from chat.queries.people import new_guest_name
from chat.queries.structs import PersonCard, person_key


class MembershipFacts(msgspec.Struct):
    """A person's membership of one room."""

    role: str
    left: bool
    muted: bool
    read_seq: int
    read_posts: int


class SanctionFacts(msgspec.Struct, frozen=True):
    """
    A sanction in force: `until` in seconds of the epoch, None without an end; `room_id` None is everywhere;
    `by_address`: it is another guest's, and holds for all of that address.
    """

    kind: str
    room_id: int | None
    until: float | None
    reason: str
    by_address: bool = False


class Identity(msgspec.Struct, frozen=True):
    """What the database knows of a person at one moment; `user_id` is None for a guest without an account."""

    key: str
    user_id: int | None
    name: str
    is_guest: bool
    is_bot: bool
    is_staff: bool
    is_active: bool
    memberships: dict[int, MembershipFacts]
    sanctions: list[SanctionFacts]
    rights: frozenset[str] = frozenset()
    """Of staff, beyond rooms: the names of Django's permissions for this app, such as `add_sanction`."""

    @property
    def card(self) -> PersonCard:
        return PersonCard(self.key, self.user_id, self.name, self.is_guest, self.is_bot)


def session_key_of(scope: Mapping[str, Any]) -> str | None:
    """The session key among the cookies of an ASGI scope, which Channels' `CookieMiddleware` found there."""
    return scope.get("cookies", {}).get(settings.SESSION_COOKIE_NAME) or None


def open_session(session_key: str | None) -> SessionBase:
    """The session with a key, of the engine that the settings name; its data is read when it is asked for."""
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return store


def identify(session_key: str | None) -> Identity:
    """
    The person of a session: an account, a guest with one, or a guest who gets a name for this connection when
    their session has none.
    """
    return user_and_identity(open_session(session_key))[1]


def user_and_identity(session: SessionBase) -> tuple[AbstractBaseUser | AnonymousUser, Identity]:
    """Who is logged in with a session, as Django's `request.user`, and the person of it, as `identify`."""
    contents = _Contents(session.items())
    user, account = _user_and_account(contents)
    if account is not None:
        return user, identity_of(account)
    name = contents.get(GUEST_NAME)
    if name is not None and session.session_key is not None:
        return user, _guest(guest_key(session.session_key), name)
    return user, _guest("g" + uuid4().hex[:24], new_guest_name())


def accounts_of_sessions(session_keys: Iterable[str]) -> dict[str, int | None]:
    """Session key → key of the account that is behind it now: a user's or a guest's, None without one."""
    found = {}
    for session_key in session_keys:
        _, account = _user_and_account(_Contents(open_session(session_key).items()))
        found[session_key] = account.pk if account is not None else None
    return found


def sessions_in_force(session_keys: Collection[str]) -> set[str]:
    """Those of these sessions that are there and have not expired."""
    model = session_model()
    if model is None:
        # An engine without a table, where each is a look of its own.
        return {key for key in session_keys if open_session(key).items()}
    found = model.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    return set(found.values_list("session_key", flat=True))


def sessions_full(most: int) -> bool:
    """Whether there are so many sessions that count."""
    model = session_model()
    return model is not None and model.objects.filter(expire_date__gt=timezone.now())[:most].count() >= most


def session_model() -> Any:
    """The table of the sessions; None with an engine that has none."""
    return getattr(open_session(None), "model", None)


def _user_and_account(contents: "_Contents") -> tuple[AbstractBaseUser | AnonymousUser, User | None]:
    """Who is logged in, and the account of them or else of the guest."""
    request = HttpRequest()
    request.session = contents  # type: ignore[assignment]
    user = get_user(request)
    if isinstance(user, User):
        return user, user
    guest_id = contents.get(GUEST_USER)
    return user, User.objects.filter(pk=guest_id).first() if guest_id is not None else None


class _Contents(dict[str, Any]):
    """
    A session's contents for Django's `get_user`, and nothing that it does to them is stored: who connects only
    reads, and a WebSocket has no answer that could give the browser another key.
    """

    def cycle_key(self) -> None:
        """The session was signed with a former secret key, and counts."""

    def flush(self) -> None:
        """The password was changed since, so it counts no longer."""
        self.clear()


def identity_of(user: User) -> Identity:
    return _identities([user])[0]


def identity_of_key(user_id: int) -> Identity | None:
    user = User.objects.filter(pk=user_id).first()
    return identity_of(user) if user is not None else None


def identities_of_keys(user_ids: Collection[int]) -> list[Identity]:
    """Everyone of these who is in the database, in as few queries as one of them would take."""
    return _identities(list(User.objects.filter(pk__in=user_ids)))


def _identities(users: list[User]) -> list[Identity]:
    memberships: dict[int, dict[int, MembershipFacts]] = defaultdict(dict)
    for each in Membership.objects.filter(user__in=users):
        facts = MembershipFacts(each.role, each.left, each.muted, each.read_seq, each.read_posts)
        memberships[each.user_id][each.room_id] = facts
    sanctions: dict[int, list[SanctionFacts]] = defaultdict(list)
    for sanction in Sanction.objects.in_force().filter(user__in=users):
        until = sanction.until.timestamp() if sanction.until else None
        sanctions[sanction.user_id].append(SanctionFacts(sanction.kind, sanction.room_id, until, sanction.reason))
    return [
        Identity(
            key=person_key(user.pk),
            user_id=user.pk,
            name=user.name,
            is_guest=user.is_guest,
            is_bot=user.is_bot,
            is_staff=user.is_staff,
            is_active=user.is_active,
            memberships=memberships[user.pk],
            sanctions=sanctions[user.pk],
            rights=_rights_of(user),
        )
        for user in users
    ]


def sanctions_by_network() -> dict[str, list[SanctionFacts]]:
    """Network → the sanctions of guests that hold for all guests of it."""
    held = SanctionedAddress.objects.filter(
        until__gt=timezone.now(), sanction__in=Sanction.objects.in_force()
    ).order_by("pk")
    found: dict[str, list[SanctionFacts]] = defaultdict(list)
    for network, kind, room_id, until in held.values_list(
        "network", "sanction__kind", "sanction__room_id", "until"
    ):
        # The reason is for the one guest who gave it.
        found[network].append(SanctionFacts(kind, room_id, until.timestamp(), "", by_address=True))
    return dict(found)


def _rights_of(user: User) -> frozenset[str]:
    if not user.is_staff:
        return frozenset()
    own = (each.partition(".") for each in user.get_all_permissions())
    return frozenset(name for app, _, name in own if app == User._meta.app_label)


def _guest(key: str, name: str) -> Identity:
    return Identity(key, None, name, True, False, False, True, {}, [])
