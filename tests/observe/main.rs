//! What an operator sees: the events of the endpoint, and the series.

mod endpoint;
mod series;
