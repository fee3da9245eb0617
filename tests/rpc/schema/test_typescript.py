"""Types of operations as TypeScript."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Optional

import msgspec
import pytest

from rpc import Handlers, default_handlers
from rpc.schema.operations import RAW, Description, describe
from rpc.schema.typescript import Types, declarations


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Cat(msgspec.Struct):
    """A cat."""

    name: str
    legs: Annotated[int, msgspec.Meta(description="Those */ it has.", ge=0, le=4)] = 4
    mother: Optional["Cat"] = None


class Closed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    x: int
    word: str | None = None


class Open(msgspec.Struct, array_like=True):
    x: int


class Pair(NamedTuple):
    x: int
    y: int


class Odd(msgspec.Struct, rename={"plain": "not-a-name"}):
    plain: int


class lower(msgspec.Struct):
    x: int


NAMELESS = [
    (RAW, "Uint8Array"),
    (None, "null"),
    (Any, "unknown"),
    (bool, "boolean"),
    (int, "number"),
    (float, "number"),
    (str, "string"),
    (bytes, "string"),
    (str | None, "string | null"),
    (int | float | None, "number | null"),
    (Literal["a\"b", 1, None], 'null | 1 | "a\\"b"'),
    (list[int], "number[]"),
    (list[int | None], "(number | null)[]"),
    (list, "unknown[]"),
    (tuple[int, str], "[number, string]"),
    (dict[str, list[int]], "{ [key: string]: number[] }"),
    (dict, "{ [key: string]: unknown }"),
]  # fmt: skip


@pytest.mark.parametrize(("type", "text"), NAMELESS)
def test_nameless_type(type, text):
    """It stands where it is used, on one line."""
    schema = type if type is RAW else msgspec.json.schema(type)
    assert Types({}).text(schema) == text


NAMED = [
    (
        Cat,
        """\
/** A cat. */
export interface Cat {
  name: string;
  /**
   * Those *\\/ it has.
   * at least 0, at most 4, default 4
   */
  legs?: number;
  mother?: Cat | null;
}""",
    ),
    (Colour, 'export type Colour = "blue" | "red";'),
    (Closed, "export type Closed = [number, (string | null)?];"),
    (Open, "export type Open = [number, ...unknown[]];"),
    (Pair, "export type Pair = [number, number];"),
    (Odd, 'export interface Odd {\n  "not-a-name": number;\n}'),
    (lower, "export interface Lower {\n  x: number;\n}"),
]


def types_of(type: Any) -> Types:
    return Types(msgspec.json.schema_components([type], ref_template="#/$defs/{name}")[1])


@pytest.mark.parametrize(("type", "text"), NAMED)
def test_named_type(type, text):
    """It has a declaration, with comments for what TypeScript cannot say."""
    assert types_of(type).declaration(type.__name__) == text


def test_reference():
    """A named type is used by its name."""
    assert types_of(Cat).text({"type": "array", "items": {"$ref": "#/$defs/Cat"}}) == "Cat[]"


def test_names_are_unlike():
    """Two definitions never become one, nor one of ours."""
    types = Types({"a.B": {}, "a-B": {}, "Operations": {}, "Uint8Array": {}})
    assert list(types.names.values()) == ["A_B", "A_B_", "Operations_", "Uint8Array_"]


def test_doc_of_many_lines():
    """It stays one comment."""
    types = Types({"X": {"description": "One.\n\nTwo.", "type": "string"}})
    assert types.declaration("X") == "/**\n * One.\n *\n * Two.\n */\nexport type X = string;"


def some_handlers() -> Handlers:
    handlers = Handlers()

    @handlers.request("pet-cat")
    async def pet(params: Cat) -> list[Cat]:
        """Pet a cat."""
        return [params]

    @handlers.stream("count")
    async def count(parts: AsyncIterator[Cat]) -> int:
        return 0

    @handlers.stream("double")
    async def double(parts: AsyncIterator[int]) -> AsyncIterator[int]:
        yield 2

    @handlers.notification("purr")
    async def purr(params: tuple[Closed, Open, Pair, Colour, Odd, lower]) -> None:
        """A cat purrs."""

    return handlers


def test_interfaces_by_name():
    """Requests, streams and notifications have a member each, behind the types that they use."""
    text = declarations(describe(some_handlers()))
    assert text.startswith("/** A cat. */\nexport interface Cat {\n")
    assert text[text.index("export interface Operations") :] == (
        """\
export interface Operations {
  /** Pet a cat. */
  "pet-cat": { params: Cat; result: Cat[] };
}

export interface Streams {
  count: { params: Cat; result: number; yields: false };
  double: { params: number; result: number; yields: true };
}

export interface Notifications {
  /** A cat purrs. */
  purr: { params: [Closed, Open, Pair, Colour, Odd, Lower] };
}
"""
    )


USE = """
import { Message, Operations } from "./operations";

declare function request<Name extends keyof Operations>(
  name: Name,
  params: Operations[Name]["params"],
): Promise<Operations[Name]["result"]>;

async function use(): Promise<Message[]> {
  const { seq } = await request("send-message", { room: "animals", message: { body: "hello" } });
  // @ts-expect-error There is no such operation.
  await request("send-massage", null);
  // @ts-expect-error A room is missing.
  await request("edit-message", { seq, body: "" });
  return request("list-messages", { room: "animals", after_seq: seq });
}
"""


def compile_with_tsc(folder, *texts: tuple[str, str]) -> str:
    """What the compiler complains of."""
    for name, text in texts:
        (folder / name).write_text(text)
    command = [shutil.which("tsc") or "tsc", "--strict", "--noEmit", "--target", "es2020", texts[-1][0]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False).stdout


@pytest.mark.typescript
def test_chat_is_typed(tmp_path):
    """A program that talks to the chat is checked by the compiler: right use passes, wrong use does not."""
    assert (
        compile_with_tsc(tmp_path, ("operations.d.ts", declarations(describe(default_handlers))), ("use.ts", USE))
        == ""
    )


@pytest.mark.typescript
@pytest.mark.parametrize("handlers", [Handlers(), some_handlers()], ids=["none", "of every kind"])
def test_every_kind_compiles(tmp_path, handlers):
    """What is written is TypeScript."""
    assert compile_with_tsc(tmp_path, ("operations.d.ts", declarations(describe(handlers)))) == ""


@pytest.mark.typescript
def test_hostile_words_stay_words(tmp_path):
    """Names and docs come out as what they are, wherever they come from."""
    defs = {"X": {"description": "*/ oops", "properties": {'"; oops': {"default": "*/ oops"}}}}
    assert compile_with_tsc(tmp_path, ("operations.d.ts", declarations(Description({}, {}, defs)))) == ""
