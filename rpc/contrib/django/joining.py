"""Modules of JavaScript as one script, made when it is first asked for: nothing has to be built."""

import posixpath
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

PARTS = Path(__file__).parent / "static" / "rpc" / "gotalk"
_IMPORT = re.compile(r'^import (?:(?:\{([^}]*)\}|\* as (\w+)) from )?"(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:\{\};\n|((?:async )?function\*?|const|class) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


@cache
def gotalk_script() -> str:
    """The classic script for pages, from the modules in static/rpc/gotalk."""
    return joined("main.js", lambda name: (PARTS / name).read_text(encoding="utf-8"))


def joined(main: str, read: Callable[[str], str]) -> str:
    """
    A module and all that it imports, as one script: each is a function behind those that it imports, and returns
    what it exports.

    Exports are functions, classes and constants where they are declared; imports are relative, and statements of
    their own. A value is imported once, so what is exported does not change.

    Args:
        main: its path, with slashes, to which those of the others are relative as their addresses are.
        read: the source of a path.

    Raises:
        ValueError: an import or export has another form, or a module imports itself by way of others.
    """
    parts: dict[str, str] = {}
    names: dict[str, str] = {}

    def add(path: str) -> str:
        if path in parts:
            return names[path]
        if path in names:
            raise ValueError(f"{path} imports itself")
        names[path] = "$" + re.sub(r"\W", "_", path.removesuffix(".js"))
        parts[path] = f"// {path}\n\nconst {names[path]} = {as_function(path)}\n"
        return names[path]

    def as_function(path: str) -> str:
        exported: list[str] = []

        def import_(found: re.Match[str]) -> str:
            some, whole, address = found.groups()
            module = add(posixpath.normpath(posixpath.join(posixpath.dirname(path), address)))
            if some is not None:
                return f"const {{ {' '.join(some.replace(' as ', ': ').split())} }} = {module};\n"
            return f"const {whole} = {module};\n" if whole is not None else ""

        def export(found: re.Match[str]) -> str:
            kind, name = found.groups()
            if kind is None:
                return ""
            exported.append(name)
            return f"{kind} {name}"

        source = _EXPORT.sub(export, _IMPORT.sub(import_, read(path))).strip()
        left = _LEFT.search(source)
        if left is not None:
            raise ValueError(f"{path} cannot be joined: {left[0]}")
        return f"(() => {{\n{source}\nreturn {{ {', '.join(exported)} }};\n}})();"

    add(main)
    return '(function () {\n"use strict";\n\n' + "\n".join(parts.values()) + "})();\n"
