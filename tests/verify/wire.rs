//! Messages of protobuf and frames of gRPC, written and read by hand: not with the definitions of the
//! service.

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

/// A field with text, bytes or a message.
pub(crate) fn bytes(tag: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [
        &number_of(u64::from(tag << 3 | 2))[..],
        &number_of(value.len() as u64),
        value,
    ]
    .concat()
}

/// A field with a number.
pub(crate) fn number(tag: u8, value: u64) -> Vec<u8> {
    [number_of(u64::from(tag << 3)), number_of(value)].concat()
}

fn number_of(mut value: u64) -> Vec<u8> {
    let mut written = Vec::new();
    while value >= 0x80 {
        written.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    written.push(u8::try_from(value).unwrap());
    written
}

/// The fields of a message, in their order.
pub(crate) fn read(mut message: &[u8]) -> Vec<(u64, Field)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = take_number(&mut message);
        let field = match key & 7 {
            0 => Field::Number(take_number(&mut message)),
            2 => {
                let length = usize::try_from(take_number(&mut message)).unwrap();
                let (value, rest) = message.split_at(length);
                message = rest;
                Field::Bytes(value.to_vec())
            }
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn take_number(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first().unwrap();
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number that is too long");
}

/// All values of one field that holds bytes.
pub(crate) fn all(message: &[u8], tag: u64) -> Vec<Vec<u8>> {
    let fields = read(message).into_iter().filter(|field| field.0 == tag);
    let bytes = fields.map(|(_, field)| match field {
        Field::Bytes(bytes) => bytes,
        Field::Number(_) => panic!("field {tag} is a number"),
    });
    bytes.collect()
}

/// The number in a field that is there at most once. 0 if it is not.
pub(crate) fn number_in(message: &[u8], tag: u64) -> u64 {
    let mut fields = read(message).into_iter().filter(|field| field.0 == tag);
    let value = match fields.next() {
        Some((_, Field::Number(value))) => value,
        Some((_, Field::Bytes(_))) => panic!("field {tag} is no number"),
        None => 0,
    };
    assert!(fields.next().is_none(), "field {tag} is there twice");
    value
}

/// A frame of gRPC with this message.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat()
}
