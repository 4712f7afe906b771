"""Authentication that all three endpoints must refuse."""

from urllib.parse import parse_qsl

from journey import UNKNOWN, refusal, refused


def wrong_ones(journey, sessions):
    for what, session in sessions:
        try:
            with session:
                refused(lambda: journey.client_credentials(session), "invalid_client")
                refusal(
                    session.revoke_token(journey.endpoint("revocation"), UNKNOWN),
                    401,
                    "invalid_client",
                )
                refusal(journey.introspect(session, UNKNOWN), 401, "invalid_client")
            # The client must not be locked out yet. A success resets the count of failures.
            with journey.sessions.right() as right:
                journey.client_credentials(right)
        except Exception as error:
            raise AssertionError(what) from error


def replays(journey):
    """An assertion works once. The same request, or one to another endpoint, is refused."""
    seen = []

    def keep(answer):
        seen.append(answer.request)
        return answer

    with journey.sessions.right() as session:
        session.register_compliance_hook("access_token_response", keep)
        journey.client_credentials(session)
    request = seen.pop()
    body = request.body if hasattr(request, "body") else request.content
    form = dict(parse_qsl(body.decode() if isinstance(body, bytes) else body))

    send = journey.sessions.plain.post
    refusal(send(str(request.url), data=form), 401, "invalid_client")
    form.pop("grant_type")
    form["token"] = UNKNOWN
    for name in ("revocation", "introspection"):
        refusal(send(journey.endpoint(name), data=form), 401, "invalid_client")
