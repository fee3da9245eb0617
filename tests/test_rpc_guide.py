"""docs/rpc.md says what the library does: its Python programs and commands print what stands beneath them."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from rpc import Caps, CloseCode, Limits, addresses, client, server
from rpc.cli.main import SUBCOMMANDS
from rpc.contrib.django import conf
from rpc.contrib.django.joining import gotalk_script
from rpc.limits import MAX_NAME_BYTES
from rpc.peer import requester
from rpc.protocol import session
from tests.certificate import make_certificate
from tests.deadlines import DEADLINE
from tests.documents import Block, blocks, named, read, site_of
from tests.peers.stock.go import GoPeer
from tests.ports import accepts, free_port, wait_until
from tests.server import Server

pytestmark = pytest.mark.peers

ROOT = Path(__file__).resolve().parent.parent
GUIDE = read("docs/rpc.md")

ENDLESS = ("server.py", "client.py", "bot.py")
"""Programs that have a test of their own, since they need another or do not end."""
PROGRAMS = [
    each.name for each in blocks(GUIDE, "python") if not each.name.startswith("shop/") and each.name not in ENDLESS
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """What a reader of the guide has: its Python files, and a certificate."""
    # A unix socket's path has to be short, so not pytest's folder.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_certificate(folder)
        for block in blocks(GUIDE, "python"):
            if block.name in (*PROGRAMS, *ENDLESS):
                (folder / block.name).write_text(block.source)
        yield folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Server]:
    """The site with the guide's app in it."""
    with site_of("docs/rpc.md", folder, GOTALK_LISTEN="tcp://127.0.0.1:0") as site:
        yield site


def gotalk_port(site: Server) -> str:
    found = re.search(r"gotalk is at tcp://127\.0\.0\.1:(\d+)", "\n".join(site.output))
    assert found is not None
    return found[1]


def run(folder: Path, *command: str | Path) -> str:
    """What a command prints; warnings are errors."""
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"}


def replace(path: Path, **ports: object) -> None:
    """Write other ports into a program: these are in use, perhaps by a site that is being looked at."""
    source = path.read_text()
    for port, other in ports.items():
        source = source.replace(f"127.0.0.1:{port.removeprefix('at')}", f"127.0.0.1:{other}")
    path.write_text(source)


def test_first_server_and_client(folder):
    """Without Django, in two processes."""
    port = free_port()
    for name in ("server.py", "client.py"):
        replace(folder / name, at9000=port)
    with subprocess.Popen([sys.executable, "server.py"], cwd=folder, env=environment()) as serving:
        try:
            wait_until(lambda: accepts(port), serving)
            assert run(folder, sys.executable, "client.py") == named(GUIDE, "client.py").output
        finally:
            serving.kill()


@pytest.mark.parametrize("name", PROGRAMS)
def test_python_program(name, folder, site):
    """It prints what stands beneath it."""
    replace(folder / name, at8000=site.port, at8001=gotalk_port(site))
    assert run(folder, sys.executable, name) == named(GUIDE, name).output


def test_page_of_the_operations(site):
    """It shows those of the app."""
    with urlopen(f"{site.url}/rpc/") as answer:
        assert "What an order costs." in answer.read().decode()


def test_go_program(site):
    """What it sends is answered; the Go package itself is not here."""
    assert 's.Request("checkout", Order{"tea", 2}, &answer)' in blocks(GUIDE, "go")[0].source
    order = b'{"item":"tea","count":2}'

    async def check_out() -> None:
        async with GoPeer(f"tcp://127.0.0.1:{gotalk_port(site)}", {"confirm": lambda total: b"true"}) as peer:
            assert await peer.request("checkout", order) == b'"thank you"'

    asyncio.run(check_out())


# --- commands ----------------------------------------------------------------------------------------------


def shell(folder: Path, site: Server, command: str) -> str:
    """What a block of commands prints, errors too."""
    command = command.replace("python manage.py", f"{sys.executable} {ROOT}/manage.py")
    done = subprocess.run(
        ["sh", "-e", "-c", command.replace("127.0.0.1:8001", f"127.0.0.1:{gotalk_port(site)}")],
        cwd=folder,
        env=site.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def commands(word: str) -> Block:
    return next(block for block in blocks(GUIDE, "sh") if word in block.source)


def test_command_line(folder, site):
    """The commands print what stands beneath them."""
    block = commands("gotalk request")
    assert shell(folder, site, block.source) == block.output


def test_subcommands_are_listed():
    """Each of them, and no other."""
    section = GUIDE.split("## The command line")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)`", section, re.MULTILINE)
    assert sorted(listed) == sorted([*SUBCOMMANDS, "serve"])


@pytest.mark.typescript
def test_types(folder, site):
    """What `gotalk types` writes and gotalk.d.ts fit the program that uses both."""
    shell(folder, site, commands("gotalk types").source)
    shutil.copy(ROOT / "rpc/contrib/django/static/rpc/gotalk.d.ts", folder)
    program = blocks(GUIDE, "ts")[0]
    (folder / program.name).write_text(program.source)
    run(folder, "tsc", "--strict", "--noEmit", "--target", "es2020", program.name)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_certificate(folder, site, tmp_path):
    """The one that openssl makes serves the program with TLS."""
    shutil.copy(folder / "tls.py", tmp_path)
    shell(tmp_path, site, commands("openssl").source)
    assert run(tmp_path, sys.executable, "tls.py") == named(GUIDE, "tls.py").output


def test_every_block_is_run():
    """But the Go program; and what is printed stands only where it is compared."""
    languages = set(re.findall(r"^```(\w+)$", GUIDE, re.MULTILINE))
    assert languages == {"python", "js", "html", "sh", "ts", "text", "go"}
    assert len(blocks(GUIDE, "sh")) == 4
    assert len(blocks(GUIDE, "html")) == len(blocks(GUIDE, "ts")) == len(blocks(GUIDE, "go")) == 1
    shown = [block for block in blocks(GUIDE, "python", "js", "html", "sh") if block.output]
    assert len(shown) == GUIDE.count("```text\n")


# --- numbers -----------------------------------------------------------------------------------------------

PROSE = " ".join(re.sub(r"`[^`]*`", "`…`", re.sub(r"^```.*?^```$|<http.*?>", "", GUIDE, flags=re.M | re.S)).split())
LIMITS = Limits()
CAPS = Caps()


def of_the_script(name: str) -> int:
    """A constant or a default of gotalk.js."""
    return int(re.search(rf"\b{name} = (\d+);", gotalk_script())[1])


SAID = [
    f"at most {requester.RETRIES} times",
    f"waits {session.MIN_RETRY_MS} to {session.MAX_RETRY_MS:,} ms",
    "Port 0 is a free one",
    "0 for a free one",
    f"port {addresses.DEFAULT_PORT} unless given",
    f"at most {LIMITS.stream_window} parts are unread",
    "for each full 64 KiB",
    f"{conf.HANDLER_THREADS} of them run at the same time",
    f"because more than {LIMITS.max_outbox_bytes // 2**20} MiB (`…`) is unread",
    f"has a timeout: {LIMITS.request_timeout:g} s",
    f"fails after {LIMITS.stream_timeout:g} s",
    f"longer than {LIMITS.request_timeout:g} s",
    f"1 to {MAX_NAME_BYTES} bytes",
    f"at most {LIMITS.max_payload_bytes // 2**20} MiB",
    f"at most {LIMITS.max_requests_in_flight} requests without an answer",
    f"{LIMITS.max_streams} streams",
    f"{LIMITS.messages_per_second} messages a second after {LIMITS.messages_burst} at once",
    f"{CAPS.connections:,} connections, {CAPS.connections_per_address} of them from one address",
    f"heartbeat every {LIMITS.heartbeat_interval:g} s",
    f"silent for {LIMITS.idle_timeout:g} s",
    f"sends one every {of_the_script('heartbeatInterval') // 1000} s",
    f"gives up after {of_the_script('livenessTimeout') // 1000} s",
    f"for at most {server.Server.close.__defaults__[0]:g} s",
    f"closes each connection with {CloseCode.RESTARTING}",
    "Use {}, {}, {} or {}:".format(*sorted(code for code in client.REFUSALS if code >= 4400)),
    f"up to {client.LAST_CEILING:g} s; after a connection of {client.HEALTHY_SECONDS:g} s",
    f"keeps up to {of_the_script('sendBufferLimit')} messages",
]
"""Every number outside of code, in words that hold it."""


@pytest.mark.parametrize("said", SAID)
def test_number(said):
    """It is the code's."""
    assert said in PROSE


def test_no_other_number():
    """What is written twice is held together; versions and the like are not written."""
    rest = PROSE
    for said in sorted(SAID, key=len, reverse=True):
        rest = rest.replace(said, "")
    assert re.findall(r".{0,20}\d.{0,20}", rest) == []


def test_script_has_the_same_times():
    """Where the guide gives one number for both languages."""
    assert of_the_script("requestTimeout") == LIMITS.request_timeout * 1000
    assert of_the_script("streamTimeout") == LIMITS.stream_timeout * 1000
    assert of_the_script("retryLimit") == requester.RETRIES
    assert of_the_script("WINDOW") == LIMITS.stream_window
    assert of_the_script("LAST_CEILING_MS") == client.LAST_CEILING * 1000
    assert of_the_script("MIN_RETRY_MS") == session.MIN_RETRY_MS


def test_addresses():
    """The site listens there by default."""
    settings = (ROOT / "project/settings.py").read_text()
    assert re.search(r'"GOTALK_LISTEN".*"(tcp://[^"]+)"', settings)[1] in GUIDE
    assert 'PORT = number("PORT", default=8000)' in settings
