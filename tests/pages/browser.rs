//! Chromium, told over a pipe what to do (the protocol of its developer tools).

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Nothing takes that long.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A browser with one page. Dropping it kills it.
pub(crate) struct Browser {
    _process: Child,
    _folder: TempDir,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    last: u64,
    events: Vec<Value>,
}

/// The program. Without it the test is skipped. With `CI=true` that is a failure.
pub(crate) fn program() -> Option<PathBuf> {
    let places = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].map(PathBuf::from);
    needed(
        places.into_iter().find(|it| it.exists()),
        "Chromium is missing: apt install chromium",
    )
}

/// The script of axe-core.
pub(crate) fn axe() -> Option<String> {
    let file = "target/axe/node_modules/axe-core/axe.min.js";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    needed(
        fs::read_to_string(file).ok(),
        "axe-core is missing: tests/pages/install",
    )
}

fn needed<T>(found: Option<T>, missing: &str) -> Option<T> {
    if found.is_none() {
        assert!(env::var("CI").as_deref() != Ok("true"), "{missing}");
        println!("skipped: {missing}");
    }
    found
}

impl Browser {
    /// Starts it, without scripts in pages. What the tests evaluate is not of the page, and runs.
    pub(crate) async fn without_scripts(program: &Path) -> Self {
        let mut browser = Self::start(program).await;
        browser.scripts(false).await;
        browser
    }

    /// Whether pages may run scripts.
    pub(crate) async fn scripts(&mut self, may_run: bool) {
        let parameters = json!({ "value": !may_run });
        self.call("Emulation.setScriptExecutionDisabled", parameters)
            .await;
    }

    pub(crate) async fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Chromium reads from the third descriptor and writes to the fourth one.
        let script = "exec setpriv --pdeathsig KILL \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";
        let mut process = Command::new("bash")
            .args(["-c", script, "bash"])
            .arg(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--no-first-run",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .arg("about:blank")
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut browser = Self {
            to: process.stdin.take().unwrap(),
            from: BufReader::new(process.stdout.take().unwrap()),
            _process: process,
            _folder: folder,
            session: None,
            last: 0,
            events: Vec::new(),
        };
        let page = browser
            .call("Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        browser.size(1280, 900).await;
        browser
    }

    /// Sends a command, and returns its result.
    pub(crate) async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await.unwrap();
        loop {
            let message = self.read().await;
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    async fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        let read = self.from.read_until(0, &mut bytes);
        let read = timeout(TIMEOUT, read)
            .await
            .expect("the browser says nothing");
        assert!(read.unwrap() > 0, "the browser has ended");
        bytes.pop();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Waits until a page is loaded, after something that was done just before.
    async fn loaded(&mut self) {
        loop {
            let is_it = |it: &Value| it["method"] == "Page.loadEventFired";
            if let Some(at) = self.events.iter().position(is_it) {
                self.events.remove(at);
                return;
            }
            let event = self.read().await;
            self.events.push(event);
        }
    }

    pub(crate) async fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url })).await;
        self.loaded().await;
    }

    /// Evaluates an expression beside the page, also if the page may run no script.
    pub(crate) async fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({
            "expression": expression,
            "returnByValue": true,
            "awaitPromise": true,
        });
        let result = self.call("Runtime.evaluate", parameters).await;
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    pub(crate) async fn text(&mut self) -> String {
        let text = self.evaluate("document.body.innerText").await;
        text.as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn shows(&mut self, expected: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let text = self.text().await;
            assert!(
                text.contains(expected),
                "{place}: no {expected:?} in {text}"
            );
        }
    }

    pub(crate) async fn path(&mut self) -> String {
        let path = self.evaluate("location.pathname").await;
        path.as_str().unwrap().to_owned()
    }

    /// Types into the field with this label.
    pub(crate) async fn fill(&mut self, label: &str, text: &str) {
        let find = format!(
            "(() => {{
                const label = [...document.querySelectorAll('label')]
                    .find(it => it.innerText.trim() === {label:?});
                label.control.focus();
                return document.activeElement === label.control;
            }})()"
        );
        assert_eq!(self.evaluate(&find).await, true, "{label}");
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Replaces what is in the field with this label.
    pub(crate) async fn set(&mut self, label: &str, text: &str) {
        self.fill(label, "").await;
        self.evaluate("document.activeElement.select()").await;
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Clicks on the link or the button with this text, and waits for the next page.
    pub(crate) async fn click(&mut self, text: &str) {
        self.click_here(text).await;
        self.loaded().await;
    }

    /// Waits until the page shows this text.
    pub(crate) async fn waits_for(&mut self, expected: &str) {
        let begun = std::time::Instant::now();
        while !self.text().await.contains(expected) {
            assert!(begun.elapsed() < TIMEOUT, "no {expected:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Clicks on the link or the button with this text, on a page that stays.
    pub(crate) async fn click_here(&mut self, text: &str) {
        let find = format!(
            "(() => {{
                const found = [...document.querySelectorAll('a, button, summary')]
                    .find(it => it.innerText.trim() === {text:?});
                if (!found) return document.body.innerText;
                found.scrollIntoView({{ block: 'center' }});
                const box = found.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"
        );
        let place = self.evaluate(&find).await;
        assert!(place.is_array(), "no {text:?} in {place}");
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Presses a key. The names are those of the `KeyboardEvent`.
    pub(crate) async fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            _ => panic!("{key}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
                "text": if kind == "keyDown" { text } else { "" },
            });
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Presses a key that leads to another page.
    pub(crate) async fn press_and_load(&mut self, key: &str) {
        self.press(key).await;
        self.loaded().await;
    }

    /// The text of what has the focus, or its label.
    pub(crate) async fn focused(&mut self) -> String {
        let find = "(() => {
            const it = document.activeElement;
            const label = it.labels && it.labels[0];
            return (label || it).innerText.trim();
        })()";
        self.evaluate(find).await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn size(&mut self, width: u32, height: u32) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Sets the scheme of colours: `light` or `dark`.
    pub(crate) async fn scheme(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }

    /// Takes a picture of the whole page, for people: `target/pages/NAME.png`.
    pub(crate) async fn picture(&mut self, name: &str) {
        let parameters = json!({ "captureBeyondViewport": true, "format": "png" });
        let picture = self.call("Page.captureScreenshot", parameters).await;
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// What the browser has complained about, such as a violated policy. A page with a status of an error
    /// is none.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.events.iter();
        let entries = entries.filter(|it| it["method"] == "Log.entryAdded");
        let entries = entries.map(|it| &it["params"]["entry"]);
        let complaints = entries.filter(|it| it["source"] != "network");
        complaints.map(|it| it["text"].to_string()).collect()
    }
}
