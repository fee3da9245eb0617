"""
How passwords are hashed: with the cost that OWASP recommends, and by few at a time.

A hash is dear on purpose, so strangers who log in all at once must not decide how many are made. Whatever makes one
takes its turn here: logging in, signing up, a new password, the admin, `manage.py createsuperuser`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from rpc import RetryLater

AT_ONCE = 2
"""Each takes a core, and 19 MiB."""
MAX_WAITING = 4
"""Each holds a thread that other pages need."""
RETRY_MS = 2000

_places = BoundedSemaphore(AT_ONCE + MAX_WAITING)
_running = BoundedSemaphore(AT_ONCE)


class PasswordsBusy(RetryLater):
    """More passwords are being hashed than may wait; to be tried again later."""

    def __init__(self) -> None:
        super().__init__(RETRY_MS, "too many people log in at this moment", code="busy")


@contextmanager
def turn() -> Iterator[None]:
    """
    Wait until fewer than `AT_ONCE` others hash a password.

    Raises:
        PasswordsBusy: `MAX_WAITING` others wait already.
    """
    if not _places.acquire(blocking=False):
        raise PasswordsBusy
    try:
        with _running:
            yield
    finally:
        _places.release()


class Argon2(Argon2PasswordHasher):
    """Argon2id with the parameters of OWASP's Password Storage Cheat Sheet; a log-in renews a stored hash."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with turn():
            return super().verify(password, encoded)


class PBKDF2(PBKDF2PasswordHasher):
    """For accounts that were brought from elsewhere: Django's default."""

    def encode(self, password: str, salt: str, iterations: Any = None) -> str:
        with turn():
            return super().encode(password, salt, iterations)
