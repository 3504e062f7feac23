"""What a sender gets back: a receipt, or a refusal. Nothing else, and never nothing."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from schemas.errors import Finding, Rejected

__all__ = ["Answer", "Receipt", "Refusal", "findings_json", "read_answer"]


class Receipt(BaseModel):
    """The message is in the log and will survive the loss of any process and of Redis.

    It is given only after the entry's commit reached the disk. Sending the same
    bytes again brings the same receipt, with *duplicate* set.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    """The entry's place in the log, from 0; the id in every feed is ``<index>-0``."""
    id: str
    """The message's id: the sender's own, or a UUIDv7 that the hub gave."""
    sha256: str
    """SHA-256 of the payload as it came, in hexadecimal."""
    at: AwareDatetime
    """When the hub logged it, in UTC; strictly increasing along the log."""
    level: Literal["durable"] = "durable"
    duplicate: bool = False
    warnings: tuple[dict[str, str | int | None], ...] = ()
    """Findings that did not refuse the message: rule, severity, path, line, message."""


class Refusal(BaseModel):
    """The message was not taken; *remedy* says what to change. The refusal itself is logged."""

    model_config = ConfigDict(frozen=True)

    code: str
    detail: str
    remedy: str = ""
    index: int | None = None
    """The log index of the refusal; None where it was counted with others (docs/errors.md)."""
    findings: tuple[dict[str, str | int | None], ...] = ()
    counted: bool = False
    """Whether it was signed, and keeps its place in its agency's count."""

    def rejected(self) -> Rejected:
        """Return the refusal as the exception that a client raises."""
        return Rejected(
            self.code,
            self.detail,
            remedy=self.remedy,
            findings=tuple(Finding(**f) for f in self.findings),  # type: ignore[arg-type]
            counted=self.counted,
        )


Answer = Receipt | Refusal


def findings_json(findings: tuple[Finding, ...], *, limit: int = 20) -> str:
    """Write at most *limit* findings as JSON; a thousand copies of one fault help nobody."""
    return json.dumps(
        [
            {
                "rule": f.rule,
                "severity": f.severity,
                "path": f.path[:300],
                "line": f.line,
                "message": f.message[:300],
            }
            for f in findings[:limit]
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def read_answer(fields: dict[str, str]) -> Answer:
    """Read an entry of a receipt stream (docs/protocol/streams.md, ``receipts:{agency}``).

    Raises:
        ValueError: the fields are not those of an answer.
    """
    if fields.get("type") == "receipt":
        return Receipt(
            index=int(fields["index"]),
            id=fields["id"],
            sha256=fields["sha256"],
            at=fields["at"],
            duplicate=fields.get("duplicate") == "1",
            warnings=tuple(json.loads(fields.get("warnings") or "[]")),
        )
    if fields.get("type") == "refusal":
        return Refusal(
            code=fields["code"],
            detail=fields["detail"],
            remedy=fields.get("remedy", ""),
            index=int(fields["index"]) if fields.get("index") else None,
            findings=tuple(json.loads(fields.get("findings") or "[]")),
            counted=fields.get("counted") == "1",
        )
    raise ValueError(f"neither receipt nor refusal: {fields.get('type')!r}")
