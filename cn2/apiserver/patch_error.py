"""What is raised when a patch can't be applied."""

from __future__ import annotations


class PatchError(Exception):
    """The patch is malformed or does not fit the document; the text says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
