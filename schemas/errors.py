"""What a sender must change before the hub takes a message.

::

    HubError                (hub.errors)
    |- Rejected             the sender must change something
    `- Unavailable          the hub must recover; the same request will work later (hub.errors)

Each carries a stable ``code`` that is the same in HTTP, on the receipt
stream, in the command line and in the log. docs/errors.md lists them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "HubError", "Rejected"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found in a message.

    *rule* is the id in docs/standards.md, *path* the element's path from the
    root (``alert/info[1]/area[2]/polygon[1]``), *line* its line in the bytes
    that came (1 is the first; None where there are no lines).
    """

    rule: str
    severity: Literal["error", "warning"]
    path: str
    message: str
    line: int | None = None


class HubError(Exception):
    """A fault with a stable code, a sentence for people, and what to do about it."""

    def __init__(self, code: str, detail: str, *, remedy: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Rejected(HubError):
    """The message or request is refused until its sender changes it.

    *findings* name what is wrong, in document order; they are empty where the
    code and the detail say all there is. *counted*: it was a signed message, and keeps
    its place in its agency's count (docs/protocol/signing.md).
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        remedy: str = "",
        findings: tuple[Finding, ...] = (),
        counted: bool = False,
    ) -> None:
        super().__init__(code, detail, remedy=remedy)
        self.findings = findings
        self.counted = counted
