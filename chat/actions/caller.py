"""Who asks for an action: a person at a connection, and the process that serves it."""

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar
from uuid import uuid4

from chat.actions.access import check, find_room
from chat.actions.roles import Verb
from chat.queries.rooms import RoomFacts
from chat.realtime.clients import Client
from chat.realtime.directory import Person
from chat.realtime.runtime import Runtime
from chat.services.acts.record import Actor, acting

P = ParamSpec("P")
R = TypeVar("R")


class Caller(NamedTuple):
    """Made by a door for each connection, or for one request over HTTP; used on the loop."""

    runtime: Runtime
    client: Client

    @property
    def person(self) -> Person:
        """Whose the connection is now: it may log in, and a guest may get an account."""
        return self.client.person

    def require(self, verb: Verb) -> None:
        """
        Raises:
            OperationError: `not_allowed`, the token is not for this.
        """
        for scope in verb.scopes:
            self.client.require(scope)

    def room(self, name: str, verb: Verb | None = None) -> RoomFacts:
        """
        A room that the person sees, and in which they may do this; without `verb`, that is asked later.

        Raises:
            OperationError: `no_such_room`, also for one that this person may not see; and as `check`.
        """
        room = find_room(self.runtime.directory, self.person, name)
        if verb is not None:
            check(self.person, verb, room)
        return room

    async def write(self, service: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """
        Run a service for this person; returns when it is committed.

        Raises:
            RetryLater: `busy`.
        """
        return await self.write_as(self.actor(), service, *args, **kwargs)

    def actor(self) -> Actor:
        """Who acts with one request; what it does in several writes belongs together in the log."""
        return Actor(self.person.identity.user_id, self.client.address, self.client.link.door, uuid4())

    async def write_as(self, actor: Actor, service: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """
        Raises:
            RetryLater: `busy`.
        """

        def work() -> R:
            with acting(lambda: actor):
                return service(*args, **kwargs)

        return await self.runtime.write(work)
