"""Payloads that nobody should send: what is no JSON, and JSON of the right shape with a value that none expects."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

DEEP = 10_000

NO_JSON = (
    b"{",
    b"hello",
    b"{}{}",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf{}",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e400",
    b"01",
    b'"\\ud800"',
    b'"\xed\xa0\x80"',
    b'"a\nb"',
    b"[" * DEEP,
    b'{"a":' * DEEP,
)

VALUES = (
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'{"room":1,"room":"hall"}',
    b'""',
    b'"\\u0000"',
    b'"a\\u0000b"',
    b'"\\u202e\\u200b"',
    b'"%b"' % (b"x" * 3000),
    '"{}"'.format("群" * 300).encode(),
    b'"2026-01-01T00:00:00Z"',
    b"-1",
    b"0",
    b"1.5",
    b"1e308",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"1" + b"0" * 400,
    b"-1" + b"0" * 400,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
)

Shape = dict[str, Any] | list[Any] | bytes
"""A value whose leaves are JSON already."""


def plain(schema: Mapping[str, Any], defs: Mapping[str, Any], samples: Mapping[str, bytes]) -> list[bytes]:
    """JSON that fits a schema, once for each of its alternatives; `samples` has JSON for properties, by name."""
    return [_json(shape) for shape in _shapes(schema, defs, samples, "")]


def hostile(schema: Mapping[str, Any], defs: Mapping[str, Any], samples: Mapping[str, bytes]) -> Iterator[bytes]:
    """The same with one leaf after the other replaced by each of `VALUES`, and these and what is no JSON alone."""
    yield from NO_JSON
    yield from VALUES
    for shape in _shapes(schema, defs, samples, ""):
        leaves = sum(1 for _ in _leaves(shape))
        for place, value in itertools.product(range(leaves), VALUES):
            yield _json(_replaced(shape, place, value))


def _shapes(
    schema: Mapping[str, Any], defs: Mapping[str, Any], samples: Mapping[str, bytes], name: str
) -> Iterator[Shape]:
    if "$ref" in schema:
        yield from _shapes(defs[schema["$ref"].rpartition("/")[2]], defs, samples, name)
    elif "anyOf" in schema:
        for alternative in schema["anyOf"]:
            yield from _shapes(alternative, defs, samples, name)
    elif "properties" in schema:
        yield {each: next(_shapes(its, defs, samples, each)) for each, its in schema["properties"].items()}
    elif schema.get("type") == "object":
        yield {"hall": next(_shapes(schema["additionalProperties"], defs, samples, ""))}
    elif name in samples:
        yield samples[name]
    elif "enum" in schema:
        yield json.dumps(schema["enum"][0]).encode()
    else:
        yield _LEAVES[schema.get("format") or schema.get("type", "any")]


_LEAVES = {
    "any": b"1",
    "boolean": b"true",
    "date-time": b'"2026-01-02T03:04:05Z"',
    "integer": b"1",
    "null": b"null",
    "string": b'"hall"',
    "uuid": b'"6a1f9a3e-51a4-4c38-9d1e-0b7f6c4fa3d7"',
}


def _leaves(shape: Shape) -> Iterator[bytes]:
    if isinstance(shape, bytes):
        yield shape
    else:
        for each in shape.values() if isinstance(shape, dict) else shape:
            yield from _leaves(each)


def _replaced(shape: Shape, place: int, value: bytes) -> Shape:
    places = itertools.count()

    def copy(shape: Shape) -> Shape:
        if isinstance(shape, bytes):
            return value if next(places) == place else shape
        if isinstance(shape, dict):
            return {name: copy(each) for name, each in shape.items()}
        return [copy(each) for each in shape]

    return copy(shape)


def _json(shape: Shape) -> bytes:
    if isinstance(shape, bytes):
        return shape
    if isinstance(shape, dict):
        return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), _json(each)) for name, each in shape.items())
    return b"[%b]" % b",".join(map(_json, shape))
