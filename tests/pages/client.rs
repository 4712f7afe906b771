//! A client that sends what it is told, and keeps cookies.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Request, StatusCode,
    header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::world::World;

/// A visitor without a browser.
pub(crate) struct Visitor {
    client: Client<HttpConnector, Full<Bytes>>,
    pub(crate) host: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The value of the first hidden field with this name.
    #[track_caller]
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.text.split(&mark).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no {name}: {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

/// A form in which every character is escaped that could be.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(fields).unwrap()
}

impl Visitor {
    pub(crate) fn of(world: &World) -> Self {
        Self::at(&world.host)
    }

    pub(crate) fn at(host: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            host: host.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// Signs in with the token of this role.
    pub(crate) async fn operator(world: &World, role: &str) -> Self {
        let mut visitor = Self::of(world);
        let answer = visitor.sign_in(&format!("token-{role}")).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert_eq!(answer.header("location"), "/");
        visitor
    }

    pub(crate) async fn sign_in(&mut self, token: &str) -> Answer {
        let form_token = self.get("/sign-in").await.hidden("form_token");
        let fields = [("form_token", &*form_token), ("token", token)];
        self.post("/sign-in", &fields).await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> hyper::http::request::Builder {
        let request = Request::builder().method(method);
        request.uri(format!("http://{}{path}", self.host))
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path).body(Full::default());
        self.send(request.unwrap()).await
    }

    /// Sends a form as a browser does.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.form(path, fields);
        self.send(request).await
    }

    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request<Full<Bytes>> {
        let request = self.request("POST", path);
        request
            .header(ORIGIN, format!("http://{}", self.host))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form(fields)))
            .unwrap()
    }

    /// Goes to the confirmation of an order about a subject. Returns the two hidden fields of its form.
    pub(crate) async fn confirm(&mut self, subject: &str) -> [String; 2] {
        let page = self
            .get(&format!("/subjects?{}", form(&[("subject", subject)])))
            .await;
        let form_token = page.hidden("form_token");
        let fields = [
            ("form_token", &*form_token),
            ("kind", "subject"),
            ("name", subject),
        ];
        let page = self.post("/orders/confirm", &fields).await;
        assert_eq!(page.status, 200, "{}", page.text);
        ["form_token", "order"].map(|name| page.hidden(name))
    }

    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Answer {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        if !pairs.is_empty() && !request.headers().contains_key(COOKIE) {
            let cookies = pairs.join("; ").parse().unwrap();
            request.headers_mut().insert(COOKIE, cookies);
        }
        if !request.headers().contains_key(HOST) {
            let host = self.host.parse().unwrap();
            request.headers_mut().insert(HOST, host);
        }
        let (head, body) = self.client.request(request).await.unwrap().into_parts();
        for cookie in head.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}
