"""
The two stock peers of gotalk v1, rebuilt from what they put on the wire, sharing nothing with the code under
test: the Go package 1.3.7 over TCP, gotalk.js 1.2.1 over WebSocket. What they cannot take, they fail at here too.
"""

from tests.peers.stock.browser import BrowserPeer
from tests.peers.stock.common import Failed, PeerBroken, alone, conversation
from tests.peers.stock.go import GoPeer, GoServer

__all__ = ["BrowserPeer", "Failed", "GoPeer", "GoServer", "PeerBroken", "alone", "conversation"]
