"""Members report messages; the moderators of the room answer."""

from chat.actions import access
from chat.actions.accounts import account_of
from chat.actions.caller import Caller
from chat.actions.history import find_message
from chat.actions.limits import count
from chat.actions.roles import Verb
from chat.queries.moderation.reports import OpenReport, open_reports, room_of_report
from chat.realtime.db import read
from chat.services.acts import reports
from rpc import OperationError


async def report(caller: Caller, room_name: str, seq: int, reason: str) -> None:
    """
    Report a message of somebody else to the moderators of its room and the admins; also while one is muted.

    Raises:
        OperationError: `no_such_room`, `no_such_message`, `not_allowed`, `no_reason`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.REPORT)
    room = caller.room(room_name, Verb.REPORT)
    message = await find_message(room, seq)
    if message.author_id == caller.person.identity.user_id:
        raise OperationError("this is your own message", code="not_allowed")
    reason = access.clean_text(reason)
    if not reason:
        raise OperationError("say what is wrong with this message", code="no_reason", field="reason")
    await count(caller, "address")
    by = await account_of(caller)
    await caller.write(reports.report_message, room.id, message.seq, by=by, reason=reason)


async def list_reports(caller: Caller, room_name: str) -> list[OpenReport]:
    """
    Raises:
        OperationError: `no_such_room`, `not_allowed`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.LIST_REPORTS)
    await count(caller, "read", 2)
    room = caller.room(room_name, Verb.LIST_REPORTS)
    return await read(open_reports, room.id)


async def answer_report(caller: Caller, room_name: str, report_id: int, answer: str) -> None:
    """
    Raises:
        OperationError: `no_such_room`, `not_allowed`, `no_such_report`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.ANSWER_REPORT)
    room = caller.room(room_name, Verb.ANSWER_REPORT)
    await count(caller, "moderate")
    if await read(room_of_report, report_id) != room.id:
        raise OperationError("no such report", code="no_such_report")
    await caller.write(reports.answer_report, report_id, access.clean_text(answer), by=await account_of(caller))
