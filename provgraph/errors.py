"""Every error that provgraph raises, and the exit status that each one means.

ProvGraphError                 anything below; has a next step in its message
├── QuestionError      (2)     the question or the input is wrong
│   ├── UnknownReferenceError        a reference names nothing, or more than one thing
│   ├── CypherError            a Cypher text that is refused or does not run
│   └── InputError             a file or document that does not have the shape it must have
├── StoreError         (3)     the store cannot be read or reached
│   ├── NoProjectError         no project here, or a store that vanished
│   ├── TrustError             a store that is somebody else's, or came with a clone
│   ├── RemoteError            the team's server cannot be reached, refuses, or is full
│   ├── NewerStoreError        written by a newer provgraph; nothing was changed
│   └── CorruptError           a damaged object, journal page or projection
└── CaptureError       (2)     a capture method that was asked for cannot work here
"""


class ProvGraphError(Exception):
    """Base of all errors. ``exit_status`` is what a command line ends with."""

    exit_status = 2


class QuestionError(ProvGraphError):
    """The question or the input is wrong."""


class UnknownReferenceError(QuestionError):
    """A reference names nothing, or more than one thing.

    ``candidates`` holds what it may have meant, best first.
    """

    def __init__(self, message: str, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.candidates = candidates


class CypherError(QuestionError):
    """A Cypher text that is refused or does not run."""


class InputError(QuestionError):
    """A file or document that does not have the shape it must have."""


class StoreError(ProvGraphError):
    """The store cannot be read or reached."""

    exit_status = 3


class NoProjectError(StoreError):
    """There is no project here, or its store vanished."""


class TrustError(StoreError):
    """A store that is somebody else's, or that came with a clone."""


class RemoteError(StoreError):
    """The team's server cannot be reached, refuses, or is full. What is recorded here is unharmed by it.

    ``passing`` says whether it may be over without anybody doing something, so that ``push --watch`` tries again: a
    server that is away, not a password that is wrong.
    """

    def __init__(self, message: str, *, passing: bool = True) -> None:
        super().__init__(message)
        self.passing = passing


class NewerStoreError(StoreError):
    """The store was written by a newer provgraph. Nothing was changed."""


class CorruptError(StoreError):
    """A damaged object, journal page or projection; the message names it."""


class CaptureError(ProvGraphError):
    """A capture method that was asked for cannot work here."""
