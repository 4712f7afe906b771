//! Requests that this site's own pages have not caused.

use hyper::{
    header::{HeaderValue, ORIGIN},
    http::request::Parts,
};

use crate::admin::{problem::Refusal, request};

/// Refuses requests under a name that is not one of this server.
pub(in super::super) fn check_host(head: &Parts, hosts: &[String]) -> Result<(), Refusal> {
    let host = request::host(head)?;
    let is_it = |name: &String| host.is_some_and(|host| host.eq_ignore_ascii_case(name));
    if hosts.iter().any(is_it) {
        return Ok(());
    }
    Err(Refusal::Foreign("the Host is not one of this server"))
}

/// Refuses forms that a page of another origin has sent. Every browser names the origin of a form.
pub(in super::super) fn check_origin(head: &Parts) -> Result<(), Refusal> {
    let foreign = Refusal::Foreign("the form comes from another origin");
    let host = request::host(head)?;
    let headers = &head.headers;
    let mut origins = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return Err(foreign);
    };
    let origin = origin.to_str().unwrap_or_default();
    let mut schemes = ["https://", "http://"].into_iter();
    let name = schemes.find_map(|scheme| origin.strip_prefix(scheme));
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let is_own_site = sites.all(|site: &HeaderValue| site == "same-origin");
    if name.is_some() && name == host && is_own_site {
        return Ok(());
    }
    Err(foreign)
}
