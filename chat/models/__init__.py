"""
What is stored. Invariants live in the database, named; writes that others must hear of go through
`chat.services` and the writer of `chat.realtime`.
"""

from chat.models.acts import FINAL, UNDO_DAYS, Act, Ending, Unchangeable
from chat.models.contacts import Contact
from chat.models.log_ins import LogInAttempts, OpenIdentity
from chat.models.messages import MAX_EMOJI_CHARS, Message, Reaction, Revision
from chat.models.moderation import GuestAddress, Sanction, SanctionedAddress
from chat.models.processes import Connection, Process
from chat.models.reports import MAX_REPORT_CHARS, Report
from chat.models.rooms import MAX_TOPIC_CHARS, Membership, Room
from chat.models.second_factors import RecoveryCode, SecondFactor
from chat.models.site import Invitation, RateLimit, SiteSettings
from chat.models.tokens import Token
from chat.models.users import User

__all__ = [
    "FINAL",
    "MAX_EMOJI_CHARS",
    "MAX_REPORT_CHARS",
    "MAX_TOPIC_CHARS",
    "UNDO_DAYS",
    "Act",
    "Connection",
    "Contact",
    "Ending",
    "GuestAddress",
    "Invitation",
    "LogInAttempts",
    "Membership",
    "Message",
    "OpenIdentity",
    "Process",
    "RateLimit",
    "Reaction",
    "RecoveryCode",
    "Report",
    "Revision",
    "Room",
    "Sanction",
    "SanctionedAddress",
    "SecondFactor",
    "SiteSettings",
    "Token",
    "Unchangeable",
    "User",
]
