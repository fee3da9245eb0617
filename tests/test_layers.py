"""The floors of docs/architecture.md: which way the imports go, and how large a folder and a class may grow."""

import ast
import re
import sys
import tomllib
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from rpc import CloseCode

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rpc", "chat", "project")


def floors(*names: str) -> dict[str, set[str]]:
    """From the ground up: those named together may import what is below them, but not each other."""
    below: set[str] = set()
    arrows = {}
    for floor in names:
        arrows |= {name: set(below) for name in floor.split()}
        below |= set(floor.split())
    return arrows


RPC = floors(
    "addresses close_codes errors limits messages networks",
    "admission failures log_lines",
    "protocol",
    "peer",
    "schema transports",
    "client server",
    "__init__",
    "cli",
    "contrib",
)
CHAT = floors("names secrets", "models", "queries", "services", "realtime", "actions", "doors")
CHAT["web"] = CHAT["realtime"] | {"actions"}
CHAT["admin"] = CHAT["web"] | {"web"}
CHAT["management"] = {"models", "services"}
CHAT["apps"] = set(CHAT)
PROJECT = floors(
    "admission data_folder logs process passwords",
    "settings daphne layers middleware",
    "assets",
    "routing urls gotalk refusals",
    "asgi cli",
    "management",
)
PROJECT["layers"] |= {"daphne"}
ARROWS = {"rpc": RPC, "chat": CHAT, "project": PROJECT}

FRAMEWORKS = {"django", "channels", "asgiref", "daphne", "twisted", "autobahn"}
IMPURE = {
    "asyncio",
    "logging",
    "random",
    "secrets",
    "select",
    "socket",
    "ssl",
    "threading",
    "time",
}
REQUIREMENTS = {
    *(
        "django",
        "channels",
        "channels_redis",
        "daphne",
        "twisted",
        "autobahn",
        "asgiref",
    ),
    *("msgspec", "environ", "redis", "prometheus_client", "psycopg", "servestatic", "websockets", "emoji", "csp"),
    *("httpx", "jwt", "pyotp", "segno"),
}

MOST_ENTRIES = 15
MOST_MODULES = 15
MOST_LINES = 250
MOST_METHODS = 20
LARGER = {"rpc.protocol.session.Session"}
"""One state machine: cut in two, each half would know the other."""

FEWEST_WORDS = 25
VALUES = {"Struct", "NamedTuple", "Enum", "IntEnum", "StrEnum"}
CLOSING = re.compile(r"close|code|refuse|lost", re.IGNORECASE)


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax tree of every module by its name; a package's own has `__init__` for its last part."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                found[".".join(path.relative_to(ROOT).with_suffix("").parts)] = ast.parse(path.read_text())
    assert len(found) > 100
    return found


@cache
def imports(module: str) -> set[str]:
    """The modules that a module imports, wherever in it: ours by the names of `modules`, others as they are."""
    names = set()
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None, f"{module} imports relatively"
            # `from rpc import session` may name a module, `from rpc.protocol.session import Session` does not.
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if is_ours(name) else node.module for name in inner}
    return {f"{name}.__init__" if f"{name}.__init__" in modules() else name for name in names}


def is_ours(name: str) -> bool:
    return name in modules() or f"{name}.__init__" in modules()


def of_package(package: str) -> list[str]:
    return [module for module in modules() if module.split(".")[0] == package]


def floor(module: str) -> str:
    return module.split(".")[1]


def classes() -> dict[str, ast.ClassDef]:
    return {
        f"{module}.{node.name}": node
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_stands_on_a_floor(package):
    """A new folder has its place among the arrows, and no arrow is drawn from what is gone."""
    assert {floor(module) for module in of_package(package)} | {"__init__"} == ARROWS[package].keys() | {"__init__"}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_along_the_arrows(package):
    """Those of types count as well, and those within functions."""
    allowed = ARROWS[package]
    wrong = [
        f"{module} → {imported}"
        for module in of_package(package)
        for imported in imports(module)
        if imported.split(".")[0] == package
        and floor(imported) not in allowed.get(floor(module), set()) | {floor(module)}
    ]
    assert wrong == []


def test_packages_stand_on_each_other():
    """`rpc` is a library, `chat` an app of any project."""
    above = {"rpc": {"chat", "project"}, "chat": {"project"}, "project": set()}
    wrong = [
        f"{module} → {imported}"
        for package in PACKAGES
        for module in of_package(package)
        for imported in imports(module)
        if imported.split(".")[0] in above[package]
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle():
    """Those of types count as well."""
    own = {module: {name for name in imports(module) if name in modules()} for module in modules()}
    try:
        TopologicalSorter(own).prepare()
    except CycleError as error:
        pytest.fail(" ← ".join(error.args[1]))


def test_only_the_django_part_of_rpc_imports_a_framework():
    """The library needs none, and so does its command line."""
    wrong = [
        f"{module} → {imported}"
        for module in of_package("rpc")
        if not module.startswith("rpc.contrib.django.")
        for imported in imports(module)
        if imported.split(".")[0] in FRAMEWORKS
    ]
    assert wrong == []


def pure() -> list[str]:
    """The protocol and what it stands on."""
    ground = [module for module in of_package("rpc") if RPC.get(floor(module)) == set()]
    return ground + [module for module in of_package("rpc") if floor(module) == "protocol"]


def test_protocol_is_pure():
    """No event loop, clock, socket or randomness, and nothing of rpc that has them."""
    own = set(pure())
    wrong = [
        f"{module} → {imported}"
        for module in pure()
        for imported in imports(module)
        if imported.split(".")[0] in IMPURE or (imported.startswith("rpc.") and imported not in own)
    ]
    assert wrong == []


def test_protocol_is_covered():
    """What is pure is what the coverage is measured of."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    measured = {path for glob in configuration["tool"]["coverage"]["run"]["include"] for path in ROOT.glob(glob)}
    assert measured == {(ROOT / module.replace(".", "/")).with_suffix(".py") for module in pure()}


def test_every_import_is_required():
    """A package outside of the standard library is a line of requirements.txt."""
    known = REQUIREMENTS | set(sys.stdlib_module_names) | set(PACKAGES)
    unknown = {
        imported for module in modules() for imported in imports(module) if imported.split(".")[0] not in known
    }
    assert unknown == set()


def test_folders_are_small():
    """At most so many modules, the package's own left out."""
    paths = [module.split(".") for module in modules()]
    folders = [".".join(path[:-1]) for path in paths if path[-1] != "__init__"]
    assert {folder: folders.count(folder) for folder in folders if folders.count(folder) > MOST_MODULES} == {}


def test_chat_is_seen_at_a_glance():
    """Whoever opens the folder finds few entries, each named by its duty."""
    entries = [path.name for path in (ROOT / "chat").iterdir() if not path.name.startswith((".", "__"))]
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_classes_are_small():
    """What cannot be read at one sitting is two things."""
    lines = {name: node.end_lineno - node.lineno + 1 for name, node in classes().items() if name not in LARGER}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
    methods = {name: len(public_methods(node)) for name, node in classes().items() if name not in LARGER}
    assert {name: count for name, count in methods.items() if count > MOST_METHODS} == {}


def public_methods(node: ast.ClassDef) -> set[str]:
    functions = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return {each.name for each in functions if not each.name.startswith("_")}


def test_classes_of_realtime_say_what_they_promise():
    """What it holds, who calls it, on which thread: nothing else tells whether two may be used together."""
    silent = []
    for name, node in classes().items():
        bases = {ast.unparse(base).split(".")[-1] for base in node.bases}
        if name.startswith("chat.realtime.") and not bases & VALUES and not name.endswith("Busy"):
            words = ast.get_docstring(node) or ""
            if len(words.split()) < FEWEST_WORDS or not re.search("loop|thread", words):
                silent.append(name)
    assert silent == []


def test_close_codes_have_names():
    """No bare number where `rpc.CloseCode` has a name for it."""
    bare = [
        f"{module}:{node.lineno} says {value}"
        for module, tree in modules().items()
        if module != "rpc.close_codes"
        for node in ast.walk(tree)
        for value in close_codes(node)
    ]
    assert bare == []


def close_codes(node: ast.AST) -> list[int]:
    """The close codes of an expression; 1000 is many a number, but not where something closes."""
    match node:
        case ast.Constant(value=int() as value) if value > 1000 and value in set(CloseCode):
            return [value]
        case ast.Call(func=function) if CLOSING.search(ast.unparse(function).split(".")[-1]):
            passed = [*node.args, *(keyword.value for keyword in node.keywords)]
        case ast.Compare(left=left) if CLOSING.search(ast.unparse(left)):
            passed = node.comparators
        case _:
            return []
    return [1000 for each in passed if isinstance(each, ast.Constant) and each.value == 1000]
