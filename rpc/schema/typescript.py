"""What `$ops` tells, as TypeScript: the text of a `.d.ts` for programs, and single types for people to read."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from rpc.schema.operations import RAW, Description, NotificationEntry, OperationEntry, Schema

_OWN_NAMES = ("Operations", "Notifications", "Streams", "Uint8Array")
"""What these declarations are called themselves, or rely on."""

_BOUNDS = {
    "format": "{}",
    "pattern": "matches {}",
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} entries",
    "maxProperties": "at most {} entries",
}
"""What JSON Schema says of a value and TypeScript cannot, and the words for it."""

_PLAIN = {"boolean": "boolean", "integer": "number", "null": "null", "number": "number", "string": "string"}


def declarations(description: Description) -> str:
    """
    A module of types: one for each of the description's definitions, then `Operations`, `Streams` and
    `Notifications`, interfaces with a member for each name.

    A member has `params` and `result`. Those of a stream are one part of the request, and the single result
    or, where `yields` is true, one part of it.
    """
    types = Types(description.defs)
    kinds: dict[str, list[str]] = {"request": [], "stream": []}
    for name, operation in description.operations.items():
        kinds[operation.kind] += types.operation(name, operation)
    notifications = [
        line for name, each in description.notifications.items() for line in types.notification(name, each)
    ]
    texts = [
        *(types.declaration(name) for name in description.defs),
        _interface("Operations", kinds["request"]),
        _interface("Streams", kinds["stream"]),
        _interface("Notifications", notifications),
    ]
    return "\n\n".join(texts) + "\n"


class Types:
    """The types of one description; `names` are the TypeScript names of its definitions."""

    def __init__(self, defs: Mapping[str, Schema]) -> None:
        self.names: dict[str, str] = {}
        self._defs = defs
        taken = set(_OWN_NAMES)
        for name in defs:
            # A capital first: no reserved word of TypeScript has one.
            own = re.sub(r"\W", "_", name[0].upper() + name[1:])
            while own in taken:
                own += "_"
            taken.add(own)
            self.names[name] = own

    def text(self, schema: Schema) -> str:
        """The type that a schema describes, on one line."""
        if "$ref" in schema:
            return self.names[schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:
            return _union(self.text(each) for each in schema["anyOf"])
        if "enum" in schema:
            return _union(map(_literal, schema["enum"]))
        if schema == RAW:
            return "Uint8Array"
        kind = schema.get("type")
        if kind == "array":
            return self._array(schema)
        if kind == "object":
            return f"{{ [key: string]: {self.text(schema.get('additionalProperties', {}))} }}"
        return _PLAIN.get(str(kind), "unknown")

    def declaration(self, name: str) -> str:
        """The definition of that name in the description, with what is known of its fields as comments."""
        schema = self._defs[name]
        comment = _comment(schema.get("description", ""))
        if "properties" not in schema:
            return "\n".join([*comment, f"export type {self.names[name]} = {self.text(schema)};"])
        required = schema.get("required", ())
        lines: list[str] = []
        for key, each in schema["properties"].items():
            lines += _comment(_remarks(each))
            lines.append(f"{_key(key)}{'' if key in required else '?'}: {self.text(each)};")
        return "\n".join([*comment, _interface(self.names[name], lines)])

    def operation(self, name: str, entry: OperationEntry) -> list[str]:
        """The lines of its member."""
        members = f"params: {self.text(entry.params)}; result: {self.text(entry.result)}"
        if entry.kind == "stream":
            members += f"; yields: {_literal(entry.yields)}"
        return [*_comment(entry.doc), f"{_key(name)}: {{ {members} }};"]

    def notification(self, name: str, entry: NotificationEntry) -> list[str]:
        """The lines of its member."""
        return [*_comment(entry.doc), f"{_key(name)}: {{ params: {self.text(entry.params)} }};"]

    def _array(self, schema: Schema) -> str:
        items = schema.get("items", {})
        if "prefixItems" not in schema:
            return f"{_grouped(self.text(items))}[]"
        needed = schema.get("minItems", 0)
        parts = [self.text(each) for each in schema["prefixItems"]]
        parts = [part if at < needed else f"{_grouped(part)}?" for at, part in enumerate(parts)]
        if items is not False and schema.get("maxItems") != len(parts):
            parts.append(f"...{_grouped(self.text(items))}[]")
        return f"[{', '.join(parts)}]"


def _interface(name: str, lines: list[str]) -> str:
    return "\n".join([f"export interface {name} {{", *(f"  {line}" for line in lines), "}"])


def _union(texts: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(texts))


def _grouped(text: str) -> str:
    return f"({text})" if " | " in text else text


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name, re.ASCII) else _literal(name)


def _remarks(schema: Schema) -> str:
    """What a comment says of a field."""
    remarks: list[str] = []
    for each in (schema, *schema.get("anyOf", ())):
        remarks += [words.format(each[key]) for key, words in _BOUNDS.items() if key in each]
    # A field that may be left out and then is null says so by its type.
    if schema.get("default") is not None:
        remarks.append(f"default {_literal(schema['default'])}")
    return "\n".join(filter(None, (schema.get("description"), ", ".join(remarks))))


def _comment(text: str) -> list[str]:
    lines = text.replace("*/", "*\\/").split("\n")
    if len(lines) > 1:
        return ["/**", *(f" * {line}".rstrip() for line in lines), " */"]
    return [f"/** {text} */" for text in lines if text]
