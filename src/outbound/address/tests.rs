use super::*;

#[test]
fn an_address_that_is_not_of_the_public_internet_is_refused() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn an_address_of_the_public_internet_is_not() {
    for address in [
        "1.1.1.1",
        "9.9.9.9",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.1.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.88.98.1",
        "192.167.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "2001:200::1",
        "2606:4700:4700::1111",
        "2a00::1",
        "3ffe::1",
        "64:ff9b::101:101",
        "2002:101:101::1",
        "::ffff:1.1.1.1",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

#[tokio::test]
async fn of_many_addresses_only_the_public_ones_are_connected_to() {
    struct Many;

    impl Resolve for Many {
        fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            assert_eq!(host, "keys.example");
            let found = [
                "127.0.0.1",
                "1.1.1.1",
                "::1",
                "2606:4700:4700::1111",
                "fe80::1",
            ];
            let found = found.map(|address| address.parse().unwrap()).to_vec();
            Box::pin(async { Ok(found) })
        }
    }

    for (allow_private, expected) in [
        (false, vec!["1.1.1.1:0", "[2606:4700:4700::1111]:0"]),
        (
            true,
            vec![
                "127.0.0.1:0",
                "1.1.1.1:0",
                "[::1]:0",
                "[2606:4700:4700::1111]:0",
                "[fe80::1]:0",
            ],
        ),
    ] {
        let mut checked = Checked {
            resolver: Arc::new(Many),
            allow_private,
        };
        let found = checked.call("keys.example".parse().unwrap()).await.unwrap();
        let found: Vec<_> = found.map(|address| address.to_string()).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_uri_is_checked_before_anything_is_resolved() {
    for uri in [
        "",
        "/jwks.json",
        "keys.example",
        "http://keys.example/",
        "HTTP://keys.example/",
        "ftp://keys.example/",
        "file:///etc/passwd",
        "https:keys.example",
        "https:///jwks",
        "https://user@keys.example/",
        "https://user:pass@keys.example/",
        "https://1.1.1.1@keys.example/",
        "https://keys.example/#k1",
        "https://keys.example#",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]:8443/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0X7F000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://017700000001/",
        "https://0177.0.0.01/",
        "https://127.0.0.1./",
        "https://keys.example\\@1.1.1.1/",
        "https://keys .example/",
        " https://keys.example/",
        "https://keys.example/\r\nx: y",
        "https://:443/",
        "https://0x/",
    ] {
        assert!(checked_uri(uri, false).is_err(), "{uri:?}");
    }
    assert!(checked_uri(&format!("https://keys.example/{}", "a".repeat(2048)), false).is_err());
}

#[test]
fn a_uri_with_a_name_or_a_public_address_is_fetched() {
    for uri in [
        "https://keys.example/jwks.json?tenant=1",
        "HTTPS://KEYS.EXAMPLE:8443",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]:443/",
        "https://4u.example/",
        "https://1.2.3.com/",
        "https://keys.example./",
    ] {
        assert!(checked_uri(uri, false).is_ok(), "{uri:?}");
    }
    assert!(checked_uri("https://127.0.0.1/", true).is_ok());
    // Nobody needs it, whatever is allowed.
    assert!(checked_uri("https://2130706433/", true).is_err());
}
