//! The events of the endpoint, and the series.

mod endpoint;
mod series;
