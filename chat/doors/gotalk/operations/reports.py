"""Reports: made by members, listed and answered by moderators."""

from typing import Annotated

import msgspec

from chat.actions import reports
from chat.actions.roles import Verb
from chat.doors.gotalk.caller import caller_of
from chat.doors.gotalk.operations.messages import InRoom, OnMessage
from chat.models import MAX_REPORT_CHARS
from chat.queries.history import Seq
from chat.queries.moderation.reports import OpenReport
from rpc import Peer
from rpc import default_handlers as handlers

Words = Annotated[str, msgspec.Meta(max_length=MAX_REPORT_CHARS)]


class ReportMessage(OnMessage):
    reason: Words


@handlers.request("report", requires=Verb.REPORT.scopes)
async def report(peer: Peer, params: ReportMessage) -> None:
    """Report a message to the moderators of its room and the admins."""
    await reports.report(caller_of(peer), params.room, params.seq, params.reason)


@handlers.request("list-reports", requires=Verb.LIST_REPORTS.scopes)
async def list_reports(peer: Peer, params: str | InRoom) -> list[OpenReport]:
    """The reports of a room that nobody answered yet; for its moderators."""
    room = params if isinstance(params, str) else params.room
    return await reports.list_reports(caller_of(peer), room)


class AnswerReport(InRoom):
    id: Seq
    answer: Words = ""


@handlers.request("answer-report", requires=Verb.ANSWER_REPORT.scopes)
async def answer_report(peer: Peer, params: AnswerReport) -> None:
    """Close a report, and tell whoever made it; for moderators of the room."""
    await reports.answer_report(caller_of(peer), params.room, params.id, params.answer)
