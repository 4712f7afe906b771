"""The Helm chart of examples/deploy: what it makes of values, and which values it refuses."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import yaml

import objects

CHART = Path("examples/deploy/helm/revocation-sidecar")

FILE = '[log]\npath = "/var/lib/sidecar/log.redb"\n'
SERVER = '[log]\nurl_file = "/run/secrets/log/url"\n'
ISSUER = '[[issuer]]\nurl = "https://id.example.com"\naudience = ["https://api.example.com"]\n'
GATEWAY = '[gateway]\nlisten = "0.0.0.0:8080"\nupstream = "http://127.0.0.1:3000"\n'
REMOTE = '[gateway]\nlisten = "[::]:8080"\nupstream = "http://shop.default.svc:3000"\n'
VERIFY = '[verify]\nlisten = "0.0.0.0:9001"\ninsecure = true\n'
LOCAL = '[verify]\nlisten = "127.0.0.1:9001"\n'
ADMIN = '[admin]\nlisten = "0.0.0.0:9002"\ninsecure = true\n'
FEED = '[feed]\nlisten = "0.0.0.0:9003"\ninsecure = true\ntokens_file = "/run/secrets/feed/tokens"\n'
LINKS = '[links]\nupstream = "https://id.example.com/token"\nfile = "/var/lib/sidecar/links.redb"\n'
API = [{"name": "api", "image": "shop:1"}]
PROXY = [{"podSelector": {"matchLabels": {"app": "proxy"}}}]
DIGEST = "sha256:" + "0" * 64

# A name, the values, and what holds for the objects.
ACCEPTED = [
    ("a gateway with a file",
     {"config": FILE + ISSUER + REMOTE},
     lambda it: it.pod["replicas"] == 1 and it.claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"),
    ("a gateway beside an API",
     {"mode": "sidecar", "config": FILE + ISSUER + GATEWAY, "containers": API},
     lambda it: it.template["initContainers"][0]["name"] == "revocation-sidecar"
     and it.template["containers"] == API and it.ports == [8080] and it.allowed == [8080]),
    ("three decisions with a server",
     {"config": SERVER + ISSUER + VERIFY, "replicas": 3, "secrets": ["log"], "networkPolicy": {"verify": PROXY}},
     lambda it: it.pod["replicas"] == 3 and "PersistentVolumeClaim" not in it.kinds
     and "PodDisruptionBudget" in it.kinds and it.allowed == [9001] and it.policy["ingress"][0]["from"] == PROXY),
    ("a decision that nobody may ask yet",
     {"config": FILE + ISSUER + VERIFY},
     lambda it: it.allowed == [] and "Nobody may connect to verify yet" in it.notes),
    ("a decision for the proxy in the same pod",
     {"mode": "sidecar", "config": SERVER + ISSUER + LOCAL, "containers": API, "replicas": 5, "secrets": ["log"]},
     lambda it: "Service" not in it.kinds and it.allowed == []),
    ("every listener",
     {"config": FILE + ISSUER + REMOTE + VERIFY + ADMIN + FEED, "secrets": ["feed"],
      "networkPolicy": {"gateway": PROXY, "verify": PROXY, "feed": PROXY, "admin": PROXY}},
     lambda it: it.ports == [8080, 9001, 9002, 9003] == it.allowed),
    ("a feed alone",
     {"config": FILE + FEED, "secrets": ["feed"], "networkPolicy": {"feed": PROXY}},
     lambda it: it.ports == [9003]),
    ("a log on a server, and links in a file",
     {"config": SERVER + ISSUER + REMOTE + LINKS, "secrets": ["log"]},
     lambda it: it.pod["strategy"]["type"] == "Recreate" and it.claim),
    ("no policy",
     {"config": FILE + ISSUER + REMOTE, "networkPolicy": {"enabled": False}},
     lambda it: "NetworkPolicy" not in it.kinds),
    ("a volume of one's own",
     {"config": FILE + ISSUER + REMOTE, "persistence": {"existingClaim": "elsewhere"}},
     lambda it: "PersistentVolumeClaim" not in it.kinds),
    ("an image by its digest, and everything else that has a value",
     {"config": FILE + ISSUER + REMOTE, "image": {"repository": "r.example.com/sidecar", "digest": DIGEST},
      "imagePullSecrets": [{"name": "pull"}], "persistence": {"storageClass": "fast", "size": "10Gi"},
      "service": {"type": "LoadBalancer", "annotations": {"a": "b"}}, "podAnnotations": {"c": "d"},
      "serviceAccountName": "shop", "nodeSelector": {"e": "f"}, "tolerations": [{"operator": "Exists"}],
      "affinity": {"nodeAffinity": {}}, "topologySpreadConstraints":
      [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]},
     lambda it: it.container["image"] == f"r.example.com/sidecar@{DIGEST}"
     and it.claim["spec"]["storageClassName"] == "fast" and it.template["nodeSelector"] == {"e": "f"}),
]

# A name, the values, and a part of the error.
REFUSED = [
    ("no configuration", {}, "config"),
    ("no TOML", {"config": "[log\n"}, "config: toml: line"),
    ("no log", {"config": ISSUER + REMOTE}, "[log] needs"),
    ("two pods with a file", {"config": FILE + ISSUER + REMOTE, "replicas": 2}, "two files of log.path"),
    ("two pods with a file beside an API",
     {"mode": "sidecar", "config": FILE + ISSUER + GATEWAY, "containers": API, "replicas": 2}, "two files of log.path"),
    ("two pods with links in a file",
     {"config": SERVER + ISSUER + REMOTE + LINKS, "secrets": ["log"], "replicas": 2}, "two files of links.file"),
    ("links outside of the volume",
     {"config": SERVER + ISSUER + REMOTE + LINKS.replace("/var/lib", "/tmp"), "secrets": ["log"]}, "links.file must"),
    ("a log outside of the volume", {"config": '[log]\npath = "/tmp/log"\n' + ISSUER + REMOTE}, "/var/lib/sidecar"),
    ("a log beside the volume",
     {"config": '[log]\npath = "/var/lib/sidecar/../log"\n' + ISSUER + REMOTE}, "/var/lib/sidecar"),
    ("a gateway for this machine", {"config": FILE + ISSUER + REMOTE.replace("[::]", "127.0.0.1")}, "0.0.0.0"),
    ("nothing that others reach", {"config": FILE + ISSUER + LOCAL}, "no other pod"),
    ("a privileged port", {"config": FILE + ISSUER + REMOTE.replace("8080", "80")}, "above 1023"),
    ("an API in another pod",
     {"mode": "sidecar", "config": FILE + ISSUER + REMOTE, "containers": API}, "the same pod"),
    ("no API", {"mode": "sidecar", "config": FILE + ISSUER + GATEWAY}, "containers"),
    ("an API in the wrong mode", {"config": FILE + ISSUER + REMOTE, "containers": API}, "containers"),
    ("an unknown value", {"config": FILE + ISSUER + REMOTE, "replica": 2}, "replica"),
    ("an unknown mode", {"config": FILE + ISSUER + REMOTE, "mode": "daemonset"}, "mode"),
    ("a moving tag", {"config": FILE + ISSUER + REMOTE, "image": {"tag": "latest"}}, "tag"),
    ("a digest of another kind", {"config": FILE + ISSUER + REMOTE, "image": {"digest": "md5:0"}}, "digest"),
    ("a secret that leaves its folder", {"config": FILE + ISSUER + REMOTE, "secrets": ["../etc"]}, "secrets"),
    ("a caller that is everybody",
     {"config": FILE + ISSUER + VERIFY, "networkPolicy": {"verify": [{}]}}, "verify"),
    ("half a pod", {"config": FILE + ISSUER + REMOTE, "replicas": 1.5}, "replicas"),
]


def main(helm):
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    same_keys(schema)
    for name, values, holds in ACCEPTED:
        made = Made(helm, values)
        objects.check(made.items)
        assert holds(made), name
    for name, values, reason in REFUSED:
        done = template(helm, values)
        assert done.returncode != 0, f"accepted: {name}"
        assert reason in done.stderr, f"{name}: {done.stderr}"
    reloads(helm)
    print(f"{CHART}: {len(ACCEPTED)} sets of values make valid objects, {len(REFUSED)} are refused")


def same_keys(schema):
    """Each value has a default, and each default is in the schema."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(defaults) == set(schema["properties"]) - {"global"}
    for key in ("image", "persistence", "service", "networkPolicy"):
        assert set(defaults[key]) == set(schema["properties"][key]["properties"]), key


def reloads(helm):
    """What the sidecar reloads makes no new pods. What it refuses to reload does."""
    base = FILE + ISSUER + REMOTE
    pods = lambda config: Made(helm, {"config": config}).template_of_pods
    before = pods(base)
    for config in (base.replace("api.example.com", "other.example.com"), base + '[logging]\nlevel = "warn"\n',
                   base.replace("shop.default", "other.default")):
        assert pods(config) == before, config
    tls = 'tls = { cert = "/etc/sidecar/c", key = "/etc/sidecar/k" }\n'
    for config in (base.replace("8080", "8081"), base.replace("log.redb", "other.redb"), base + tls,
                   base + "[limits]\nconnections = 1000\n", base + '[logging]\nformat = "json"\n',
                   base + '[links]\nupstream = "https://id.example.com/token"\n'):
        assert pods(config) != before, config


class Made:
    """What the chart makes of values."""

    def __init__(self, helm, values):
        done = template(helm, values)
        assert done.returncode == 0, done.stderr
        self.items = objects.load(done.stdout)
        lint = run(helm, values, "lint", "--strict", CHART)
        assert lint.returncode == 0, lint.stdout
        # A dry run of the client asks no cluster. It alone shows the notes.
        dry = run(helm, values, "install", "shop", CHART, "--dry-run=client")
        assert dry.returncode == 0, dry.stderr
        self.notes = dry.stdout.partition("\nNOTES:\n")[2]
        self.kinds = [item["kind"] for item in self.items]
        self.template_of_pods = self.one("Deployment")["spec"]["template"]
        self.pod = self.one("Deployment")["spec"]
        self.template = self.pod["template"]["spec"]
        self.container = objects.sidecar(self.one("Deployment"))

    def one(self, kind):
        (item,) = [item for item in self.items if item["kind"] == kind]
        return item

    @property
    def claim(self):
        return self.one("PersistentVolumeClaim")

    @property
    def ports(self):
        return sorted(port["port"] for port in self.one("Service")["spec"]["ports"])

    @property
    def policy(self):
        return self.one("NetworkPolicy")["spec"]

    @property
    def allowed(self):
        return sorted(port["port"] for rule in self.policy["ingress"] for port in rule["ports"])


def template(helm, values):
    return run(helm, values, "template", "shop", CHART)


def run(helm, values, *command):
    """Runs helm without a cluster and without settings of the user."""
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        return subprocess.run(
            [helm, *command, "--values", file],
            env={"HOME": home, "KUBECONFIG": f"{home}/none"}, capture_output=True, text=True,
        )


if __name__ == "__main__":
    main(sys.argv[1])
