//! What ends with the token: the body of the response, or the connection?

use hyper::{Response, StatusCode};

use crate::enforce::{
    connection::Connection, life::Life, protocol::Protocol, stream::EnforcedBody,
};

/// A request that has passed, and what its response depends on.
pub(super) struct Passing {
    pub(super) life: Life,
    pub(super) responds_in_http: bool,
    pub(super) connection: Option<Connection>,
    /// Whether the connection is shared, as in HTTP/2: then an upgrade hands over one stream.
    pub(super) is_shared: bool,
    pub(super) connects: bool,
}

impl Passing {
    pub(super) fn respond<B>(self, response: Response<B>) -> Response<EnforcedBody<B>> {
        // The headers of the response decide, not those of the request: trailers would end any
        // other response as if it were whole.
        let protocol = Protocol::choose(self.responds_in_http, response.headers());
        let life = self.life;
        let status = response.status();
        let upgraded =
            status == StatusCode::SWITCHING_PROTOCOLS || self.connects && status.is_success();
        if upgraded && !self.is_shared {
            if let Some(connection) = self.connection {
                connection.abort_with(life.watch());
            }
            // The response has no body. What follows it ends with the connection.
            return response.map(EnforcedBody::unwatched);
        }
        response.map(|body| EnforcedBody::watched(body, life, protocol))
    }
}
