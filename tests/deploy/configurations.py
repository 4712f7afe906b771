"""configurations.py SIDECAR: the binary accepts the configurations of examples/deploy."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import objects

DEPLOY = Path("examples/deploy")


def texts():
    """Each configuration, with the name of its file."""
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for item in objects.load(path.read_text()):
            if item["kind"] == "ConfigMap":
                yield path, item["data"]["config.toml"]
    # The example in a comment: four columns deeper than the prose around it.
    values = DEPLOY / "helm/revocation-sidecar/values.yaml"
    example = re.findall(r"^#     (.*\n)", values.read_text(), re.MULTILINE)
    yield values, "".join(example)


def main(sidecar):
    for path, text in texts():
        with tempfile.TemporaryDirectory() as folder:
            check(sidecar, path, text, Path(folder))
        print(f"{path}: the binary accepts the configuration")


def check(sidecar, path, text, folder):
    # The secrets of a cluster, here.
    for name in re.findall(r'_file = "/run/secrets/([^"]+)"', text):
        secret = folder / name
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("postgres://sidecar@127.0.0.1/sidecar\n")
    file = folder / "config.toml"
    text = text.replace("/run/secrets", str(folder))
    # Those of the pods, here.
    for place in ["/var/lib/sidecar", "/run/sidecar"]:
        text = text.replace(place, str(folder))
    file.write_text(text)
    command = [sidecar, "--config", file, "--set", "run.allow_root=true", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{path}: {done.stderr}"
    # It would notice a mistake.
    file.write_text(file.read_text() + "\n[gatewey]\n")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "gatewey" in done.stderr, done


if __name__ == "__main__":
    main(sys.argv[1])
