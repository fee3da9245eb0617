"""
Who calls an operation, and the guard of all operations of the site: what `requires=` means in words.

Nothing but public handlers is called before the chat has let in whoever calls (`chat.doors.gotalk.login`).
"""

import re
from functools import cache, partial

from django.apps import apps

from chat.actions.caller import Caller
from chat.queries.identity import Identity
from chat.queries.rights import has_permission
from chat.queries.tokens import SCOPES
from chat.realtime.db import read
from rpc import OperationError, Peer
from rpc import default_handlers as handlers
from rpc.peer.handler import Check
from rpc.schema.operations import Visitor

_PERMISSION = re.compile(r"(\w+)\.\w+")


def caller_of(peer: Peer | Visitor) -> Caller:
    """
    Who asks an operation of the chat.

    Raises:
        OperationError: `log_in` first.
    """
    caller = peer.data
    if not isinstance(caller, Caller):
        raise OperationError("log in first", code="log_in")
    return caller


def person_of(peer: Peer | Visitor) -> Identity:
    """
    Who calls, as the chat knows them now: a person with an account, or a guest.

    Raises:
        OperationError: `log_in` first; not in a handler, unless it is public.
    """
    return peer.data if isinstance(peer.data, Identity) else caller_of(peer).person.identity


@handlers.guard
@cache
def check_for(requirement: str) -> Check:
    """
    The check of a scope, which tokens have and whoever comes without one need not, or of a permission of Django,
    such as `shop.change_order`. The same for the same word, so that `$ops` asks once.

    Raises:
        ValueError: it is neither.
    """
    if requirement in SCOPES:
        return partial(_has_scope, requirement)
    permission = _PERMISSION.fullmatch(requirement)
    if permission is None or permission[1] not in apps.app_configs:
        scopes = ", ".join(SCOPES)
        raise ValueError(
            f"{requirement!r} is neither a scope ({scopes}) nor a permission of an installed app, such as "
            "'shop.change_order'"
        )
    return partial(_has_permission, requirement)


def _has_scope(scope: str, peer: Peer | Visitor) -> bool:
    if isinstance(peer.data, Caller) and (token := peer.data.client.token) is not None:
        token.require(scope)
    return True


async def _has_permission(permission: str, peer: Peer | Visitor) -> bool:
    # Asked of the database each time: nothing tells of a group whose permissions changed.
    user_id = person_of(peer).user_id
    return user_id is not None and await read(has_permission, user_id, permission)
