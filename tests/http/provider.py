"""An OpenID Connect provider of a state, as a server of its own; it can be told to lie."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

from hub.streams.embedded import free_port
from tests.hubkit import QuietServer

__all__ = ["Provider", "running_provider"]

CLIENT, SECRET = "caspian hub", "s3cret: with all/characters"


@dataclass
class Provider:
    """What it knows, what it was asked, and how it lies."""

    port: int
    person: str = "subject-1"
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    """What the metadata say instead."""
    claims: dict[str, Any] = field(default_factory=dict)
    """What the ID token says instead; None leaves a claim out."""
    sign: Callable[[dict[str, Any]], str] | None = None
    """Signs instead."""
    token_status: int = 200
    token_body: bytes | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def honest(self) -> None:
        """Lie no more."""
        self.metadata, self.claims, self.sign = {}, {}, None
        self.token_status, self.token_body = 200, None

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


def app_of(provider: Provider) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def note(request: Request, call_next: Any) -> Any:
        provider.asked.append(request.url.path)
        return await call_next(request)

    @app.get("/.well-known/openid-configuration")
    async def metadata() -> dict[str, Any]:
        return {
            "issuer": provider.issuer,
            "authorization_endpoint": f"{provider.issuer}/authorize",
            "token_endpoint": f"{provider.issuer}/token",
            "jwks_uri": f"{provider.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            **provider.metadata,
        }

    @app.get("/keys")
    async def keys() -> dict[str, Any]:
        # A key set may hold what signs nothing.
        other = {"kty": "RSA", "use": "enc", "kid": "enc", "n": "AQAB", "e": "AQAB"}
        return {"keys": [other, provider.key.as_dict(private=False)]}

    @app.get("/authorize")
    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        provider.codes[code] = asked
        return RedirectResponse(
            f"{asked['redirect_uri']}?code={code}&state={asked['state']}", status_code=302
        )

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        asked = provider.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        given = base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
        if (
            asked is None
            or given != b"caspian%20hub:s3cret%3A%20with%20all%2Fcharacters"
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": provider.issuer,
            "sub": provider.person,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **provider.claims,
        }
        claims = {k: v for k, v in claims.items() if v is not None}
        body = {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": (provider.sign or provider.signed)(claims),
        }
        return Response(
            provider.token_body or json.dumps(body),
            provider.token_status,
            media_type="application/json",
            headers={"Location": f"{provider.issuer}/elsewhere"},
        )

    return app


@asynccontextmanager
async def running_provider() -> AsyncIterator[Provider]:
    """Run a provider in this loop, on a port of its own."""
    provider = Provider(free_port())
    config = uvicorn.Config(
        app_of(provider),
        port=provider.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
    )
    server = QuietServer(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task.exception()
        await asyncio.sleep(0.01)
    try:
        yield provider
    finally:
        server.should_exit = True
        await task
