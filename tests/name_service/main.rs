//! The name service between machines: what is sent when, and who bears which name in the end.

mod broadcast;
mod lan;
mod laws;
mod limits;
mod server;
