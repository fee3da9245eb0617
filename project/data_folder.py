"""The folder with what belongs to the operator alone: the database and the key that signs sessions."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

OTHERS = 0o077
"""Every right of everybody but the owner."""


def make_private_folder(folder: Path) -> None:
    """
    Make the folder where there is none, and let nobody but its owner into it.

    Raises:
        ImproperlyConfigured: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    _keep_others_out(folder)


def make_private_file(path: Path) -> None:
    """
    Make an empty file where there is none, and let nobody but its owner read it; what SQLite puts beside its
    database has the same mode. Where the folder cannot be written, whoever opens the file will say so.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        return
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if each.exists():
            _keep_others_out(each)


def read_or_make_secret_key(folder: Path) -> str:
    """
    The key in `folder`; made there, for its owner's eyes only, when there is none.

    Raises:
        ImproperlyConfigured: the folder cannot be written.
    """
    path = folder / "secret_key"
    try:
        try:
            # O_EXCL: of two processes that start together, one makes the key and the other reads it.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            _keep_others_out(path)
            return path.read_text()
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        return path.read_text()
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _keep_others_out(path: Path) -> None:
    found = path.stat()
    if found.st_mode & OTHERS and found.st_uid == os.geteuid():
        path.chmod(found.st_mode & 0o7700)


def _cannot_write(folder: Path, error: OSError) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"The folder {folder} cannot be written ({error.strerror}): set HUBTALK_DATA to a folder that can."
    )
