"""Talk to a hub from Python: `Client`, `AsyncClient` over HTTP, `StreamPublisher` over Redis.

Errors are those of the hub: `Rejected` when the sender must change something,
`Unavailable` when the same request will work later.
"""

from hub.client.aio import AsyncClient
from hub.client.outbox import Outbox
from hub.client.signed import SignedPublisher
from hub.client.signers import Signer, open_signer
from hub.client.stream import StreamPublisher
from hub.client.sync import Client

__all__ = [
    "AsyncClient",
    "Client",
    "Outbox",
    "SignedPublisher",
    "Signer",
    "StreamPublisher",
    "open_signer",
]
