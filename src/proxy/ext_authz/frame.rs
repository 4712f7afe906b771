//! The frame of a gRPC message: one byte for compression, four for the length.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message;

const PREFIX: usize = 5;

/// The message in a body that has exactly one, which is not compressed.
pub(super) fn read(mut body: Bytes) -> Option<Bytes> {
    if body.len() < PREFIX || body.get_u8() != 0 {
        return None;
    }
    let length = body.get_u32();
    (u32::try_from(body.len()) == Ok(length)).then_some(body)
}

/// The body with this message.
///
/// # Panics
///
/// Panics if the message is longer than 4 GiB. Those that are written here have a few header fields.
pub(super) fn write(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut body = BytesMut::with_capacity(PREFIX + length);
    body.put_u8(0);
    body.put_u32(u32::try_from(length).expect("a message of a few header fields"));
    message.encode_raw(&mut body);
    body.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_with_one_message_is_read() {
        let body = Bytes::from_static(&[0, 0, 0, 0, 2, 7, 8]);
        assert_eq!(read(body), Some(Bytes::from_static(&[7, 8])));
        let body = Bytes::from_static(&[0; 5]);
        assert_eq!(read(body), Some(Bytes::new()));
    }

    #[test]
    fn other_bodies_are_not_read() {
        for body in [
            &[] as &[u8],
            &[0; 4],
            // Compressed, too short, too long, two messages.
            &[1, 0, 0, 0, 0],
            &[0, 0, 0, 0, 2, 7],
            &[0, 0, 0, 0, 1, 7, 8],
            &[0; 10],
            &[0, 255, 255, 255, 255],
        ] {
            assert_eq!(read(Bytes::copy_from_slice(body)), None, "{body:?}");
        }
    }
}
