//! The events of the endpoint, and the series.

mod endpoint;
#[path = "../fixture/recorder.rs"]
mod recorder;
mod series;
