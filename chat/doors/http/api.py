"""
The chat over plain HTTP, for programs with a token: post, read, push. JSON in, JSON out, errors too.

Cookies count for nothing here, so that no page elsewhere can make a browser act.
"""

import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from asgiref.sync import sync_to_async
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from chat.actions import access
from chat.actions.post import post
from chat.queries import history
from chat.queries.tokens import PUSH, READ, bearer_of
from chat.realtime import lifecycle
from chat.realtime.clients import Client
from chat.realtime.db import read
from chat.realtime.hub import Encode
from chat.services.events import Message
from chat.services.push import push
from rpc import CloseCode, OperationError, Prepared, Refused, RetryLater
from rpc.failures import internal_error
from rpc.protocol.payloads import UNREADABLE

MAX_BODY_BYTES = 64 * 1024
"""Of a request: the longest message with every character of it escaped fits."""

STATUS_OF_CODE = {
    "no_such_room": HTTPStatus.NOT_FOUND,
    "no_such_person": HTTPStatus.NOT_FOUND,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not_allowed": HTTPStatus.FORBIDDEN,
    "archived": HTTPStatus.FORBIDDEN,
    "read_only": HTTPStatus.FORBIDDEN,
    "muted": HTTPStatus.FORBIDDEN,
}
"""Of refusals by the chat; the others are faults of what was sent."""
STATUS_OF_CLOSE: dict[int, tuple[HTTPStatus, str]] = {
    CloseCode.LOG_IN: (HTTPStatus.UNAUTHORIZED, "log_in"),
    CloseCode.NOT_ALLOWED: (HTTPStatus.FORBIDDEN, "not_allowed"),
    CloseCode.RESTARTING: (HTTPStatus.SERVICE_UNAVAILABLE, "restarting"),
}

P = TypeVar("P")
Answer = tuple[HTTPStatus, Any]
Handler = Callable[..., Awaitable[Answer]]


class HttpLink:
    """A request, where sockets have a connection: nothing can be sent to it but its answer."""

    door = "http"

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.scope = scope

    encode: Encode = staticmethod(lambda events: None)

    def send(self, payload: Any) -> None:
        """No topic was subscribed."""

    def notify(self, prepared: Prepared) -> None:
        """There is no word for it."""

    def lost_room(self, name: str) -> None:
        """None was entered."""

    def close(self, code: int, text: str) -> None:
        """It ends by itself."""


class Problem(Exception):
    """The request is refused; `headers` go with the answer."""

    def __init__(
        self, status: HTTPStatus, text: str, code: str, *, field: str | None = None, **headers: str
    ) -> None:
        super().__init__(status, text, code)
        self.status, self.text, self.code, self.field = status, text, code, field
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.retry_after_ms: int | None = None


# --- what can be asked -------------------------------------------------------------------------------------


class NewMessage(msgspec.Struct):
    body: str
    client_id: UUID | None = None
    reply_to: history.Seq | None = None


async def post_message(client: Client, request: HttpRequest, room: str) -> Answer:
    """Post to a room; answered once it is durable."""
    new = _json_of(request, NewMessage)
    message = await post(client, room, new.body, client_id=new.client_id, reply_to=new.reply_to)
    return HTTPStatus.CREATED, message


class PageAsked(msgspec.Struct):
    before_seq: history.Seq | None = None
    after_seq: history.Seq | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=history.MAX_PAGE)] = history.PAGE


class Page(msgspec.Struct):
    messages: list[Message]
    more: bool
    """Whether there are more in the direction that was asked for: older ones, unless `after_seq` was given."""


async def list_messages(client: Client, request: HttpRequest, room: str) -> Answer:
    """A page of a room's messages, oldest first: the newest, or those next to a seq."""
    client.require(READ)
    asked = _query_of(request, PageAsked)
    if asked.before_seq is not None and asked.after_seq is not None:
        raise OperationError("give before_seq or after_seq, not both", code="bad_params", field="after_seq")
    room_id = access.find_room(client.runtime.directory, client.person, room).id
    seqs = {"before_seq": asked.before_seq, "after_seq": asked.after_seq}
    messages = await read(history.page, room_id, limit=asked.limit, **seqs)
    if len(messages) < asked.limit:
        return HTTPStatus.OK, Page(messages, more=False)
    beyond = {"before_seq": messages[0].seq} if asked.after_seq is None else {"after_seq": messages[-1].seq}
    return HTTPStatus.OK, Page(messages, more=bool(await read(history.page, room_id, limit=1, **beyond)))


class NewPush(msgspec.Struct):
    user: str | history.Seq
    opcode: int
    payload: Any = None


class Pushed(msgspec.Struct):
    sockets: int


async def push_to_person(client: Client, request: HttpRequest) -> Answer:
    """Send an application's word to all sockets of a person, given by name or key."""
    client.require(PUSH)
    new = _json_of(request, NewPush)
    return HTTPStatus.OK, Pushed(await sync_to_async(push)(new.user, new.opcode, new.payload))


# --- how it is asked ---------------------------------------------------------------------------------------


def _endpoint(**handlers: Handler) -> Callable[..., Coroutine[Any, Any, HttpResponse]]:
    """A view that answers each method with its handler, which gets the token's client."""

    @csrf_exempt
    async def view(request: HttpRequest, **where: str) -> HttpResponse:
        try:
            return _answer(*await _handled(handlers, request, where))
        except Exception as error:
            return _refusal(_problem_of(error))

    return view


async def _handled(handlers: dict[str, Handler], request: HttpRequest, where: dict[str, str]) -> Answer:
    handler = handlers.get("GET" if request.method == "HEAD" else str(request.method))
    if handler is None:
        allowed = ", ".join(handlers)
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"use {allowed}", "bad_method", Allow=allowed)
    assert isinstance(request, ASGIRequest)  # the runtime is of the loop that serves
    secret = bearer_of(request.scope)
    if not secret:
        text = "send a token as Authorization: Bearer"
        raise Problem(HTTPStatus.UNAUTHORIZED, text, "log_in", WWW_Authenticate='Bearer realm="hubtalk"')
    runtime = await lifecycle.start()
    return await handler(await runtime.visit(HttpLink(request.scope), secret), request, **where)


def _json_of(request: HttpRequest, shape: type[P]) -> P:
    """
    Raises:
        Problem: no JSON, or too much of it.
        OperationError: `bad_params`.
    """
    if request.content_type != "application/json":
        text = "send JSON, as Content-Type: application/json"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text, "bad_type", Accept="application/json")
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        text = f"a request has at most {MAX_BODY_BYTES} bytes"
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, "too_large")
    try:
        return msgspec.json.decode(body, type=shape)
    except UNREADABLE as error:
        raise _bad_params(error) from None


def _query_of(request: HttpRequest, shape: type[P]) -> P:
    """
    Raises:
        OperationError: `bad_params`.
    """
    try:
        return msgspec.convert(request.GET.dict(), shape, strict=False)
    except msgspec.ValidationError as error:
        raise _bad_params(error) from None


def _bad_params(error: Exception) -> OperationError:
    # The decoder's words name the place: "Expected `str`, got `int` - at `$.body`".
    text, _, place = str(error).partition(" - at `$.")
    return OperationError(text, code="bad_params", field=place.rstrip("`") or None)


def _problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case Refused(close_code=close_code):
            status, code = STATUS_OF_CLOSE[close_code]
            headers = {"WWW_Authenticate": 'Bearer error="invalid_token"'} if code == "log_in" else {}
            return Problem(status, error.text, code, **headers)
        case RetryLater():
            busy = error.code == "busy"
            status = HTTPStatus.SERVICE_UNAVAILABLE if busy else HTTPStatus.TOO_MANY_REQUESTS
            problem = Problem(status, error.text, error.code)
            problem.retry_after_ms = error.retry_after_ms
            return problem
        case OperationError():
            status = STATUS_OF_CODE.get(error.code, HTTPStatus.BAD_REQUEST)
            field = error.field.removeprefix("message.") if error.field is not None else None
            return Problem(status, error.text, error.code, field=field)
        case SuspiciousOperation():
            return Problem(HTTPStatus.BAD_REQUEST, "the request makes no sense", "bad_request")
        case TimeoutError():
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the server is busy", "busy")
        case _:
            told = internal_error("a request of the HTTP API", error)
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, told.text, told.code)


def _answer(status: HTTPStatus, value: Any) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(value), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def _refusal(problem: Problem) -> HttpResponse:
    told = {
        "error": problem.text,
        "code": problem.code,
        "field": problem.field,
        "retry_after_ms": problem.retry_after_ms,
    }
    response = _answer(problem.status, {name: value for name, value in told.items() if value is not None})
    for name, value in problem.headers.items():
        response[name] = value
    if problem.retry_after_ms is not None:
        response["Retry-After"] = str(math.ceil(problem.retry_after_ms / 1000))
    elif problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response


room_messages = _endpoint(POST=post_message, GET=list_messages)
pushes = _endpoint(POST=push_to_person)


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """What programs are told at an address of the API that is none."""
    return _refusal(Problem(HTTPStatus.NOT_FOUND, "there is nothing at this address", "no_such_address"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The answer to what Django itself refuses, such as a request for a host that is not ours."""
    if request.path_info.startswith("/api/"):
        return _refusal(_problem_of(SuspiciousOperation()))
    return defaults.bad_request(request, exception)
