"""What must not authenticate anybody, at any of the three endpoints."""

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
            # Who fails must not be locked out so soon, and a success forgets failures.
            with journey.sessions.right() as right:
                journey.client_credentials(right)
        except Exception as error:
            raise AssertionError(what) from error


def replays(journey):
    """An assertion is good for one request: not for the same again, nor for another endpoint."""
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
