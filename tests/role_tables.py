"""The tables of docs/moderation.md that say who may do what: read, and as they are made from the code."""

import re
from pathlib import Path
from typing import NamedTuple

from chat.actions.roles import Role, Standing, Verb

DOCUMENT = Path(__file__).resolve().parent.parent / "docs/moderation.md"
HEADING = "## Who may do what"


class Row(NamedTuple):
    """What is done: who may, by rank, `yes` or a permission; what closes it; the scopes that a token needs."""

    given: dict[str, str]
    closed_by: frozenset[str]
    scopes: frozenset[str]


def section():
    return DOCUMENT.read_text().split(HEADING)[1].split("\n## ")[0]


def written():
    """The rows of the document: those of a room, those of the site, each {words: Row}."""
    tables = re.findall(r"^\| in a room.*?\n\n|^\| on the whole site.*?\n\n", section() + "\n\n", re.M | re.S)
    return [_rows(table.strip().splitlines()) for table in tables]


def _rows(lines):
    (_, *ranks, _, _), _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {
        words: Row(
            dict(zip(ranks, [cell.strip("`") for cell in given], strict=True)), _words(closed_by), _words(scopes)
        )
        for words, *given, closed_by, scopes in rows
    }


def _words(cell):
    return frozenset(word.strip("` ") for word in cell.split(",") if word.strip())


def made(what, ranks):
    """One table in Markdown."""
    lines = [[what, *(rank.name.lower() for rank in ranks), "closed while", "a token needs"]]
    lines.append(["---"] * len(lines[0]))
    for verb in Verb:
        if verb.in_a_room == (ranks is Role):
            given = [verb.given_to(rank) for rank in ranks]
            cells = ["yes" if each is True else f"`{each}`" if each else "" for each in given]
            scopes = ", ".join(f"`{scope}`" for scope in verb.scopes)
            lines.append([verb.words, *cells, ", ".join(verb.closed_by), scopes])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


IN_A_ROOM = made("in a room", Role)
ON_THE_SITE = made("on the whole site", Standing)
