"""The static files of this version of the site, under addresses that change with any of them."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import find, get_finders
from django.contrib.staticfiles.storage import StaticFilesStorage

from rpc.contrib.django.joining import joined

DIGITS = 16


class ReleaseStorage(StaticFilesStorage):
    """Puts the release in front of each name: browsers keep files, and relative imports lead to its own."""

    def url(self, name: str | None) -> str:
        return super().url(name if settings.DEBUG else f"{release()}/{name}")


@cache
def release() -> str:
    """`DIGITS` hexadecimal digits that stand for all static files of this process."""
    digest = sha256()
    for name, path in sorted(_files()):
        digest.update(f"{name} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:DIGITS]


def split_release(name: str) -> tuple[str, str]:
    """The release that stands in front of a name, or "", and the name itself."""
    head, _, rest = name.partition("/")
    named = len(head) == DIGITS and set(head) <= set("0123456789abcdef")
    return (head, rest) if named else ("", name)


def text_of(name: str) -> bytes:
    """A file of text as it is served: a page's script comes with all that it imports."""
    return joined(name, _source).encode() if name in settings.JOINED_SCRIPTS else _path(name).read_bytes()


def _source(name: str) -> str:
    return _path(name).read_text(encoding="utf-8")


def _path(name: str) -> Path:
    found = find(name)
    assert isinstance(found, str), name
    return Path(found)


def _files() -> Iterator[tuple[str, Path]]:
    for finder in get_finders():
        for name, storage in finder.list(None):
            yield name, Path(storage.path(name))
