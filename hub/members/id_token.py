"""What OpenID Connect writes and signs: the request, and the ID token that comes back.

The one module that imports authlib and joserfc; a hub without a sign-on never loads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

__all__ = ["KeyUnknown", "Untrue", "request", "verified"]

_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
"""Signatures alone: whoever verifies by a shared secret could sign, and ``none`` is nobody's."""
_LEEWAY_S: Final = 60


class Untrue(Exception):
    """The token is not what the provider would have signed for this client and this browser."""


class KeyUnknown(Exception):
    """The token names a key that is not in the key set; the provider may have changed its keys."""


def request(
    endpoint: str,
    *,
    client_id: str,
    redirect: str,
    scope: str,
    state: str,
    nonce: str,
    verifier: str,
) -> str:
    """Return the address of an authorization request: code flow, PKCE with S256 (RFC 7636)."""
    found: str = prepare_grant_uri(
        endpoint,
        client_id,
        "code",
        redirect_uri=redirect,
        scope=scope,
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return found


def verified(
    token: Mapping[str, Any],
    keys: Mapping[str, Any],
    *,
    algorithms: Any,
    issuer: str,
    client_id: str,
    nonce: str,
    now: float,
) -> Mapping[str, Any]:
    """Return the claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7).

    *token* is the answer of the token endpoint, *keys* the provider's key set, *algorithms*
    what its metadata say that it signs with.

    Raises:
        KeyUnknown: try again with a newer key set.
        Untrue: anything else.
    """
    written = token.get("id_token")
    if not isinstance(written, str):
        raise Untrue("there is no ID token")
    options: Any = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": client_id},
        **{name: {"essential": True} for name in ("sub", "exp", "iat")},
    }
    params = {"nonce": nonce, "client_id": client_id}
    if isinstance(token.get("access_token"), str):
        params["access_token"] = token["access_token"]
    try:
        registry = jws.JWSRegistry(algorithms=[a for a in _ALGORITHMS if a in algorithms])
        found = jwt.decode(written, KeySet.import_key_set(_signing(keys)), registry=registry)
        claims = CodeIDToken(found.claims, found.header, options, params)
        claims.validate(now=int(now), leeway=_LEEWAY_S)
    except InvalidKeyIdError as e:
        raise KeyUnknown from e
    except (JoseError, ValueError, TypeError, KeyError) as e:
        raise Untrue(f"{type(e).__name__} {e}") from e
    else:
        return dict(found.claims)


def _signing(document: Mapping[str, Any]) -> Any:
    """Return a key set without what signs nothing: keys to encrypt, and secrets."""
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise TypeError("the key set has no keys")
    return {
        "keys": [
            k
            for k in keys
            if isinstance(k, dict)
            and k.get("kty") in {"RSA", "EC", "OKP"}
            and k.get("use", "sig") == "sig"
        ]
    }
