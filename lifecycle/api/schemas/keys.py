"""API keys as JSON on their way out."""

from pydantic import BaseModel

from gateway.core.keys import KeyRole


class KeyOut(BaseModel):
    """A key without its secret or digest. Times are Unix seconds; 0 stands for never.

    `subject` is that of the client certificate that stands for it; empty for a key with a secret. `owner` is
    the person whose it is; empty for whom its name says.
    """

    name: str
    role: KeyRole
    models: list[str]
    created_at: float
    expires_at: float
    revoked_at: float
    subject: str
    owner: str


class NewKeyOut(KeyOut):
    """A key just made: the only time that its secret is told."""

    secret: str


class KeysOut(BaseModel):
    keys: list[KeyOut]
