"""How many guests may be connected at the same time: in all, and from one address."""

from collections import Counter

from django.conf import settings

from chat.queries.guests import client_network
from chat.queries.identity import Identity
from chat.queries.rooms import SiteFacts
from chat.realtime.clients import Client
from rpc import CloseCode, Refused


class Places:
    """
    The connections of guests to this process, by network. `Connections` asks for a place when a guest comes, and
    says who took one and who left, on the loop. It promises that no more are let in than the site's settings say;
    an address that stands for everybody counts among all only.
    """

    def __init__(self) -> None:
        self._of: dict[Client, str | None] = {}
        self._from: Counter[str | None] = Counter()

    def check(self, who: Identity, address: str, site: SiteFacts) -> None:
        """
        Whether there is a place for somebody who comes from an address.

        Raises:
            Refused: with `LOG_IN`, as who logs in needs no place.
        """
        if not who.is_guest or not settings.RATE_LIMITS:
            return
        if len(self._of) >= site.guests_at_once:
            raise Refused(CloseCode.LOG_IN, "too many guests are here: log in, or try again later")
        network = client_network(address)
        if network is not None and self._from[network] >= site.guests_per_address:
            raise Refused(CloseCode.LOG_IN, "too many guests come from your address: log in, or try again later")

    def take(self, client: Client) -> None:
        """Somebody came; only guests take a place."""
        if not client.person.identity.is_guest:
            return
        network = client_network(client.address)
        self._of[client] = network
        self._from[network] += 1

    def leave(self, client: Client) -> None:
        """Leaving without a place does nothing."""
        if client in self._of:
            network = self._of.pop(client)
            self._from[network] -= 1
            if not self._from[network]:
                del self._from[network]
