//! What holds between rooms: which may import which, and what their parts do together.

mod access_tokens;
mod arrows;
mod sessions;
