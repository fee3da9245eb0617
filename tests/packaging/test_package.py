"""The library as a package of its own: what a wheel of it holds, and that it works where nothing else is."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from tests.deadlines import DEADLINE
from tests.ports import accepts, free_port, wait_until
from tests.server import ROOT

pytestmark = pytest.mark.long

INSTALL_TIMEOUT = 300.0

SERVER = """
import asyncio
import sys

from rpc import Handlers, serve

handlers = Handlers()


@handlers.request("echo", inline=True)
def echo(payload: bytes) -> bytes:
    return payload


async def main() -> None:
    async with await serve(sys.argv[1], handlers):
        await asyncio.Event().wait()


asyncio.run(main())
"""


def block(document, name):
    """A program that a document shows."""
    return re.search(rf"```python\n(# {name}\n.*?)```", (ROOT / document).read_text(), re.DOTALL)[1]


class Environment:
    """A virtual environment with nothing in it but the wheel and what that asks for."""

    def __init__(self, folder, *packages):
        self.folder = folder
        python = folder / "venv" / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check"]
        for command in (
            [sys.executable, "-m", "venv", "--without-pip", folder / "venv"],
            [*pip, "install", "--no-compile", *packages, "-c", ROOT / "constraints.txt"],
        ):
            subprocess.run(command, check=True, timeout=INSTALL_TIMEOUT)

    def command(self, program, *arguments):
        return [self.folder / "venv" / "bin" / program, *arguments]

    def options(self):
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        return {"cwd": self.folder, "env": environment}

    def run(self, program, *arguments):
        """What it prints; warnings of pip aside it must not complain."""
        done = subprocess.run(
            self.command(program, *arguments),
            **self.options(),
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write(self, name, source):
        (self.folder / name).write_text(source)

    @contextmanager
    def running(self, port, program, *arguments):
        """A server, as soon as it accepts."""
        with subprocess.Popen(self.command(program, *arguments), **self.options()) as process:
            try:
                wait_until(lambda: accepts(port), process)
                yield
            finally:
                process.kill()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the files that a clone has."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "LICENSE", "docs/rpc.md"):
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    for name in ("rpc", "chat", "project"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir", folder, source]
    subprocess.run(build, check=True, timeout=INSTALL_TIMEOUT)
    [built] = folder.iterdir()
    assert built.name.startswith("hubtalk_rpc-")
    return built


@pytest.fixture(scope="module")
def plain(wheel, tmp_path_factory):
    """Without Django, and without WebSockets."""
    return Environment(tmp_path_factory.mktemp("plain"), wheel)


@pytest.fixture(scope="module")
def echo(plain):
    """The address of a server in the plain environment."""
    port = free_port()
    plain.write("server.py", SERVER)
    with plain.running(port, "python", "server.py", f"tcp://127.0.0.1:{port}"):
        yield f"tcp://127.0.0.1:{port}"


def test_package_is_the_library_alone(plain):
    """Neither the chat nor the project is in it, and it asks for neither Django nor websockets."""
    program = (
        "from importlib.util import find_spec\n"
        "print([name for name in ('rpc', 'msgspec', 'chat', 'project', 'django', 'websockets') if find_spec(name)])"
    )
    assert plain.run("python", "-c", program) == "['rpc', 'msgspec']\n"


def test_client_of_the_readme(plain, echo):
    """It prints the answer of a server."""
    plain.write("client.py", block("README.md", "client.py").replace("tcp://127.0.0.1:8001", echo))
    assert plain.run("python", "client.py") == "hello\n"


def test_console_script(plain, echo):
    """The command is there, and says so in its help."""
    assert plain.run("gotalk", "request", echo, "echo", '"hello"') == '"hello"\n'
    assert "\n  gotalk bench tcp://" in plain.run("gotalk", "bench", "--help")


def test_types_are_shipped(plain):
    """A type checker reads those of the package."""
    program = "import rpc, pathlib; print((pathlib.Path(rpc.__file__).parent / 'py.typed').exists())"
    assert plain.run("python", "-c", program) == "True\n"


@pytest.fixture(scope="module")
def project(wheel, tmp_path_factory):
    """The address of a Django project in one file, under Daphne."""
    environment = Environment(tmp_path_factory.mktemp("project"), f"{wheel}[django,websocket]", "daphne")
    environment.write("one_file.py", block("docs/package.md", "one_file.py"))
    port = free_port()
    with environment.running(port, "daphne", "-b", "127.0.0.1", "-p", str(port), "one_file:application"):
        yield environment, f"127.0.0.1:{port}"


def test_page_of_a_project_in_one_file(project):
    """It shows the operations, in its own frame, and everything that it loads is there."""
    _, host = project
    page = urlopen(f"http://{host}/rpc/", timeout=DEADLINE).read().decode()
    assert 'id="operation-echo"' in page
    assert "The same text." in page
    assert "<title>Operations · gotalk</title>" in page
    loaded = re.findall(r'(?:src|href)="(/[^"#]*)"', page)
    assert {"/gotalk/gotalk.js", "/static/rpc/base.css", "/static/rpc/operations.js"} <= set(loaded)
    assert [urlopen(f"http://{host}{each}", timeout=DEADLINE).status for each in loaded] == [200] * len(loaded)


def test_websocket_of_a_project_in_one_file(project):
    """Its operations answer."""
    environment, host = project
    assert environment.run("gotalk", "request", f"ws://{host}/gotalk/", "echo", '"hello"') == '"hello"\n'
