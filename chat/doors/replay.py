"""A room on a socket, from a point in its past: first what the database has, then what the hub brings."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, Protocol, Self, TypeVar


class Batch(Protocol):
    """What the hub brings of a room in one turn, as a wire writes it."""

    def after(self, mark: int) -> Self:
        """Without what stands up to `mark`."""

    def beside(self) -> Self | None:
        """What stands in no order with the rest and is in no page of the database; None: nothing."""


B = TypeVar("B", bound=Batch)
Page = TypeVar("Page")


class HeldTooMuch(Exception):
    """More came in while older messages were read than may wait."""


class Replay(Generic[B]):
    """
    Shows a room without a gap and without a repeat: subscribe, `hold()`, show the `pages()`, `release()`.

    Announced means stored: what the hub has brought until a page is asked for, that page or a later one has
    too. So it is dropped, and what comes while the last page is read is shown behind it, less what that page
    has. The hub may bring a while later what was read long ago; that is not shown again either.

    Args:
        show: writes a batch to the socket.
        max_held: batches that may wait while pages are read.
    """

    def __init__(self, show: Callable[[B], None], max_held: int = 1000) -> None:
        self._show = show
        self._max_held = max_held
        self._held: list[B] | None = None
        self.read_up_to = 0
        """The mark (a seq or a version, as the wire counts) up to which everything came from the database."""

    def take(self, batch: B) -> None:
        """
        The hub brings a batch: show it, or keep it back.

        Raises:
            HeldTooMuch
        """
        if self._held is None:
            self._show(batch.after(self.read_up_to))
            return
        if len(self._held) >= self._max_held:
            raise HeldTooMuch
        self._held.append(batch)

    def hold(self) -> None:
        """Keep back what comes from now on."""
        if self._held is None:
            self._held = []

    async def pages(
        self, mark: int, read_page: Callable[[int], Awaitable[tuple[int, Page, bool]]]
    ) -> AsyncIterator[tuple[int, Page, bool]]:
        """
        What the database has after `mark`.

        Args:
            read_page: reads a page after a mark: the mark that it reaches, the page, and whether there is more.
        """
        more = True
        while more:
            beside = [each.beside() for each in self._held or ()]
            self._held = [each for each in beside if each is not None]
            mark, page, more = await read_page(mark)
            yield mark, page, more

    def release(self, mark: int) -> None:
        """Everything up to `mark` was shown: show what was kept back, and what comes from now on."""
        self.read_up_to = mark
        held, self._held = self._held or [], None
        for batch in held:
            self.take(batch)
