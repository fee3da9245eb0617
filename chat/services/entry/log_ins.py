"""
Log-ins: counted before a password is looked at, so that those at the same time count too, and logged.

They are counted in the database: for all processes, and beyond a restart. A name that nobody has counts as any
other; only its digest is kept, and it is not logged, as people type passwords there. Whoever has a network of IPv6
has all of its addresses, so these count as one.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from chat.models import Act, LogInAttempts, User
from chat.names import name_key
from chat.secrets import digest_of
from chat.services.acts.record import Change, record, table_of
from rpc.networks import network_of

logger = logging.getLogger("hubtalk.log_in")

By = LogInAttempts.By
MOST = {By.NAME: 50, By.ADDRESS: 50, By.BOTH: 10}
"""Attempts without success within `WINDOW`: a person mistypes a few times, an office shares one address."""
WINDOW = timedelta(minutes=15)
FORGOTTEN_AT_ONCE = 100


def begin(username: str, address: str) -> bool:
    """Count an attempt to log in; returns whether its password may be looked at."""
    user = _user_named(username)
    with transaction.atomic():
        _forget_old()
        # Always in this order: two who wait for each other's rows would wait for ever.
        found = [_locked(by, digest, user, address) for by, digest in _digests(username, address)]
        too_many = [each for each in found if each.count >= MOST[By(each.by)]]
        if not too_many:
            LogInAttempts.objects.filter(pk__in=[each.pk for each in found]).update(count=F("count") + 1)
    if too_many:
        by = " and by ".join(each.by for each in too_many)
        logger.warning("log-in of %s from %s: locked by %s", _shown(user), address, by)
    return not too_many


def fail(username: str, address: str, what: str = "password") -> None:
    logger.warning("log-in of %s from %s: wrong %s", _shown(_user_named(username)), address, what)


def take_back(username: str, address: str) -> None:
    """An attempt does not count after all."""
    with transaction.atomic():
        for by, digest in _digests(username, address):
            LogInAttempts.objects.filter(by=by, digest=digest, count__gt=0).update(count=F("count") - 1)


def succeed(username: str, address: str) -> None:
    """What was tried from there under this name is forgotten; by others, or under other names, it still counts."""
    take_back(username, address)
    *_, (by, digest) = _digests(username, address)
    LogInAttempts.objects.filter(by=by, digest=digest).update(count=0)
    logger.info("log-in of %s from %s", _shown(_user_named(username)), address)


def go_on(username: str, address: str) -> None:
    """The password was right, and a code is asked for: until that is right too, what was tried before counts."""
    take_back(username, address)
    logger.info("log-in of %s from %s: right password, a code is asked for", _shown(_user_named(username)), address)


def unlock(attempts: Iterable[LogInAttempts], *, by: User) -> None:
    """Let them try again at once; unlocking a person unlocks them from every address."""
    with transaction.atomic():
        for each in attempts:
            if each.user_id is not None:
                LogInAttempts.objects.filter(user=each.user_id).delete()
            LogInAttempts.objects.filter(pk=each.pk).delete()
            where = each.address or "everywhere"
            attempts_of = Change(table_of(each), each.pk, {"address": each.address, "count": each.count}, None)
            record(Act.Kind.UNLOCK, attempts_of, by=by.pk, person_id=each.user_id)
            logger.info("log-in of %s from %s: unlocked by %s", _shown(each.user), where, by.username)


def _digests(username: str, address: str) -> list[tuple[By, str]]:
    name, source = name_key(username), network_of(address)
    return [
        (By.NAME, digest_of(name)),
        (By.ADDRESS, digest_of(source)),
        (By.BOTH, digest_of(f"{source} {name}")),
    ]


def _locked(by: By, digest: str, user: User | None, address: str) -> LogInAttempts:
    shown = {
        "user": None if by == By.ADDRESS else user,
        "address": "" if by == By.NAME else network_of(address)[:64],
    }
    LogInAttempts.objects.get_or_create(by=by, digest=digest, defaults=shown)
    found = LogInAttempts.objects.select_for_update().get(by=by, digest=digest)
    if found.since < timezone.now() - WINDOW:
        found.count, found.since = 0, timezone.now()
        found.save(update_fields=["count", "since"])
    return found


def old_attempts() -> QuerySet[LogInAttempts]:
    """Those that count no longer."""
    return LogInAttempts.objects.filter(since__lt=timezone.now() - WINDOW)


def _forget_old() -> None:
    # Those that somebody else looks at are for the next one, lest the two wait for each other.
    old = old_attempts().select_for_update(skip_locked=True)
    LogInAttempts.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])).delete()


def _user_named(username: str) -> User | None:
    return User.objects.filter(username=username).first()


def _shown(user: User | None) -> str:
    return user.username if user is not None else "an unknown name"
