"""traefik.py TRAEFIK SIDECAR: a real Traefik with the middlewares for a cluster, which have the same
form in a file, in front of an API. It asks the sidecar."""

import base64
import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import yaml

FILE = Path("examples/deploy/traefik/middleware.yaml")
ISSUER = "https://id.example.com"
AUDIENCE = "https://api.example.com"


def main(traefik, sidecar):
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        key = Key(folder)
        api = stack.enter_context(Api())
        verify, entry = free_port(), free_port()
        command = write_sidecar(folder, key, verify)
        running = stack.enter_context(process([sidecar, *command]))
        # 503 until it knows the log.
        until(lambda: request(verify, "/verify")[0] == 401, "the sidecar")
        stack.enter_context(process(write_traefik(folder, traefik, entry, verify, api.port)))
        until(lambda: request(entry)[0] == 401, "Traefik")
        journey(sidecar, folder, key, api, entry)

        running.terminate()
        assert running.wait(30) == 0, "SIGTERM"
        status, _ = request(entry, "/", key.token("bob"))
        assert (status, api.seen) == (500, []), "Traefik is closed while no sidecar is there"
    print(f"{FILE}: Traefik passes what it should, and is closed otherwise")


def journey(sidecar, folder, key, api, entry):
    live = key.token("alice")
    status, fields = request(entry)
    challenge = fields["www-authenticate"]
    assert status == 401 and challenge.startswith("Bearer") and "error" not in challenge, fields
    assert api.seen == []

    # What a client says of itself does not reach the API, in no spelling.
    forged = ["X-Token-Subject: mallory", "x-token-client: mallory", "X_Token_Subject: mallory",
              "X.Token.Client: mallory", "x-token_client: mallory", "x.token-subject: mallory",
              "X-Forwarded-Uri: /health", "X-Forwarded-Method: OPTIONS"]
    for more in ([], forged, forged + ["Connection: x-token-subject, x-token-client"]):
        status, _ = request(entry, "/orders?x=1", live, *more)
        assert status == 200, status
        path, fields = api.seen.pop()
        identity = {name: value for name, value in fields if "token" in name.lower()}
        assert path == "/orders?x=1"
        assert identity == {"X-Token-Subject": "alice", "X-Token-Client": "shop"}, identity

    # The sidecar responds in the terms of HTTP: a gRPC status would be 200, and let the call in.
    assert request(entry, "/", None, "Content-Type: application/grpc")[0] == 401
    assert request(entry, "/", None, *forged)[0] == 401
    assert request(entry, "/", "not.a.token")[0] == 401
    assert request(entry, "/", key.token("alice", aud="https://other.example.com"))[0] == 401
    twice = request(entry, "/", live, f"Authorization: Bearer {live}")
    assert twice[0] in (400, 401), twice
    assert api.seen == []

    order = [sidecar, "revoke", "--subject", "alice", "--socket", folder / "admin.sock"]
    subprocess.run(order, check=True, stdout=subprocess.DEVNULL)
    status, fields = request(entry, "/", live)
    assert status == 401 and 'error="invalid_token"' in fields["www-authenticate"], (status, fields)
    assert api.seen == []
    assert request(entry, "/", key.token("bob"))[0] == 200
    api.seen.clear()


def write_sidecar(folder, key, port):
    config = folder / "config.toml"
    config.write_text(f"""
[log]
path = "{folder}/log.redb"
[[issuer]]
url = "{ISSUER}"
audience = ["{AUDIENCE}"]
jwks_file = "{folder}/jwks.json"
[verify]
listen = "127.0.0.1:{port}"
identity_headers = {{ subject = "x-token-subject", client = "x-token-client" }}
[admin]
socket = "{folder}/admin.sock"
[run]
allow_root = true
shutdown_delay = "0s"
[logging]
level = "error"
""")
    (folder / "jwks.json").write_text(json.dumps({"keys": [key.public]}))
    return ["--config", config]


def write_traefik(folder, traefik, entry, verify, api):
    """The configuration of a file, from that of a cluster."""
    *middlewares, route = yaml.safe_load_all(FILE.read_text())
    middlewares = {item["metadata"]["name"]: item["spec"] for item in middlewares}
    middlewares["revocation"]["forwardAuth"]["address"] = f"http://127.0.0.1:{verify}/verify"
    (rule,) = route["spec"]["routes"]
    names = [item["name"] for item in rule["middlewares"]]
    file = folder / "traefik.yaml"
    file.write_text(yaml.safe_dump({"http": {
        "middlewares": middlewares,
        "routers": {"shop": {"rule": rule["match"], "service": "shop", "middlewares": names}},
        "services": {"shop": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{api}"}]}}},
    }}))
    return [traefik, f"--entryPoints.web.address=127.0.0.1:{entry}", f"--providers.file.filename={file}",
            "--log.level=FATAL", "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"]


class Key:
    """A key of the issuer, by openssl: nothing else is needed to sign a token."""

    def __init__(self, folder):
        self.file = folder / "key.pem"
        made = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out".split()
        subprocess.run([*made, self.file], check=True, capture_output=True)
        der = subprocess.run(["openssl", "pkey", "-in", self.file, "-pubout", "-outform", "DER"],
                             check=True, capture_output=True).stdout
        self.public = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
                       "x": encode(der[-64:-32]), "y": encode(der[-32:])}

    def token(self, subject, aud=AUDIENCE):
        now = int(time.time())
        head = {"alg": "ES256", "typ": "at+jwt", "kid": "1"}
        claims = {"iss": ISSUER, "aud": aud, "sub": subject, "client_id": "shop", "iat": now - 5,
                  "exp": now + 600, "jti": base64.b16encode(os.urandom(8)).decode()}
        text = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.file], input=text.encode(),
                             check=True, capture_output=True).stdout
        # SEQUENCE { INTEGER r, INTEGER s }, each with a zero in front if its first bit is set.
        r = der[4:4 + der[3]]
        s = der[6 + der[3]:]
        return text + "." + encode(b"".join(it[-32:].rjust(32, b"\0") for it in (r, s)))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Api:
    """An API that notes what reaches it."""

    def __enter__(self):
        self.seen = seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, self.headers.items()))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def request(port, path="/", token=None, *fields):
    """Sends a request as it is written. The status, and the fields of the response."""
    head = [f"GET {path} HTTP/1.1", "Host: api.example.com"]
    if not any(field.startswith("Connection:") for field in fields):
        head.append("Connection: close")
    if token:
        head.append(f"Authorization: Bearer {token}")
    text = "\r\n".join([*head, *fields, "", ""])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stream:
        stream.sendall(text.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = stream.recv(65536)
            assert more, answer
            answer += more
    status, *lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(status.split(" ")[1]), {name.lower(): value for name, _, value in pairs}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def process(command):
    with subprocess.Popen(command) as running:
        try:
            yield running
        finally:
            running.kill()


def until(holds, what):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError, AssertionError):
            if holds():
                return
        time.sleep(0.05)
    sys.exit(f"{what} does not respond")


if __name__ == "__main__":
    main(*sys.argv[1:])
