"""The code of the documents, taken out as a reader takes it."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.server import ROOT, Server


class Block(NamedTuple):
    """A block of code: its first line may name its file, and what it prints may stand beneath it."""

    language: str
    name: str
    source: str
    output: str


def read(document: str) -> str:
    return (ROOT / document).read_text()


def blocks(text: str, *languages: str) -> list[Block]:
    """The blocks in these languages, in the order of the text."""
    found = re.findall(r"^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", text, re.MULTILINE | re.DOTALL)
    every = [Block(language, _name(source), source, output) for language, source, output in found]
    return [block for block in every if block.language in languages]


def named(text: str, name: str) -> Block:
    """The block that is the file of that name."""
    return next(block for block in blocks(text, "python", "js", "html") if block.name == name)


def _name(source: str) -> str:
    name = re.match(r"(?:#|//|<!--) ?([\w./-]+\.\w+)", source)
    return name[1] if name is not None else ""


def write_app(text: str, folder: Path) -> str:
    """
    Write the app of a document, whose server is started with its settings, into a folder.

    Returns:
        The module of the settings, as the document's command names it.
    """
    command = next(block.source for block in blocks(text, "sh") if "DJANGO_SETTINGS_MODULE" in block.source)
    variable, program = shlex.split(command)
    assert program == "bin/run"
    settings = variable.removeprefix("DJANGO_SETTINGS_MODULE=")
    app = settings.partition(".")[0]
    assert f"Make a folder `{app}` beside `manage.py`, with an empty `__init__.py` and these" in text
    (folder / app).mkdir(exist_ok=True)
    (folder / app / "__init__.py").touch()
    for block in blocks(text, "python", "html", "js"):
        if block.name.startswith(f"{app}/"):
            file = folder / block.name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a") as opened:
                opened.write(block.source)
    return settings


def address_in(text: str) -> str:
    """The path at which the reader opens the page of the document's app."""
    address = re.search(r"open\s<http://127\.0\.0\.1:8000(/[^>]+)>", text)
    assert address is not None
    return address[1]


@contextmanager
def site_of(document: str, folder: Path, **environment: str) -> Iterator[Server]:
    """The site as it runs for a reader who has made the app of a document."""
    settings = write_app(read(document), folder)
    environment |= {"DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": str(folder)}
    with Server(folder / "data", environment=environment) as site:
        yield site
