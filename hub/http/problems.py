"""Every error of the API as one form: problem+json (RFC 9457) with the hub's stable codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hub.errors import HubError, Rejected, Unavailable
from hub.http.refusals import Refusals

__all__ = ["PROBLEM", "RESPONSES", "install", "internal", "problem", "status_of"]

PROBLEM: Final = "application/problem+json"

_STATUS: Final[Mapping[str, int]] = {
    "http-invalid": 400,
    "token-missing": 401,
    "token-invalid": 401,
    "token-expired": 401,
    "certificate-unknown": 401,
    "session-ended": 401,
    "sign-in-refused": 401,
    "code-required": 401,
    "sign-on-refused": 401,
    "certificate-refused": 403,
    "csrf-refused": 403,
    "tls-required": 403,
    "not-allowed": 403,
    "scope-missing": 403,
    "unknown-agency": 403,
    "sender-not-of-agency": 403,
    "not-your-message": 403,
    "area-outside": 403,
    "not-your-answer": 403,
    "approval-required": 403,
    "own-draft": 403,
    "own-offer": 403,
    "key-unknown": 403,
    "key-expired": 403,
    "key-revoked": 403,
    "statement-unsigned": 403,
    "unknown-message": 404,
    "replay-unknown": 404,
    "feed-unknown": 404,
    "entry-unknown": 404,
    "hold-unknown": 404,
    "checkpoint-none": 404,
    "session-unknown": 404,
    "incident-unknown": 404,
    "sign-on-unknown": 404,
    "outlet-unknown": 404,
    "draft-unknown": 404,
    "route-unknown": 404,
    "method-not-allowed": 405,
    "head-too-slow": 408,
    "body-too-slow": 408,
    "conflicting-replay": 409,
    "ambiguous-message": 409,
    "id-taken": 409,
    "key-taken": 409,
    "name-taken": 409,
    "sequence-gap": 409,
    "sequence-fork": 409,
    "statement-stale": 409,
    "payload-held": 409,
    "outlet-limit": 409,
    "draft-limit": 409,
    "draft-decided": 409,
    "more-than-offered": 409,
    "payload-redacted": 410,
    "too-large": 413,
    "payload-type-mismatch": 415,
    "locked": 429,
    "rate-limited": 429,
    "too-many-streams": 429,
}
"""Any other is 422 where the sender must change something, 503 where the hub must recover."""

_NO_INPUT: Final = frozenset({"sign-in-refused", "code-required", "sign-on-refused"})
"""Whoever mistypes a password has asked the hub for nothing that others should read for ever."""

_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "remedy": {"type": "string"},
        "index": {"type": ["integer", "null"]},
        "counted": {"type": "boolean"},
        "findings": {"type": "array", "items": {"type": "object"}},
    },
}

_WHAT: Final = {
    400: "The request is malformed",
    401: "Not known who asks",
    403: "Not allowed",
    404: "There is no such thing",
    405: "Not that way",
    408: "Too slow",
    409: "Conflict",
    410: "Gone",
    413: "Too large",
    415: "Another type than it says",
    422: "Refused",
    429: "Too often",
    500: "A fault of the hub",
    503: "The hub must recover",
}

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": what, "content": {PROBLEM: {"schema": _SCHEMA}}}
    for status, what in _WHAT.items()
}


def status_of(error: HubError) -> int:
    """Return the HTTP status of an error."""
    return _STATUS.get(error.code, 503 if isinstance(error, Unavailable) else 422)


def problem(
    error: HubError, *, index: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error as the response that reports it."""
    status = status_of(error)
    body: dict[str, Any] = {
        "type": f"urn:caspian-hub:problem:{error.code}",
        "title": _WHAT[status],
        "status": status,
        "detail": error.detail,
        "code": error.code,
        "remedy": error.remedy,
    }
    if isinstance(error, Rejected) and error.findings:
        body["findings"] = [
            {
                "rule": f.rule,
                "severity": f.severity,
                "path": f.path,
                "line": f.line,
                "message": f.message,
            }
            for f in error.findings
        ]
    if index is not None:
        body["index"] = index
    if isinstance(error, Rejected) and error.counted:
        body["counted"] = True
    more = dict(headers or {})
    if isinstance(error, Unavailable):
        more["Retry-After"] = str(error.retry_after_s)
    if status == 401:
        more["WWW-Authenticate"] = 'Bearer realm="caspian-hub"'
    return JSONResponse(body, status_code=status, headers=more, media_type=PROBLEM)


def internal() -> JSONResponse:
    """Return the answer to a request that met a fault of the hub's own."""
    return JSONResponse(
        {
            "type": "urn:caspian-hub:problem:internal",
            "title": _WHAT[500],
            "status": 500,
            "detail": "the hub failed on this request; its operator can read why",
            "code": "internal",
            "remedy": "Send the same again; it is safe. If it fails again, tell the operator.",
        },
        status_code=500,
        media_type=PROBLEM,
    )


def install(app: FastAPI) -> None:
    """Make the app answer every error in this form, the framework's own too."""

    def noted(request: Request, error: HubError) -> HubError:
        """Log a refusal (guarantee G6); to look for what is not there is no input."""
        asks_only = request.method in {"GET", "HEAD"} and status_of(error) not in {401, 403}
        if isinstance(error, Rejected) and not asks_only and error.code not in _NO_INPUT:
            refusals: Refusals = request.app.state.hub.refusals
            refusals.note(getattr(request.state, "agency", ""), error)
        return error

    @app.exception_handler(HubError)
    async def hub_error(request: Request, error: HubError) -> JSONResponse:
        return problem(noted(request, error))

    @app.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
        codes = {
            404: "route-unknown",
            405: "method-not-allowed",
            408: "body-too-slow",
            413: "too-large",
        }
        code = codes.get(error.status_code, "request-invalid")
        refusal = Rejected(code, str(error.detail), remedy="See /openapi.json for the routes.")
        return problem(refusal, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        refusal = Rejected(
            "request-invalid", f"{where}: {fault['msg']}", remedy="See /openapi.json."
        )
        return problem(noted(request, refusal))
