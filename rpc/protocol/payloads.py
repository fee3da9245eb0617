"""Payloads between bytes and values: JSON, or raw where a type says `bytes`."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from rpc.errors import OperationError, RetryLater

to_json: Callable[[Any], bytes] = msgspec.json.Encoder().encode

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a JSON decoder raises for bytes that are not what it wants."""

_MISSING_FIELD = re.compile(r"missing required field `([^`]+)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")


def encoder(type: Any) -> Callable[[Any], bytes]:
    """From a value to a payload: `bytes` stay as they are, everything else becomes JSON."""
    return _raw if type is bytes else to_json


def decoder(type: Any) -> Callable[[bytes], Any]:
    """From a payload to a value of `type`; it raises one of `UNREADABLE`. An empty payload is null."""
    if type is bytes:
        return bytes
    decode = msgspec.json.Decoder(type).decode
    return lambda payload: decode(payload or b"null")


def _raw(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"bytes were announced, not {type(value).__name__}")
    return value


# --- parameters that others choose -------------------------------------------------------------------------


def params_decoder(type: Any) -> Callable[[bytes], Any]:
    """As `decoder`, for the parameters of an operation: it raises what `decode_params` raises."""
    if type is bytes:
        return bytes
    decode = decoder(type)

    def decode_params(payload: bytes) -> Any:
        try:
            return decode(payload)
        except UNREADABLE as error:
            raise _bad_params(error) from None

    return decode_params


def decode_params(type: type[T], data: bytes) -> T:
    """
    A value of `type` from JSON; empty data is null.

    Raises:
        OperationError: `bad_params`, with the field at fault where there is one.
    """
    try:
        return msgspec.json.decode(data or b"null", type=type)
    except UNREADABLE as error:
        raise _bad_params(error) from None


def convert_params(type: type[T], values: Mapping[str, str]) -> T:
    """
    A value of `type` from texts by name, such as those of a query string: "7" is a number where one is wanted.

    Raises:
        OperationError: `bad_params`, with the field at fault where there is one.
    """
    try:
        return msgspec.convert(values, type, strict=False)
    except msgspec.ValidationError as error:
        raise _bad_params(error) from None


def _bad_params(error: Exception) -> OperationError:
    if not isinstance(error, msgspec.ValidationError):
        return OperationError("bad parameters: not valid JSON", "bad_params")
    return OperationError(f"bad parameters: {error}", "bad_params", _field_at_fault(str(error)))


def _field_at_fault(text: str) -> str | None:
    path, missing = _PATH.search(text), _MISSING_FIELD.search(text)
    return ".".join(match[1] for match in (path, missing) if match is not None and match[1]) or None


# --- the payloads of E and e -------------------------------------------------------------------------------


class Refusal(msgspec.Struct, omit_defaults=True):
    """An error as remotes that announced `errors` see it; others see the text alone."""

    error: str
    code: str | None = None
    field: str | None = None
    retry_after_ms: int | None = None


_read_refusal = msgspec.json.Decoder(Refusal).decode


def refusal_payload(error: OperationError | RetryLater, *, structured: bool) -> bytes:
    text = error.text.encode(errors="replace")
    if not structured:
        return text
    if isinstance(error, RetryLater):
        return to_json(Refusal(text.decode(), error.code, None, error.retry_after_ms))
    return to_json(Refusal(text.decode(), error.code, error.field))


def read_refusal(payload: bytes, *, structured: bool) -> Refusal:
    if structured:
        try:
            return _read_refusal(payload)
        except UNREADABLE:
            pass  # The remote promised JSON and sent something else: show that.
    return Refusal(payload.decode(errors="replace"))
