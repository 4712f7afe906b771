//! A proxy in front of the server has other limits than its clients.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::sleep,
};
use tower_revocation::proxy::server::{Server, TrustedPeers};

use crate::{
    fixture::soon,
    floods::{PREFACE, connect_from, gateway, is_served, reset_request},
};

fn server() -> Server {
    Server::new().trusted_peers(TrustedPeers::new(["127.0.0.2".parse().unwrap()]))
}

#[tokio::test]
async fn trusted_peer_has_as_many_connections_as_there_may_be() {
    let gateway = gateway(server().max_connections_per_address(2)).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(connect_from("127.0.0.2", &gateway).await);
    }
    assert!(is_served(open.pop().unwrap()).await);
    for _ in 0..2 {
        open.push(connect_from("127.0.0.3", &gateway).await);
    }
    assert!(!is_served(connect_from("127.0.0.3", &gateway).await).await);
}

#[tokio::test]
async fn trusted_peer_may_reset_any_number_of_streams() {
    let gateway = gateway(server().max_resets(5)).await;
    for (address, is_open) in [("127.0.0.2", true), ("127.0.0.3", false)] {
        let mut stream = connect_from(address, &gateway).await;
        let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        let hello = [PREFACE, settings].concat();
        stream.write_all(&hello).await.unwrap();
        for sent in 0..50 {
            // The server may have closed the connection.
            let _ = stream.write_all(&reset_request(2 * sent + 1)).await;
            sleep(Duration::from_millis(2)).await;
        }
        // A `PING` is answered with the same eight bytes.
        let ping: &[u8] = b"\0\0\x08\x06\0\0\0\0\0any-text";
        let _ = stream.write_all(ping).await;
        let mut read = Vec::new();
        let answered = async {
            while let Ok(1..) = stream.read_buf(&mut read).await {
                if read.windows(8).any(|part| part == b"any-text") {
                    return true;
                }
            }
            false
        };
        assert_eq!(soon(answered).await, is_open, "{address}");
    }
}

#[tokio::test]
async fn peer_is_trusted_from_the_next_connection_on() {
    let trusted = TrustedPeers::default();
    let server = Server::new()
        .max_connections_per_address(1)
        .trusted_peers(trusted.clone());
    let gateway = gateway(server).await;
    let _open = connect_from("127.0.0.2", &gateway).await;
    assert!(!is_served(connect_from("127.0.0.2", &gateway).await).await);
    trusted.replace(["127.0.0.2".parse().unwrap()]);
    assert!(is_served(connect_from("127.0.0.2", &gateway).await).await);
    trusted.replace([]);
    assert!(!is_served(connect_from("127.0.0.2", &gateway).await).await);
}
