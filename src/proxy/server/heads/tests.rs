use super::Heads;

const BOTH: &str =
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n";
const SWAPPED: &str =
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nhost: a\r\nContent-Length: 4\r\n\r\n";
const LENGTH: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 90\r\n\r\n";
const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// Where these bytes have changed, however they are cut.
fn changed(bytes: &str) -> Option<usize> {
    let found: Vec<_> = [1, 2, 3, 7, 64, bytes.len()]
        .into_iter()
        .map(|size| {
            let mut heads = Heads::new();
            let mut read = bytes.as_bytes().to_vec();
            for part in read.chunks_mut(size) {
                heads.read(part);
            }
            let mut pairs = read.iter().zip(bytes.as_bytes());
            pairs.position(|(read, sent)| read != sent)
        })
        .collect();
    assert!(found.iter().all(|place| *place == found[0]), "{found:?}");
    found[0]
}

#[test]
fn head_with_both_fields_is_made_malformed() {
    for (both, second) in [(BOTH, "transfer-encoding:"), (SWAPPED, "Content-Length:")] {
        let colon = both.find(second).unwrap() + second.len() - 1;
        assert_eq!(changed(both), Some(colon));
        assert_eq!(changed(&format!("\r\n\n{both}")), Some(3 + colon));
        // The same without carriage returns, which hyper accepts.
        assert!(changed(&both.replace('\r', "")).is_some());
        for before in [
            GET.to_owned(),
            format!("{LENGTH}{}", "x".repeat(90)),
            format!("{CHUNKED}4;a=\"b\"\r\nabcd\r\n0A\r\n0123456789\r\n0\r\nx: y\r\n\r\n"),
            format!("{CHUNKED}0\r\n\r\n"),
            "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ] {
            let expected = before.len() + colon;
            assert_eq!(changed(&format!("{before}{both}")), Some(expected));
        }
    }
}

#[test]
fn text_of_bodies_and_other_fields_is_not_changed() {
    let padded = format!("{BOTH}{}", "x".repeat(90));
    for sent in [
        format!("{LENGTH}{}", &padded[..90]),
        format!("{CHUNKED}{:x}\r\n{BOTH}\r\n0\r\n\r\n{GET}", BOTH.len()),
        format!("{CHUNKED}0\r\ncontent-length: 4\r\n\r\n{GET}"),
        "GET /content-length:/transfer-encoding: HTTP/1.1\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\nx-content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\ncontent-lengths: 1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encodin: chunked\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\na: content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
    ] {
        assert_eq!(changed(&sent), None, "{sent}");
    }
}

#[test]
fn another_protocol_is_not_changed() {
    let mut heads = Heads::new();
    heads.read(&mut GET.as_bytes().to_vec());
    heads.switched().set();
    let mut read = BOTH.as_bytes().to_vec();
    heads.read(&mut read);
    assert_eq!(read, BOTH.as_bytes());
    assert!(!heads.is_within_head());
}

#[test]
fn early_bytes_of_another_protocol_are_no_slow_head() {
    let mut heads = Heads::new();
    heads.read(&mut format!("{GET}G").into_bytes());
    assert!(heads.is_within_head());
    heads.switched().set();
    assert!(!heads.is_within_head());
}

#[test]
fn head_begins_with_its_first_byte() {
    let mut heads = Heads::new();
    let mut is_within = |bytes: &str| {
        heads.read(&mut bytes.as_bytes().to_vec());
        heads.is_within_head()
    };
    assert!(!is_within(""));
    assert!(!is_within("\r\n"));
    assert!(is_within("G"));
    assert!(is_within("ET / HTTP/1.1\r\nhost: a\r\n"));
    assert!(!is_within("\r\n"));
    assert!(!is_within(LENGTH));
    assert!(!is_within("abc"));
}
