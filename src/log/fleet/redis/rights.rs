//! May we do what nodes do?

use std::time::Duration;

use super::{
    fault::Fault,
    resp::{Reply, Request},
    scripts::{RIGHTS, Script},
    session::Session,
    target::Target,
    values::Parts,
};

/// Refuses a user who may not use a command or the keys. Tries each, and changes nothing.
pub(super) async fn check(session: &mut Session, target: &Target) -> Result<(), Fault> {
    let mut request = Request::default();
    let [check, stream] = [&target.keys.check, &target.keys.stream].map(String::as_bytes);
    request.add(&[b"EVAL", RIGHTS.as_bytes(), b"1", check]);
    // It begins nothing: no life of the log has this name.
    let arguments = [&b"none"[..], b""];
    session
        .scripts
        .call(&mut request, Script::Begin, &target.keys, &arguments);
    request.add(&[b"XREAD", b"COUNT", b"1", b"STREAMS", stream, b"0-0"]);
    session.proof.ask(&mut request, Duration::from_millis(1));
    let mut replies = session.wire.ask(&request).await?.into_iter();
    let place = &session.wire.place;
    let tried = replies.next();
    if let Some(Reply::Error(error)) = &tried {
        return Err(Fault::refused(error, place));
    }
    if let Some(Reply::List(refused)) = tried {
        if let [Reply::Text(command), Reply::Text(error)] = &refused[..] {
            let [command, error] = [command, error].map(|text| String::from_utf8_lossy(text));
            let error = Fault::refused(&error, place);
            return Err(Fault::misconfigured(format!(
                "{command} is refused: {error}"
            )));
        }
    }
    Parts::new(replies.next(), session)?;
    for reply in replies {
        if let Reply::Error(error) = reply {
            return Err(Fault::refused(&error, place));
        }
    }
    Ok(())
}
