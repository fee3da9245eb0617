"""The lines of docs/doors.md that call the API do what stands beside them."""

import json
import re
import subprocess

from tests.server import ROOT, Server

TOKEN = """
from chat.models import Token, User
from chat.services.tokens import make_token
user = User.objects.create_user("alice", name="Alice")
print(make_token(Token(user=user, name="robot", scopes=["read", "post", "push"])))
"""
DEADLINE = 20


def test_lines_of_the_document(tmp_path):
    """Post, read and push, in this order."""
    document = (ROOT / "docs" / "doors.md").read_text().split("## HTTP")[1]
    lines = re.findall(r"```sh\n(curl .*?)```", document, re.DOTALL)
    with Server(tmp_path / "data") as server:
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

        posted, page, pushed = map(run, lines)
    assert (posted["body"], posted["author"]) == ("the build is green", "Alice")
    assert page["messages"][-1] == posted
    assert pushed == {"sockets": 0}
