"""The operations that the documentation begins with: anyone who connects may try them."""

import msgspec

from rpc import default_handlers as handlers


@handlers.request("echo", inline=True, public=True)
def echo(payload: bytes) -> bytes:
    """The same bytes back."""
    return payload


class Greet(msgspec.Struct):
    name: str


class Greeting(msgspec.Struct):
    greeting: str


@handlers.request("greet", inline=True, public=True)
def greet(params: Greet) -> Greeting:
    """A greeting by name."""
    return Greeting(f"Hello {params.name}")
