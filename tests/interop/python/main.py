"""main.py CLIENTS KEYS ISSUER: tests each client of the file CLIENTS at the server ISSUER. The keys of
the clients are in the folder KEYS. Prints one line for each client and each HTTP library of Authlib."""

import json
import os
import sys
import traceback
import warnings
from pathlib import Path

import refusals
from journey import Journey, discover, same
from sessions import Sessions

# RFC 9864 prefers the name Ed25519. The warning is about clients that use the old name.
warnings.filterwarnings("ignore", "EdDSA is deprecated")


def main(file, keys, issuer):
    clients = json.loads(Path(file).read_text())
    scheme = issuer.partition(":")[0]
    if scheme == "http":
        # Otherwise the library requires TLS.
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    failed = False
    for library in ("requests", "httpx2"):
        for client in clients:
            what = [f"Authlib/{library}", scheme, client["method"], client.get("kind")]
            what = " ".join(filter(None, what))
            try:
                travel(library, client, clients, keys, issuer)
                print(f"{what}: ok", flush=True)
            except Exception:
                failed = True
                print(f"{what}: FAILED", flush=True)
                traceback.print_exc()
    return failed


def travel(library, client, clients, keys, issuer):
    sessions = Sessions(library, client, keys)
    method = client["method"]
    try:
        metadata = discover(issuer, sessions.plain)
        endpoints = ["token", "revocation"] + (["introspection"] if method != "none" else [])
        for endpoint in endpoints:
            supported = metadata[f"{endpoint}_endpoint_auth_methods_supported"]
            same((endpoint, [name for name in supported if name == method]), (endpoint, [method]))

        journey = Journey(metadata, client, sessions)
        journey.grant()
        if method == "none":
            return
        journey.own()
        refusals.wrong_ones(journey, sessions.wrong())
        if method.endswith("_jwt"):
            refusals.replays(journey)
        certified = [other for other in clients if "certificate" in other]
        if "certificate" in client:
            refusals.wrong_ones(journey, sessions.wrong_connections(certified))
        else:
            # A certificate on the connection does not affect clients with other methods.
            journey.own(certified[0])
    finally:
        sessions.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
