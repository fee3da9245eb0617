"""The channel layer of a site that is one process."""

from channels.layers import InMemoryChannelLayer


class LocalLayer(InMemoryChannelLayer):
    """Channels' own, which says that it reaches this process only: then commands reach the hub by its mailbox."""

    local = True
