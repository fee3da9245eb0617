"""The commands of docs/doors.md and README.md, and its lines of Python for apps, do what stands beside them."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.deadlines import DEADLINE
from tests.documents import blocks, named, read
from tests.server import ROOT, Server

TOKEN = """
from chat.models import Token, User
from chat.services.tokens import make_token
user = User.objects.create_user("alice", name="Alice", is_staff=True)
print(make_token(Token(user=user, name="robot", scopes=["read", "post", "push"])))
"""
FRIEND = """
from chat.models import User
User.objects.create_user("friend", name="我们都好")
"""


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "data", environment={"GOTALK_LISTEN": "tcp://127.0.0.1:0"}) as server:
        yield server


def test_requests_over_http(server):
    """Those of docs/doors.md post, read and push, in this order; that of README.md posts."""
    token = server.manage("shell", "-v0", "-c", TOKEN).strip()

    def run(line):
        done = subprocess.run(
            ["sh", "-c", line.replace("http://127.0.0.1:8000", server.url).replace("curl", "curl --silent", 1)],
            env={**server.environment(), "TOKEN": token},
            capture_output=True,
            timeout=DEADLINE,
            check=True,
        )
        return json.loads(done.stdout)

    requests = [each.source for each in blocks(read("docs/doors.md"), "sh") if each.source.startswith("curl")]
    posted, page, pushed = map(run, requests)
    assert (posted["body"], posted["author"]) == ("the build is green", "Alice")
    assert page["messages"][-1] == posted
    assert pushed == {"sockets": 0}

    once_more = run(re.search(r"^curl .*", read("README.md"), re.MULTILINE)[0])
    assert (once_more["body"], once_more["author"]) == ("the build is green", "Alice")


def test_push_from_django_code_and_a_shell(server):
    """Nobody is connected, so it is sent to none."""
    server.manage("shell", "-v0", "-c", FRIEND)
    document = read("docs/doors.md")
    python = next(each.source for each in blocks(document, "python") if "push(" in each.source)
    assert server.manage("shell", "-v0", "-c", f"{python}\nprint(sockets)").strip() == "0"
    command = next(each.source for each in blocks(document, "sh") if "manage.py push" in each.source)
    user, opcode, payload = re.fullmatch(r"python manage.py push (\S+) (\S+) '(.*)'\n", command).groups()
    assert server.manage("push", user, opcode, payload).strip() == "sent to 0"


def test_gotalk_client_of_the_readme(server, tmp_path):
    """It prints what it sent, as the command line does."""
    program = tmp_path / "client.py"
    program.write_text(
        named(read("README.md"), "client.py").source.replace("tcp://127.0.0.1:8001", server.gotalk_url)
    )
    done = subprocess.run(
        [sys.executable, program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert done.stdout == "hello\n"
    command = re.search(r"^python manage.py (gotalk request .*)$", read("README.md"), re.MULTILINE)[1]
    arguments = shlex.split(command.replace("tcp://127.0.0.1:8001", server.gotalk_url))
    assert server.manage(*arguments).strip() == '"hello"'
