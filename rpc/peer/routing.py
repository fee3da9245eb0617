"""Which part of a peer each event of its session is for."""

from rpc.messages import Heartbeat, Notification, Request, StreamPart, StreamRequest, StreamResult
from rpc.peer.connection import Connection
from rpc.peer.dispatcher import Dispatcher
from rpc.peer.notifications import NotificationQueue
from rpc.peer.requester import Requester
from rpc.protocol.session import Announced, Cancelled, Granted

_REQUESTS = (Request, StreamRequest)
"""Not a union in its place: that would be made anew for every message."""


def route_events(
    connection: Connection, requester: Requester, dispatcher: Dispatcher, notifications: NotificationQueue
) -> None:
    """Take the session's events until none is left or reading is held; then close, send or pause as required."""
    session = connection.session
    next_event = session.next_event
    while not connection.holds and (event := next_event()) is not None:
        if isinstance(event, _REQUESTS):
            dispatcher.take_request(event)
            connection.flush_much()
        elif isinstance(event, Notification):
            notifications.take(event)
        elif isinstance(event, StreamPart):
            dispatcher.take_part(event)
        elif isinstance(event, StreamResult):
            requester.take_result_part(event)
        elif isinstance(event, Granted):
            (dispatcher if event.results else requester).granted(event.id, event.credit)
        elif isinstance(event, Cancelled):
            dispatcher.cancel(event.id, event.reason)
        elif isinstance(event, Heartbeat):
            dispatcher.take_heartbeat(event)
        elif isinstance(event, Announced):
            connection.announced(event)
            dispatcher.announced()
            requester.announced()
        else:
            requester.take_answer(event)
    if session.ended is not None:
        connection.finish()
        return
    if session.has_data_to_send:
        connection.schedule_flush()
    if not connection.holds and (seconds := session.pause(connection.loop.time())):
        connection.hold_for(seconds)
