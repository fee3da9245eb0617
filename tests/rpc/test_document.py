"""docs/protocol.md says what the code does."""

import re
from pathlib import Path

import msgspec

import rpc
from rpc import Caps, CloseCode, Limits, client
from rpc.limits import CHUNK_COST, MAX_NAME_BYTES, SKIP_FACTOR, part_cost
from rpc.protocol import extensions
from rpc.protocol.codec import encode
from rpc.protocol.session import FEATURES, MAX_RETRY_MS, MIN_RETRY_MS
from tests.rpc.wire import HELLO

ROOT = Path(rpc.__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def section(heading: str) -> str:
    return DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    lines = [line for line in section(heading).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_limits():
    """Each limit stands there with its default."""
    documented = {row[0].strip("`"): float(re.match(r"\d+", row[1])[0]) for row in rows("Limits")}
    assert documented == {name: float(value) for name, value in msgspec.structs.asdict(Limits()).items()}


def test_caps():
    """docs/operations.md has each with its default."""
    written = OPERATIONS.split("## Connections\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| (\d+) \|", written, re.MULTILINE)
    assert {name: int(value) for name, value in found} == msgspec.structs.asdict(Caps())


def test_what_limits_count():
    """Each limit that is no time is explained: what it counts, and of which peer."""
    explained = {name for row in rows("What limits count") for name in re.findall(r"`(\w+)`", row[0])}
    counting = {name for name in Limits.__struct_fields__ if not name.endswith(("_timeout", "_interval", "_burst"))}
    assert explained == counting


def test_numbers_in_the_text():
    """Numbers outside of the table are the code's."""
    assert f"A name has 1 to {MAX_NAME_BYTES} bytes" in DOCUMENT
    assert f"a payload of more than {SKIP_FACTOR} times the limit" in DOCUMENT
    assert f"counts as {CHUNK_COST} bytes more" in DOCUMENT
    assert f"{MIN_RETRY_MS} to {MAX_RETRY_MS:,} ms" in DOCUMENT


def test_features():
    """Each feature that we announce is explained, and our `$hello` shown as it is."""
    assert tuple(row[0].strip("`") for row in rows("Capabilities")) == FEATURES
    assert HELLO.decode() in DOCUMENT


def test_public_names():
    """Each public name is listed, and nothing that is not public."""
    documented = [name for row in rows("In Python") for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(documented) == rpc.__all__


def test_grant():
    """A grant is shown as it is, and what a part costs is the code's."""
    assert b"".join(encode(extensions.more(b"0001", 8, results=False))).decode() in DOCUMENT
    assert (part_cost(b"x"), part_cost(bytes(64 * 1024))) == (1, 2)
    assert "A part costs 1, and 1 more for each full 64 KiB" in DOCUMENT


def test_close_codes():
    """Each stands there under its name, and with what the clients do then."""
    documented = [(row[0].strip("`"), row[1].strip("`"), row[-1]) for row in rows("Close codes")]
    assert documented == [
        (str(code.value), code.name, "no" if code in client.REFUSALS else "yes") for code in CloseCode
    ]


def test_close_codes_stand_in_one_place():
    """Another document that lists them would have to be held to them too."""
    others = [path for path in (ROOT / "docs").glob("*.md") if path.name != "protocol.md"]
    listed = re.compile(rf"^\| `?({'|'.join(str(code.value) for code in CloseCode)})`? \|", re.MULTILINE)
    assert [path.name for path in others if listed.search(path.read_text())] == []
