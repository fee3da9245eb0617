"""A room on a socket, from a point in its past: first what the database has, then what the hub brings."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, Protocol, Self, TypeVar


class Batch(Protocol):
    """What the hub brings of a room in one turn, as a wire writes it."""

    @property
    def newest(self) -> int:
        """The mark of its last message; 0 without one."""

    def after(self, mark: int) -> Self:
        """Without what stands up to `mark`."""

    def beside(self) -> Self | None:
        """What stands in no order with the rest and is in no page of the database; None: nothing."""


B = TypeVar("B", bound=Batch)
Page = TypeVar("Page")


class Replay(Generic[B]):
    """
    Shows a room without a gap and without a repeat: subscribe, `hold()`, show the `pages()`, `release()`. The same
    closes the gap that is left while the client does not read: the pages after `shown`.

    Announced means stored: what the hub has brought until a page is asked for, that page or a later one has
    too. So it is dropped, and what comes while the last page is read is shown behind it, less what that page
    has. The hub may bring a while later what was read long ago; that is not shown again either.

    Args:
        show: writes a batch to the socket; returns whether it did, which it does not while the client is behind.
        max_held: batches that may wait while pages are read; what is more is read from the database too.
    """

    def __init__(self, show: Callable[[B], bool], max_held: int = 1000) -> None:
        self._show = show
        self._max_held = max_held
        self._held: list[B] | None = None
        self._dropped = False
        """More came than may wait."""
        self._read_up_to = 0
        """The mark (a seq or a version, as the wire counts) up to which everything came from the database."""
        self.shown = 0
        """The mark up to which everything was shown, or is not for this socket."""
        self.is_behind = False
        """Something after `shown` was left out, and nothing is shown until `release`."""

    def take(self, batch: B) -> None:
        """The hub brings a batch: show it, or keep it back."""
        if self._held is None:
            batch = batch.after(self._read_up_to)
            if self._show(batch):
                self.shown = max(self.shown, batch.newest)
            else:
                self.is_behind = True
                self.hold()
        elif len(self._held) < self._max_held:
            self._held.append(batch)
        else:
            self._dropped = True
            self._held.clear()

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
        while more or self._dropped:
            self._dropped = False
            beside = [each.beside() for each in self._held or ()]
            self._held = [each for each in beside if each is not None]
            mark, page, more = await read_page(mark)
            yield mark, page, more

    def release(self, mark: int) -> None:
        """Everything up to `mark` was shown: show what was kept back, and what comes from now on."""
        self._read_up_to = self.shown = mark
        self.is_behind = False
        held, self._held = self._held or [], None
        for batch in held:
            self.take(batch)
