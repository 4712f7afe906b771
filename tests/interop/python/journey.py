"""The life of a grant. Each step uses Authlib."""

from urllib.parse import parse_qs, urlsplit

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from sessions import REDIRECT_URI

UNKNOWN = "unknown-to-everybody"


def discover(issuer, http):
    answer = http.get(get_well_known_url(issuer, external=True), allow_redirects=False)
    same(answer.status_code, 200)
    metadata = AuthorizationServerMetadata(answer.json())
    metadata.validate()
    same(metadata["issuer"], issuer)
    return metadata


def same(actual, expected):
    # Not with `assert`, which -O removes.
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


def refused(call, code):
    """Asserts that the library raises this error of the server."""
    try:
        call()
    except OAuthError as error:
        same(error.error, code)
    else:
        raise AssertionError(f"accepted instead of refused with {code}")


def refusal(answer, status, code):
    """The same check for a response that the library returns unchanged."""
    same(answer.status_code, status)
    same(answer.json().get("error"), code)


class Journey:
    """The requests of one client to one server."""

    def __init__(self, metadata, client, sessions):
        self.metadata = metadata
        self.client = client
        self.sessions = sessions

    def endpoint(self, name):
        name += "_endpoint"
        aliases = self.metadata.get("mtls_endpoint_aliases", {})
        if "certificate" in self.client and name in aliases:
            return aliases[name]
        return self.metadata[name]

    def grant(self):
        """Goes from consent to the end of the grant."""
        with self.sessions.right() as session:
            issued = dict(self.authorize(session))
            same(self.me(session, issued["access_token"]).json()["sub"], "alice")
            self.active(session, issued["access_token"])
            self.active(session, issued["refresh_token"])

            fresh = dict(self.refresh(session, issued["refresh_token"]))
            for token in (issued, fresh):
                same(self.me(session, token["access_token"]).status_code, 200)

            self.revoke(session, fresh["refresh_token"], "refresh_token")
            for token in (issued, fresh):
                self.dead(session, token["access_token"])
            refused(lambda: self.refresh(session, fresh["refresh_token"]), "invalid_grant")
            self.revoke(session, fresh["refresh_token"], "refresh_token")
            self.revoke(session, UNKNOWN)

    def own(self, connection=None):
        """Uses a token of the client itself, without a user."""
        with self.sessions.right(connection) as session:
            token = self.client_credentials(session)["access_token"]
            answer = self.me(session, token)
            same((answer.status_code, answer.json()["client_id"]), (200, self.client["client_id"]))
            # With a wrong hint.
            self.revoke(session, token, "refresh_token")
            self.dead(session, token)

    def authorize(self, session):
        verifier = generate_token(48)
        url, state = session.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier
        )
        sent = self.sessions.plain.get(url, allow_redirects=False)
        location = sent.headers.get("location", "")
        if not location.startswith(REDIRECT_URI + "?"):
            raise AssertionError(f"{sent.status_code}, sent to {location}")
        same(parse_qs(urlsplit(location).query).get("iss"), [self.metadata["issuer"]])
        token = session.fetch_token(
            self.endpoint("token"),
            authorization_response=location,
            state=state,
            code_verifier=verifier,
        )
        same(token["scope"], "read")
        return token

    def refresh(self, session, token):
        return session.refresh_token(self.endpoint("token"), refresh_token=token)

    def client_credentials(self, session):
        return session.fetch_token(self.endpoint("token"), grant_type="client_credentials")

    def revoke(self, session, token, hint=None):
        answer = session.revoke_token(self.endpoint("revocation"), token, hint)
        same((answer.status_code, answer.content), (200, b""))

    def introspect(self, session, token):
        return session.introspect_token(self.endpoint("introspection"), token)

    def me(self, session, token):
        """Calls the API."""
        session.token = {"access_token": token, "token_type": "Bearer"}
        return session.get(self.metadata["issuer"] + "/api/me")

    def active(self, session, token):
        if self.client["method"] != "none":
            answer = self.introspect(session, token)
            same(answer.status_code, 200)
            found = [answer.json().get(name) for name in ("active", "client_id", "sub", "scope")]
            same(found, [True, self.client["client_id"], "alice", "read"])

    def dead(self, session, token):
        """Asserts that the API and introspection refuse the token."""
        answer = self.me(session, token)
        same(answer.status_code, 401)
        if 'error="invalid_token"' not in answer.headers["www-authenticate"]:
            raise AssertionError(answer.headers["www-authenticate"])
        if self.client["method"] != "none":
            same(self.introspect(session, token).json(), {"active": False})
