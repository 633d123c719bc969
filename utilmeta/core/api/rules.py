"""What compiling an API is told of the service."""

from dataclasses import dataclass, field

from utilmeta.core.response.encode import Encoder, make_encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileRules:
    """What compiling is told of the service; made once at set-up.

    Attributes:
        encode: makes JSON.
        asynchronous: whether endpoints answer on an event loop.
        backend: name of the framework, for messages.
        production: whether a public is served.
        debug: whether clients may see the text of unexpected exceptions.
        has_sockets: whether the framework carries WebSockets.
    """

    encode: Encoder = field(default_factory=make_encoder)
    asynchronous: bool = True
    backend: str = ""
    production: bool = False
    debug: bool = False
    has_sockets: bool = True
