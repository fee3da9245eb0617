"""gotalk.js: one classic script, joined from the modules in static/rpc/gotalk when it is first asked for."""

import re
from functools import cache
from pathlib import Path

PARTS = Path(__file__).parent / "static" / "rpc" / "gotalk"
_IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


@cache
def script() -> str:
    """
    Join main.js and what it imports, each part behind those that it imports itself, inside one function.

    There each sees the names of the others, so `import` and `export` go.
    """
    parts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in parts:
            return
        source = (PARTS / f"{name}.js").read_text(encoding="utf-8")
        for imported in _IMPORT.findall(source):
            add(imported)
        parts[name] = f"// {name}.js\n\n{_EXPORT.sub('', _IMPORT.sub('', source)).strip()}\n"

    add("main")
    return '(function () {\n"use strict";\n\n' + "\n".join(parts.values()) + "})();\n"
