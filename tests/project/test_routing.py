"""Which application serves which WebSocket path."""

from project.routing import NoSuchDoor
from tests.project.asgi import run


def test_unknown_path_is_told_so():
    """An accepted socket shows its close code to a page; a refused one does not."""
    assert run(NoSuchDoor()) == [{"type": "websocket.accept"}, {"type": "websocket.close", "code": 4404}]
