"""
The chat over plain HTTP, for programs with a token: post, read, push. JSON in, JSON out, errors too.

Cookies count for nothing here, so that no page elsewhere can make a browser act.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import msgspec
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from chat.actions import history
from chat.actions.caller import Caller
from chat.actions.post import NewMessage, post
from chat.actions.push import push_to_person
from chat.doors.http.answers import Problem, answer, is_api, problem_of, refusal
from chat.queries.history import MAX_PAGE, PAGE, Seq
from chat.queries.structs import Message
from chat.queries.tokens import bearer_of
from chat.realtime import runtime
from chat.realtime.clients import Wire
from rpc import OperationError
from rpc.protocol.payloads import convert_params, decode_params

MAX_BODY_BYTES = 64 * 1024
"""Of a request: the longest message with every character of it escaped fits."""

P = TypeVar("P")
Answer = tuple[HTTPStatus, Any]
Handler = Callable[..., Awaitable[Answer]]


class HttpLink:
    """A request, where sockets have a connection: nothing can be sent to it but its answer."""

    door = "http"
    wire = Wire()

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.scope = scope

    def send(self, payload: Any) -> None:
        """No topic was subscribed."""

    def lost_room(self, name: str) -> None:
        """None was entered."""

    def close(self, code: int, text: str) -> None:
        """It ends by itself."""


# --- what can be asked -------------------------------------------------------------------------------------


async def post_message(caller: Caller, request: HttpRequest, room: str) -> Answer:
    """Post to a room; answered once it is durable."""
    return HTTPStatus.CREATED, await post(caller, room, _json_of(request, NewMessage))


class PageAsked(msgspec.Struct):
    before_seq: Seq | None = None
    after_seq: Seq | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = PAGE


class Page(msgspec.Struct):
    messages: list[Message]
    more: bool
    """Whether there are more in the direction that was asked for: older ones, unless `after_seq` was given."""


async def list_messages(caller: Caller, request: HttpRequest, room: str) -> Answer:
    """A page of a room's messages, oldest first: the newest, or those next to a seq."""
    asked = convert_params(PageAsked, request.GET.dict())
    if asked.before_seq is not None and asked.after_seq is not None:
        raise OperationError("use before_seq or after_seq, not both", code="bad_params", field="after_seq")
    messages = await history.list_messages(
        caller, room, before_seq=asked.before_seq, after_seq=asked.after_seq, limit=asked.limit
    )
    if not messages:
        return HTTPStatus.OK, Page(messages, more=False)
    beyond = {"before_seq": messages[0].seq} if asked.after_seq is None else {"after_seq": messages[-1].seq}
    return HTTPStatus.OK, Page(messages, more=bool(await history.list_messages(caller, room, limit=1, **beyond)))


class NewPush(msgspec.Struct):
    user: str | Seq
    opcode: int
    payload: Any = None


class Pushed(msgspec.Struct):
    sockets: int


async def push(caller: Caller, request: HttpRequest) -> Answer:
    """Send an application's message to all sockets of a person, given by name or key."""
    new = _json_of(request, NewPush)
    return HTTPStatus.OK, Pushed(await push_to_person(caller, new.user, new.opcode, new.payload))


# --- how it is asked ---------------------------------------------------------------------------------------


def _endpoint(**handlers: Handler) -> Callable[..., Coroutine[Any, Any, HttpResponse]]:
    """A view that answers each method with its handler, which gets the token's caller; HEAD as GET."""
    if "GET" in handlers:
        # The server leaves out the body.
        handlers["HEAD"] = handlers["GET"]

    @csrf_exempt
    async def view(request: HttpRequest, **where: str) -> HttpResponse:
        try:
            return answer(*await _handled(handlers, request, where))
        except Exception as error:
            return refusal(problem_of(error))

    return view


async def _handled(handlers: dict[str, Handler], request: HttpRequest, where: dict[str, str]) -> Answer:
    handler = handlers.get(str(request.method))
    if handler is None:
        allowed = ", ".join(handlers)
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"use {allowed}", "bad_method", Allow=allowed)
    assert isinstance(request, ASGIRequest)  # the runtime is of the loop that serves
    secret = bearer_of(request.scope)
    if not secret:
        text = "send a token as Authorization: Bearer"
        raise Problem(HTTPStatus.UNAUTHORIZED, text, "log_in", WWW_Authenticate='Bearer realm="hubtalk"')
    running = await runtime.start()
    client = await running.connections.visit(HttpLink(request.scope), secret)
    return await handler(Caller(running, client), request, **where)


def _json_of(request: HttpRequest, shape: type[P]) -> P:
    """
    Raises:
        Problem: not JSON, or too much of it.
        OperationError: `bad_params`.
    """
    if request.content_type != "application/json":
        text = "send JSON, as Content-Type: application/json"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text, "bad_type", Accept="application/json")
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        text = f"a request has at most {MAX_BODY_BYTES} bytes"
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, "too_large")
    return decode_params(shape, body)


room_messages = _endpoint(POST=post_message, GET=list_messages)
pushes = _endpoint(POST=push)


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """What programs are told at an address of the API that is none."""
    return refusal(Problem(HTTPStatus.NOT_FOUND, "there is nothing at this address", "no_such_address"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The answer to what Django itself refuses, such as a request for a host that is not ours."""
    if is_api(request.path_info):
        return refusal(problem_of(SuspiciousOperation()))
    return defaults.bad_request(request, exception)
