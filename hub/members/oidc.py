"""Sign in with a state's own sign-on: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636).

The hub believes nobody: not the browser that brings the code, not an answer that the
provider did not sign for this very browser and client, and it asks no other host than
those that the operator named.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx
import structlog

from hub.errors import Rejected, Unavailable
from hub.members.sign_on import SignOn, origin_of

__all__ = ["Flow", "Provider", "refused"]

_KEPT_S: Final = 600
_ANEW_S: Final = 60
_LARGEST: Final = 1 << 18
_PATIENCE_S: Final = 10
_SECRET_CHARS: Final = 43
_log = structlog.get_logger("oidc")


@dataclass(frozen=True, slots=True, repr=False)
class Flow:
    """One attempt, bound to one browser: it alone holds the secret, in a cookie.

    State, nonce and the verifier of PKCE follow from the secret, each in its own way; so
    the hub keeps nothing, and no code works in a browser that did not begin.
    """

    secret: str

    @classmethod
    def begin(cls) -> Flow:
        """Return a new one, of 256 random bits."""
        return cls(secrets.token_urlsafe(32))

    def value(self, what: str, state: str) -> str:
        """Return the value of that use for a state's provider."""
        digest = hmac.digest(self.secret.encode(), f"caspian {what} {state}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Provider:
    """A state's provider, as its metadata describe it; they are kept for ten minutes."""

    def __init__(self, sign_on: SignOn, *, clock: Callable[[], float] = time.time) -> None:
        # Most hubs have no sign-on, and none loads what it does not use.
        from hub.members import id_token  # noqa: PLC0415 - see above

        self._tokens = id_token
        self.sign_on = sign_on
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def address(self, flow: Flow, *, redirect: str) -> str:
        """Return where to send the browser.

        Raises:
            Unavailable: ``sign-on-unavailable``.
        """
        state = self.sign_on.state
        return self._tokens.request(
            self._endpoint(await self._metadata(), "authorization_endpoint"),
            client_id=self.sign_on.client_id,
            redirect=redirect,
            scope=self.sign_on.scopes,
            state=flow.value("state", state),
            nonce=flow.value("nonce", state),
            verifier=flow.value("verifier", state),
        )

    async def person(self, answer: Mapping[str, str], flow: Flow, *, redirect: str) -> str:
        """Return who the provider says that came back, by the claim that the operator chose.

        Raises:
            Rejected: ``sign-on-refused``; the log line says why, the answer does not.
            Unavailable: ``sign-on-unavailable``.
        """
        if len(flow.secret) < _SECRET_CHARS:
            # What follows from no secret anybody can work out.
            raise self._refused("this browser did not begin")
        given = answer.get("state", "")
        expected = flow.value("state", self.sign_on.state)
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise self._refused("the state is not this browser's")
        if answer.get("iss", self.sign_on.issuer) != self.sign_on.issuer:
            raise self._refused("the answer is another issuer's")  # RFC 9207: mixed up
        if "code" not in answer:
            raise self._refused(f"the provider says {answer.get('error', 'nothing')[:100]}")
        token = await self._exchange(answer["code"], flow, redirect)
        claims = await self._claims(token, flow.value("nonce", self.sign_on.state))
        found = claims.get(self.sign_on.claim)
        if not isinstance(found, str) or not found:
            raise self._refused(f"there is no claim {self.sign_on.claim}")
        return found

    async def _exchange(self, code: str, flow: Flow, redirect: str) -> dict[str, Any]:
        metadata = await self._metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": flow.value("verifier", self.sign_on.state),
        }
        headers = {}
        secret = self.sign_on.secret()
        ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if secret and "client_secret_basic" in ways:
            # RFC 6749, section 2.3.1: both are form-encoded first.
            pair = f"{quote(self.sign_on.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self.sign_on.client_id
            if secret:
                form["client_secret"] = secret
        endpoint = self._endpoint(metadata, "token_endpoint")
        status, body = await self._ask("POST", endpoint, data=form, headers=headers)
        if status != 200:
            raise self._refused(f"the code was refused: {status} {body.get('error', '')!s:.100}")
        return body

    async def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        metadata = await self._metadata()
        uri = self._endpoint(metadata, "jwks_uri")

        async def claims(*, anew: bool) -> Mapping[str, Any]:
            found: Mapping[str, Any] = self._tokens.verified(
                token,
                await self._document(uri, anew=anew),
                algorithms=metadata.get("id_token_signing_alg_values_supported", ["RS256"]),
                issuer=self.sign_on.issuer,
                client_id=self.sign_on.client_id,
                nonce=nonce,
                now=self._clock(),
            )
            return found

        try:
            try:
                return await claims(anew=False)
            except self._tokens.KeyUnknown:
                return await claims(anew=True)
        except (self._tokens.KeyUnknown, self._tokens.Untrue) as e:
            raise self._refused(f"the ID token: {type(e).__name__} {e}") from e

    async def _metadata(self) -> dict[str, Any]:
        found = await self._document(
            f"{self.sign_on.issuer.rstrip('/')}/.well-known/openid-configuration"
        )
        # OpenID Connect Discovery 1.0, section 4.3.
        if found.get("issuer") != self.sign_on.issuer:
            raise self._away("its metadata are of another issuer")
        return found

    def _endpoint(self, metadata: Mapping[str, Any], name: str) -> str:
        url = metadata.get(name)
        if not isinstance(url, str):
            raise self._away(f"its metadata have no {name}")
        self._check(url)
        return url

    def _check(self, url: str) -> None:
        """Let only addresses through that the operator named; the metadata are not asked."""
        try:
            allowed = origin_of(url) in self.sign_on.origins
        except ValueError:
            allowed = False
        if not allowed:
            raise self._away(f"it names {url[:200]}, which is not one of its own addresses")

    async def _document(self, url: str, *, anew: bool = False) -> dict[str, Any]:
        now = self._clock()
        at, found = self._kept.get(url, (float("-inf"), {}))
        if now - at < (_ANEW_S if anew else _KEPT_S):
            return found
        status, found = await self._ask("GET", url)
        if status != 200:
            raise self._away(f"{url[:200]} answers {status}")
        self._kept[url] = (now, found)
        return found

    async def _ask(self, method: str, url: str, **given: Any) -> tuple[int, dict[str, Any]]:
        """Ask the provider, and nobody else: no redirect is followed, no proxy is taken."""
        self._check(url)
        if self._client is None:
            tls = ssl.create_default_context(cafile=self.sign_on.ca_file)
            self._client = httpx.AsyncClient(
                verify=tls, timeout=_PATIENCE_S, trust_env=False, follow_redirects=False
            )
        try:
            async with self._client.stream(method, url, **given) as response:
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _LARGEST:
                        raise self._away(f"{url[:200]} does not end")
            found = json.loads(body) if body else {}
        except (httpx.HTTPError, ValueError) as e:
            raise self._away(f"{url[:200]}: {type(e).__name__} {e}") from e
        if not isinstance(found, dict):
            raise self._away(f"{url[:200]} answers no object")
        return response.status_code, found

    def _refused(self, why: str) -> Rejected:
        _log.warning("sign_on.refused", state=self.sign_on.state, why=why[:300])
        return refused()

    def _away(self, why: str) -> Unavailable:
        _log.warning("sign_on.unavailable", state=self.sign_on.state, why=why[:300])
        return Unavailable(
            "sign-on-unavailable",
            f"the sign-on of {self.sign_on.state} does not answer as it should",
            remedy="Try again later. Operator: the API's log lines say what it answered.",
            retry_after_s=30,
        )


def refused() -> Rejected:
    """Return the one answer to whatever was wrong."""
    return Rejected(
        "sign-on-refused",
        "your state's sign-on did not say who you are, or you have no account here",
        remedy="Begin again. The operator can read why in the API's log lines.",
    )
