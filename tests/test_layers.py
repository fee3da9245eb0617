"""The import arrows of docs/architecture.md."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FRAMEWORKS = {"django", "channels", "asgiref", "daphne", "twisted", "autobahn"}
DJANGO_SIDE_OF_RPC = "rpc/contrib/django/"
PURE = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["include"])
NOT_PURE = {"asyncio", "socket", "threading", "time", "random", "secrets", "logging"}


def modules(package):
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    return [path.relative_to(ROOT).as_posix() for path in paths if "migrations" not in path.parts]


def imported(module):
    """The top-level packages that a module imports, and its own package's modules in full."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names.add(node.module)
            # `from rpc import session` imports a module, `from rpc.protocol.session import Session` does not.
            submodules = (f"{node.module}.{alias.name}" for alias in node.names)
            names |= {name for name in submodules if (ROOT / (name.replace(".", "/") + ".py")).exists()}
    return names


def packages(module):
    return {name.split(".")[0] for name in imported(module)}


@pytest.mark.parametrize("module", modules("rpc"))
def test_rpc_knows_nothing_of_chat_or_project(module):
    """rpc is a library."""
    assert not packages(module) & {"chat", "project"}


@pytest.mark.parametrize("module", modules("chat"))
def test_chat_does_not_import_project(module):
    """The wiring knows its parts, never the reverse."""
    assert "project" not in packages(module)


@pytest.mark.parametrize("module", [each for each in modules("rpc") if not each.startswith(DJANGO_SIDE_OF_RPC)])
def test_rpc_needs_no_django(module):
    """Only the Django side of rpc imports Django or Channels."""
    if "/management/" not in module:
        assert not packages(module) & FRAMEWORKS


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure_core_does_no_io(module):
    """No asyncio, clock, socket or randomness in the protocol's core."""
    assert not packages(module) & NOT_PURE


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure_core_imports_only_itself(module):
    """The pure core needs nothing of rpc that is not pure."""
    own = {name.replace(".", "/") + ".py" for name in imported(module) if name.startswith("rpc.")}
    assert {path for path in own if (ROOT / path).exists()} <= PURE


def test_domain_does_not_know_its_doors():
    """Services, writer and hub are called by doors, never the reverse."""
    doors = {"chat.doors.gotalk.operations.chat", "chat.consumers", "chat.web.page", "chat.admin"}
    for module in modules("chat"):
        if module.startswith(("chat/services/", "chat/realtime/", "chat/actions/", "chat/queries/")):
            assert not imported(module) & doors, module


def test_only_the_standard_library_and_requirements_are_imported():
    """Every dependency is a line in requirements.txt."""
    named = {
        *("django", "channels", "channels_redis", "daphne", "twisted", "autobahn", "asgiref"),
        *("msgspec", "environ", "redis", "prometheus_client", "psycopg", "websockets"),
    }
    for package in ("rpc", "chat", "project"):
        for module in modules(package):
            unknown = packages(module) - named - set(sys.stdlib_module_names) - {"rpc", "chat", "project"}
            assert not unknown, (module, unknown)
