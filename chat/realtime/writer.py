"""
Group commit: one thread writes, many posts share one transaction.

Posts that arrive while a commit runs form the next batch, so an idle writer adds no wait and a busy one
needs one fsync for many. The thread owns the only connection that checkpoints SQLite's log: with two, SQLite
before 3.51.3 can corrupt the database (WAL-reset bug).
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from prometheus_client import Counter, Histogram

from chat.services.posts import NewPost, Stored, store_posts
from rpc import OperationError, RetryLater

POSTS = Counter("hubtalk_posts", "Posts stored")
BATCH_POSTS = Histogram("hubtalk_batch_posts", "Posts in one commit", buckets=[2**power for power in range(10)])
COMMIT_SECONDS = Histogram(
    "hubtalk_commit_seconds", "Time of one commit", buckets=[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2]
)

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

MAX_WAITING = 10_000
"""Jobs that may wait: about one second of posts at full speed. Beyond, `WriterBusy`."""
MAX_BATCH = 512
"""Posts in one transaction: past this a larger batch wins nothing and makes the first one wait."""
MAX_WAIT = 10.0
"""Seconds in which a job is begun, or it is refused: a database that takes nothing keeps nobody waiting."""
BUSY_RETRY_MS = 1000
CHECKPOINT_PAGES = 1000
"""SQLite's own default for `wal_autocheckpoint`."""


class WriterBusy(RetryLater):
    """Too much waits to be written, or the writer has stopped; to be tried again later."""

    def __init__(self) -> None:
        super().__init__(BUSY_RETRY_MS, "the server is busy", code="busy")


class _Job(NamedTuple):
    """One thing to do in a transaction; `done` belongs to the loop that asked, `until` is of `time.monotonic`."""

    work: NewPost | Callable[[], Any]
    done: asyncio.Future[Any]
    until: float


Outcome = tuple[_Job, Any, BaseException | None]


class Writer:
    """
    What waits to be written, and the one thread that writes it.

    Doors and services hand over on the loop; the thread stores and reports back to the loop that asked. It
    promises that an answer means a commit, that posts of one connection keep their order, and that no job is
    left without an answer: one that waited for `MAX_WAIT` is refused.
    """

    def __init__(self, committed: Callable[[list[Stored]], None]) -> None:
        """`committed` is called on the writer's thread with the new posts of each committed batch."""
        self._committed = committed
        self._waiting: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    async def post(self, post: NewPost) -> Stored:
        """
        Store a post; returns once it is durable. A repeat of a client id returns the first post.

        Raises:
            WriterBusy: try again later; nothing was stored.
            OperationError: as `store_posts` refuses it.
        """
        stored: Stored = await self._submit(post)
        return stored

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """
        Run a service in a transaction of its own, between batches; returns once it is committed.

        Raises:
            WriterBusy: try again later; nothing was done.
            Exception: whatever `function` raised; nothing was done.
        """
        result: R = await self._submit(partial(function, *args, **kwargs))
        return result

    async def stop(self, timeout: float) -> None:
        """Take no more, finish what waits, for at most `timeout` seconds."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join, timeout)

    def _submit(self, work: NewPost | Callable[[], Any]) -> asyncio.Future[Any]:
        job = _Job(work, asyncio.get_running_loop().create_future(), time.monotonic() + MAX_WAIT)
        with self._wake:
            if self._closing or len(self._waiting) >= MAX_WAITING:
                raise WriterBusy
            self._waiting.append(job)
            self._wake.notify()
        return job.done

    def _run(self) -> None:
        try:
            while jobs := self._next_jobs():
                _report(self._write(jobs))
        finally:
            connection.close()

    def _next_jobs(self) -> list[_Job]:
        """The next batch of posts, or the next single call: what shares a transaction, in order of arrival."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closing)
            jobs: list[_Job] = []
            while self._waiting and len(jobs) < MAX_BATCH:
                is_post = isinstance(self._waiting[0].work, NewPost)
                if jobs and not is_post:
                    break
                jobs.append(self._waiting.popleft())
                if not is_post:
                    break
            return jobs

    def _write(self, jobs: list[_Job]) -> list[Outcome]:
        now = time.monotonic()
        late: list[Outcome] = [(job, None, WriterBusy()) for job in jobs if job.until < now]
        # They came one after the other.
        return late + self._write_in_time(jobs[len(late) :])

    def _write_in_time(self, jobs: list[_Job]) -> list[Outcome]:
        if not jobs:
            return []
        first = jobs[0]
        if isinstance(first.work, NewPost):
            return self._write_posts(jobs)
        try:
            return [(first, _in_transaction(first.work), None)]
        except Exception as error:
            return [(first, None, error)]

    def _write_posts(self, jobs: list[_Job]) -> list[Outcome]:
        try:
            answers = _store([job.work for job in jobs if isinstance(job.work, NewPost)], jobs[0].until)
        except WriterBusy as busy:
            # No post is to blame.
            return [(job, None, busy) for job in jobs]
        except Exception as error:
            if len(jobs) == 1:
                return [(jobs[0], None, error)]
            # One post that cannot be stored must not take the others with it: it is looked for by halving,
            # from the left, so that the order stays.
            middle = len(jobs) // 2
            return self._write_posts(jobs[:middle]) + self._write_posts(jobs[middle:])
        created = [answer for answer in answers if isinstance(answer, Stored) and answer.created]
        POSTS.inc(len(created))
        BATCH_POSTS.observe(len(jobs))
        self._committed(created)
        return [
            (job, None, answer) if isinstance(answer, OperationError) else (job, answer, None)
            for job, answer in zip(jobs, answers, strict=True)
        ]


class Saver:
    """
    Stores what is gathered in memory, some seconds after it changed and a last time at the end.

    Its owner calls it on the loop; one task of its own waits and saves. It promises that what changed is given
    to `save` within `seconds`; what cannot be saved is logged, and is the owner's to keep or forget. What a busy
    writer does not take the owner keeps, and is asked for again.
    """

    def __init__(self, what: str, seconds: float, save: Callable[[], Awaitable[None]]) -> None:
        self._what = what
        self._seconds = seconds
        self._save = save
        self._changed = asyncio.Event()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"{self._what} saver")

    async def stop(self) -> None:
        """Save what waits; called before the writer stops."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with suppress(WriterBusy):
            await self._save()

    def changed(self) -> None:
        self._changed.set()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(self._seconds)
            self._changed.clear()
            try:
                await self._save()
            except WriterBusy:
                self._changed.set()
            except Exception:
                logger.exception("%s could not be saved", self._what)


def _store(posts: list[NewPost], until: float) -> list[Stored | OperationError]:
    """Store posts in a transaction, and until then once more where that may help: posting is idempotent."""
    store = partial(store_posts, posts)
    # A connection that died; or another process that stored the same client id between our look and our
    # insert, which the next look finds. The halves of a batch look again anyway.
    passing = (WriterBusy, IntegrityError) if len(posts) == 1 else (WriterBusy,)
    try:
        return _in_transaction(store)
    except passing:
        if time.monotonic() > until:
            raise
        return _in_transaction(store)


def _in_transaction(function: Callable[[], R]) -> R:
    try:
        if connection.connection is None:
            _prepare_connection()
        with COMMIT_SECONDS.time(), transaction.atomic():
            return function()
    except (OperationalError, InterfaceError) as error:
        logger.warning("the database did not take a write: %s", error)
        connection.close()
        raise WriterBusy from error


def _prepare_connection() -> None:
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")


def _report(outcomes: list[Outcome]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome[0].done.get_loop(), []).append(outcome)
    for loop, its_outcomes in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, its_outcomes)


def _resolve(outcomes: list[Outcome]) -> None:
    for job, result, error in outcomes:
        if job.done.done():
            continue
        if error is None:
            job.done.set_result(result)
        else:
            job.done.set_exception(error)
