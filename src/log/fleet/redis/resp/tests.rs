//! Replies in pieces of every size, and what is no reply.

use proptest::prelude::*;

use super::*;

/// What comes of bytes that arrive in pieces of this size.
fn pieces(bytes: &[u8], size: usize) -> Result<(Vec<Reply>, Incoming), Malformed> {
    let (mut incoming, mut replies) = (Incoming::default(), Vec::new());
    for piece in bytes.chunks(size) {
        incoming.bytes.extend_from_slice(piece);
        while let Some(reply) = incoming.next()? {
            replies.push(reply);
        }
    }
    Ok((replies, incoming))
}

fn whole(bytes: &[u8]) -> Reply {
    let (mut replies, incoming) = pieces(bytes, bytes.len()).unwrap();
    assert_eq!((replies.len(), incoming.bytes.len()), (1, 0));
    replies.remove(0)
}

#[test]
fn each_kind_of_reply_is_read() {
    assert_eq!(whole(b"+OK\r\n"), Reply::Text(b"OK".to_vec()));
    assert_eq!(whole(b"-ERR no\r\n"), Reply::Error("ERR no".to_owned()));
    assert_eq!(whole(b":-12\r\n"), Reply::Number(-12));
    assert_eq!(whole(b"$-1\r\n"), Reply::Nothing);
    assert_eq!(whole(b"*-1\r\n"), Reply::Nothing);
    assert_eq!(
        whole(b"$4\r\n\r\n\0a\r\n"),
        Reply::Text(b"\r\n\0a".to_vec())
    );
    let list = Reply::List(vec![Reply::List(vec![]), Reply::Text(vec![])]);
    assert_eq!(whole(b"*2\r\n*0\r\n$0\r\n\r\n"), list);
}

#[test]
fn replies_are_the_same_in_pieces_of_every_size() {
    let bytes = b"*3\r\n$3\r\nabc\r\n:1\r\n*1\r\n-ERR\r\n$2\r\n\r\n\r\n*0\r\n+OK\r\n";
    let expected = pieces(bytes, bytes.len()).unwrap().0;
    assert_eq!(expected.len(), 4);
    for size in 1..bytes.len() {
        assert_eq!(pieces(bytes, size).unwrap().0, expected, "{size}");
    }
    for length in 0..bytes.len() {
        let (replies, _) = pieces(&bytes[..length], 1).unwrap();
        assert_eq!(replies[..], expected[..replies.len()], "{length}");
    }
}

#[test]
fn no_byte_is_read_again_with_each_piece() {
    let items = "$5\r\nabcde\r\n".repeat(3000);
    let long = "x".repeat(50_000);
    let bytes = format!("*3002\r\n{items}$50000\r\n{long}\r\n-{long}\r\n");
    for size in [1, 7, 1000, bytes.len()] {
        let (replies, incoming) = pieces(bytes.as_bytes(), size).unwrap();
        assert_eq!(replies.len(), 1);
        let looked_at = incoming.looked_at;
        assert!(looked_at <= 3 * bytes.len(), "{size}: {looked_at}");
    }
}

#[test]
fn long_reply_is_refused_before_it_is_received() {
    let half = format!("${}\r\n{}\r\n", LONGEST / 2, "x".repeat(LONGEST / 2));
    assert!(pieces(format!("*2\r\n{half}").as_bytes(), 1 << 20).is_ok());
    let one_more = format!("*2\r\n{half}${}\r\n", LONGEST / 2);
    assert!(matches!(
        pieces(one_more.as_bytes(), 1 << 20),
        Err(Malformed)
    ));
    // The next one has as much room.
    assert_eq!(
        pieces(half.repeat(3).as_bytes(), 1 << 20).unwrap().0.len(),
        3
    );
    let lists = format!("*2\r\n*{}\r\n", MOST_ITEMS - 1);
    assert!(matches!(pieces(lists.as_bytes(), 100), Err(Malformed)));
}

#[test]
fn what_is_not_the_protocol_is_refused() {
    let deep = "*1\r\n".repeat(9);
    let long = "+".repeat(LONGEST_LINE + 2);
    for bytes in [
        "\r\n",
        "hello\r\n",
        "$x\r\n",
        "$-2\r\n",
        ":\r\n",
        "$1\r\nabc",
        "*99999999\r\n",
        "$99999999999\r\n",
        &deep,
        &long,
    ] {
        let read = pieces(bytes.as_bytes(), bytes.len().max(1));
        assert!(matches!(read, Err(Malformed)), "{bytes:.20}");
    }
}

#[test]
fn commands_are_counted() {
    let mut request = Request::default();
    request.add(&[b"GET", b"\r\n"]).add(&[b"PING"]);
    assert_eq!(
        request.bytes,
        b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n*1\r\n$4\r\nPING\r\n"
    );
    assert_eq!(request.replies, 2);
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = pieces(&bytes, 3);
    }

    #[test]
    fn near_replies_never_panic(text in "[-+:$*0-9\r\na]{0,60}") {
        let _ = pieces(text.as_bytes(), 5);
    }
}
