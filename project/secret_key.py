"""The site's secret, made at the first start."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def read_or_make_secret_key(folder: Path) -> str:
    """
    The key in `folder`; made there, for its owner's eyes only, when there is none.

    Raises:
        ImproperlyConfigured: the folder cannot be written.
    """
    path = folder / "secret_key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            # O_EXCL: of two processes that start together, one makes the key and the other reads it.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The folder {folder} cannot be written ({error.strerror}): set HUBTALK_DATA to a folder that can."
        ) from error
