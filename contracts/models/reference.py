"""A reference names one object in one connected account of a platform."""

from contracts.models.base import Code, ConnectionId, Id, Model


class Reference(Model):
    """Where an object lives: connection (an account of a platform), kind of object, the platform's own id."""

    connection: ConnectionId
    kind: Code
    id: Id

    def __str__(self) -> str:
        return f"{self.connection}/{self.kind}/{self.id}"
