"""`[oauth]`: tokens, keys, portal users, and the issuers we trust beside ourselves."""

from kernel.secrets import SecretRef
from kernel.sections.base import Section


class OAuth(Section):
    """`audiences` are accepted and issued beside the public URL."""

    audiences: list[str] = []
    key_encryption: SecretRef | None = None
