"""Parameters that others choose: one translation of what does not fit."""

from typing import Annotated

import msgspec
import pytest

from rpc import OperationError, convert_params, decode_params
from rpc.protocol.payloads import decoder


class Page(msgspec.Struct):
    room: str
    limit: Annotated[int, msgspec.Meta(ge=1)] = 50


def refusal(call, *arguments):
    with pytest.raises(OperationError) as raised:
        call(Page, *arguments)
    return raised.value.text, raised.value.code, raised.value.field


def test_parameters_from_json():
    """Of the type that is asked for; nothing is null."""
    assert decode_params(Page, b'{"room": "hall"}') == Page("hall")
    assert decode_params(type(None), b"") is None


def test_parameters_from_a_query_string():
    """Where a number is wanted, its digits are one."""
    assert convert_params(Page, {"room": "7", "limit": "7"}) == Page("7", 7)


@pytest.mark.parametrize(
    ("data", "text", "field"),
    [
        (b"{", "not valid JSON", None),
        (b'{"room": "\xff"}', "not valid JSON", None),
        (b'{"unknown": ' + b"[" * 100_000, "not valid JSON", None),
        (b"{}", "Object missing required field `room`", "room"),
        (b'{"room": 1}', "Expected `str`, got `int` - at `$.room`", "room"),
        (b"", "Expected `object`, got `null`", None),
    ],
)
def test_json_that_does_not_fit(data, text, field):
    """A refusal that names the field at fault."""
    assert refusal(decode_params, data) == (f"bad parameters: {text}", "bad_params", field)


@pytest.mark.parametrize(
    ("values", "text", "field"),
    [
        ({}, "Object missing required field `room`", "room"),
        ({"room": "hall", "limit": "many"}, "Expected `int`, got `str` - at `$.limit`", "limit"),
        ({"room": "hall", "limit": "0"}, "Expected `int` >= 1 - at `$.limit`", "limit"),
    ],
)
def test_query_string_that_does_not_fit(values, text, field):
    """The same refusal."""
    assert refusal(convert_params, values) == (f"bad parameters: {text}", "bad_params", field)


def test_decoded_bytes_stay_bytes():
    """Raw payloads are not copied or read."""
    payload = b"\xff"
    assert decoder(bytes)(payload) is payload
