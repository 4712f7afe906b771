"""A client of Authlib for each authentication method and each HTTP library of Authlib."""

import ssl
from pathlib import Path

import requests
from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc.jwk import ECKey, OKPKey, RSAKey

from forgery import forge

REDIRECT_URI = "http://127.0.0.1:49152/callback"
ALGORITHMS = {
    "ES256": (ECKey, "P-256"),
    "PS256": (RSAKey, 2048),
    "RS256": (RSAKey, 2048),
    "Ed25519": (OKPKey, "Ed25519"),
    "EdDSA": (OKPKey, "Ed25519"),
}


class Sessions:
    """Sessions of one registered client."""

    def __init__(self, library, client, keys):
        self.library = library
        self.client = client
        self.keys = Path(keys)
        # For requests without an OAuth library.
        self.plain = requests.Session()
        for name, value in self._connection("requests", client).items():
            setattr(self.plain, name, value)

    def close(self):
        self.plain.close()

    def right(self, connection=None):
        return self.session(self.client["method"], connection=connection)

    def wrong(self):
        """Authentication that the server must refuse, by name."""
        method, secret = self.client["method"], self.client.get("secret")
        if method == "client_secret_basic":
            yield "a wrong secret", self.session(method, secret + "x")
            yield "the secret in the body", self.session("client_secret_post")
            yield "no secret", self.session("none")
        if method == "client_secret_post":
            yield "a wrong secret", self.session(method, secret + "x")
            yield "the secret in the header", self.session("client_secret_basic")
            yield "no secret", self.session("none")
        if method == "client_secret_jwt":
            yield "a wrong secret", self.session(method, secret + "x")
            yield "the secret itself", self.session("client_secret_post")
        if method == "private_key_jwt":
            kind, parameter = ALGORITHMS[self.client["kind"]]
            yield "another key", self.session(method, kind.generate_key(parameter))
            yield "no assertion", self.session("none")
        if method.endswith("_jwt"):
            other = "https://other.example/oauth2/token"
            yield "an assertion for another server", self.session(method, audience=other)
            past = {"iat": 1_000_000_000, "exp": 1_000_000_060}
            yield "an assertion that has expired", self.session(method, claims=past)

    def wrong_connections(self, certified):
        """The right parameters without the certificate, or with another one."""
        yield "no certificate", self.session("none", connection={})
        forged = forge(self.client, self.keys)
        yield "a certificate of the same name", self.session("none", connection=forged)
        for other in certified:
            if other["client_id"] != self.client["client_id"]:
                what = f"the certificate of {other['client_id']}"
                yield what, self.session("none", connection=other)

    def session(self, method, secret=None, audience=None, claims=None, connection=None):
        if method == "private_key_jwt":
            secret = secret or self._private_key()
            assertion = PrivateKeyJWT(audience, claims=claims, alg=self.client["kind"])
        else:
            secret = secret or self.client.get("secret")
            assertion = ClientSecretJWT(audience, claims=claims)
        if "certificate" in self.client:
            # The library has no such method. The parameters are the same as for `none`.
            method = "none"
        kind = {"requests": OAuth2Session, "httpx2": OAuth2Client}[self.library]
        if connection is None:
            connection = self.client
        session = kind(
            self.client["client_id"],
            secret,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            scope="read",
            redirect_uri=REDIRECT_URI,
            code_challenge_method="S256",
            **self._connection(self.library, connection),
        )
        session.register_client_auth_method(assertion)
        return session

    def _connection(self, library, client):
        """Trusts the CA of the server, and ignores the environment."""
        authority = str(self.keys / "ca.pem")
        certificate = None
        if "certificate" in client:
            certificate = tuple(str(self.keys / client[name]) for name in ("certificate", "key"))
        if library == "requests":
            return {"trust_env": False, "verify": authority, "cert": certificate}
        context = ssl.create_default_context(cafile=authority)
        # The default since Python 3.13.
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        if certificate:
            context.load_cert_chain(*certificate)
        return {"trust_env": False, "verify": context}

    def _private_key(self):
        kind, _ = ALGORITHMS[self.client["kind"]]
        return kind.import_key((self.keys / self.client["key"]).read_bytes())
