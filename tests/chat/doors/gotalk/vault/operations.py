"""For each right a request, a stream and a notification that note for whom they are called."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

from chat.doors.gotalk import person_of
from rpc import Peer
from rpc import default_handlers as handlers

called = defaultdict(list)
"""By the word of whoever called."""
ended = defaultdict(asyncio.Event)


async def has_account(peer: Peer) -> bool:
    return not person_of(peer).is_guest


RIGHTS = {
    "member": (),
    "scope": "post",
    "permission": "chat.change_room",
    "function": has_account,
}


def register(right, requires):
    @handlers.request(f"ask-{right}", requires=requires)
    async def ask(word: str) -> None:
        """Opens the vault."""
        called[word].append(f"ask-{right}")

    @handlers.stream(f"pour-{right}", requires=requires)
    async def pour(words: AsyncIterator[str]) -> AsyncIterator[str]:
        """Empties the vault."""
        async for word in words:
            called[word].append(f"pour-{right}")
            yield word

    @handlers.notification(f"tell-{right}", requires=requires)
    async def tell(word: str) -> None:
        """Closes the vault."""
        called[word].append(f"tell-{right}")


for right, requires in RIGHTS.items():
    register(right, requires)


@handlers.notification("end", public=True)
async def end(word: str) -> None:
    """Comes behind what one was told before."""
    ended[word].set()


@handlers.request("called", public=True)
async def what_was_called(word: str) -> list[str]:
    """What was called for a word, once its end was told."""
    await ended[word].wait()
    return called[word]
