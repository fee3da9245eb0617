"""Reports: made by members, answered by moderators and admins; each side is told."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from chat.models import Membership, Message, Report
from chat.queries.structs import instant
from chat.services.announcing import announce_after_commit
from chat.services.events import Moderated, ReportsChanged
from rpc import OperationError

AROUND = 5
"""Messages before a reported one, and after it, that are kept with the report."""


def report_message(room_id: int, seq: int, *, by: int, reason: str) -> Report:
    """
    Put a message into the queue; the moderators of its room are told. Reporting it twice is as once.

    Raises:
        OperationError: `no_such_message`, also when it was removed.
    """
    with transaction.atomic():
        message = Message.objects.select_related("room").filter(room_id=room_id, seq=seq, removed_at=None).first()
        if message is None:
            raise OperationError("no such message", code="no_such_message")
        new = {"reason": reason, "context": _context(message)}
        report, is_new = Report.objects.get_or_create(message=message, reporter_id=by, defaults=new)
        if is_new:
            announce_after_commit(ReportsChanged(room_id))
            roles = (Membership.Role.OWNER, Membership.Role.MODERATOR)
            moderators = Membership.objects.filter(room_id=room_id, role__in=roles, left=False)
            for user_id in moderators.values_list("user_id", flat=True):
                announce_after_commit(Moderated(user_id, "reported", message.room.name, reason, None, ""))
    return report


def answer_report(report_id: int, answer: str, *, by: int) -> None:
    """
    Answer the person who reported something, who is told; the first answer counts.

    Raises:
        OperationError: `no_such_report`, also when it was answered before.
    """
    with transaction.atomic():
        report = Report.objects.select_for_update(of=("self",)).select_related("message__room").filter(pk=report_id)
        found = report.filter(answered_at__isnull=True).first()
        if found is None:
            raise OperationError("no such report", code="no_such_report")
        found.answer, found.answered_by_id, found.answered_at = answer, by, timezone.now()
        found.save(update_fields=["answer", "answered_by", "answered_at"])
        room = found.message.room.name
        announce_after_commit(ReportsChanged(found.message.room_id))
        announce_after_commit(Moderated(found.reporter_id, "answered", room, answer, None, ""))


def _context(message: Message) -> list[dict[str, Any]]:
    said = Message.objects.filter(room_id=message.room_id, removed_at=None)
    before = list(said.filter(seq__lt=message.seq).order_by("-seq")[:AROUND])[::-1]
    after = said.filter(seq__gt=message.seq).order_by("seq")[:AROUND]
    return [
        {"seq": each.seq, "author": each.author_name, "body": each.body, "at": instant(each.created_at)}
        for each in (*before, message, *after)
    ]
