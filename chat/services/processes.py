"""Serving processes and their connections: begun, kept alive, replaced, forgotten."""

from collections.abc import Collection

from django.utils import timezone

from chat.models import Connection, Process, User
from chat.queries.presence import EXPIRY, people_online
from chat.queries.structs import PersonCard
from chat.services.guests import note_address

Change = tuple[list[PersonCard], list[str]]
"""Who came or changed their name, and the keys of those who left."""


def begin_process(key: str) -> None:
    Process.objects.create(key=key)


def end_process(key: str) -> None:
    Process.objects.filter(pk=key).delete()


def heartbeat(key: str, connections: list[Connection]) -> Change:
    """
    Say that this process lives, forget those that do not; returns who left with them.

    A process that was itself forgotten (its machine slept) comes back with its `connections`.
    """
    dead = Process.objects.filter(seen_at__lt=timezone.now() - EXPIRY).exclude(pk=key)
    gone = set(Connection.objects.filter(process__in=dead).values_list("person_key", flat=True))
    before = people_online(gone)
    dead.delete()
    left = before.keys() - people_online(gone).keys()
    if not Process.objects.filter(pk=key).update(seen_at=timezone.now()):
        begin_process(key)
        return replace_connections({each.key for each in connections}, connections)[0], sorted(left)
    return [], sorted(left)


def replace_connections(
    keys: set[str], connections: list[Connection], guests: Collection[tuple[int, str]] = ()
) -> Change:
    """
    Write the rows of the connections with these keys anew; those without a connection are closed. `guests`: their
    accounts, and the networks from which they came, also those who left meanwhile.
    """
    old = Connection.objects.filter(key__in=keys)
    concerned = {each.person_key for each in connections} | set(old.values_list("person_key", flat=True))
    before = people_online(concerned)
    old.delete()
    for connection in connections:
        connection.pk = None
    known = set(User.objects.filter(pk__in={each.user_id for each in connections}).values_list("pk", flat=True))
    Connection.objects.bulk_create(each for each in connections if each.user_id is None or each.user_id in known)
    for user_id, network in guests:
        note_address(user_id, network)
    after = people_online(concerned)
    joined = [card for key, card in after.items() if before.get(key) != card]
    return joined, sorted(before.keys() - after.keys())
