"""The Kubernetes files of examples/deploy that are written by hand."""

import copy
import itertools
import sys
from pathlib import Path

import objects
from objects import Wrong

DEPLOY = Path("examples/deploy")
RECIPES = Path("examples/proxies")


def main():
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        items = objects.load(path.read_text())
        objects.check(items)
        refused = sum(_refuses(items, change) for change in CHANGES)
        print(f"{path}: valid in {objects.VERSIONS[0]} to {objects.VERSIONS[-1]}, "
              f"{refused} changes for the worse are refused")
    proxies()
    recipes()


def recipes():
    """The objects of examples/proxies are closed, and tell the API what sidecar.toml says."""
    config = objects.tomllib.loads((RECIPES / "sidecar.toml").read_text())
    fields = set(config["verify"]["identity_headers"].values())
    others = set().union(*map(spellings, fields)) - fields
    port = int(config["verify"]["listen"].rpartition(":")[2])
    load = lambda name: objects.load((RECIPES / name).read_text())

    by_grpc, by_http = load("envoy-gateway.yaml")
    for policy in (by_grpc, by_http):
        assert (policy["apiVersion"], policy["kind"]) == ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy")
        ext = policy["spec"]["extAuth"]
        assert ext["failOpen"] is False and ext["timeout"].endswith("s")
        assert ("grpc" in ext) != ("http" in ext)
        (backend,) = (ext.get("grpc") or ext.get("http"))["backendRefs"]
        assert backend["port"] == port
    assert "headersToExtAuth" not in by_grpc["spec"]["extAuth"], "over gRPC the sidecar strips what it sees"
    assert _lower(by_http["spec"]["extAuth"]["headersToExtAuth"]) >= {"authorization", "dpop"}
    assert set(by_http["spec"]["extAuth"]["http"]["headersToBackend"]) == fields
    assert by_http["spec"]["extAuth"]["http"]["path"] == "/verify"

    by_grpc, by_http = load("gateway-api.yaml")
    for route, protocol in ((by_grpc, "GRPC"), (by_http, "HTTP")):
        assert (route["apiVersion"], route["kind"]) == ("gateway.networking.k8s.io/v1", "HTTPRoute")
        for rule in route["spec"]["rules"]:
            (auth,) = [it["externalAuth"] for it in rule["filters"] if it["type"] == "ExternalAuth"]
            assert auth["protocol"] == protocol and auth["backendRef"]["port"] == port
            assert not auth.get("grpc"), "over gRPC the sidecar strips what it sees"
    (rule,) = by_http["spec"]["rules"]
    (auth,) = [it["externalAuth"] for it in rule["filters"] if it["type"] == "ExternalAuth"]
    assert auth["http"]["path"] == "/verify" and "dpop" in _lower(auth["http"]["allowedHeaders"])
    assert set(auth["http"]["allowedResponseHeaders"]) == fields
    (removed,) = [it["requestHeaderModifier"]["remove"] for it in rule["filters"] if "requestHeaderModifier" in it]
    assert set(removed) == others and len(removed) <= 16, "the schema allows 16"
    # Each policy is for a route of the other file.
    routes = {it["metadata"]["name"] for it in (by_grpc, by_http)}
    policies = load("envoy-gateway.yaml")
    assert {it["spec"]["targetRefs"][0]["name"] for it in policies} == routes

    mesh, policy = load("istio.yaml")
    (provider,) = mesh["meshConfig"]["extensionProviders"]
    assert provider["envoyExtAuthzGrpc"]["failOpen"] is False
    assert (policy["apiVersion"], policy["kind"]) == ("security.istio.io/v1", "AuthorizationPolicy")
    assert policy["spec"]["action"] == "CUSTOM" and policy["spec"]["rules"] == [{}]
    assert policy["spec"]["provider"]["name"] == provider["name"]
    print("the recipes for Envoy Gateway, Gateway API and Istio: closed, and fit sidecar.toml")


def _lower(names):
    return {it.lower() for it in names}


def proxies():
    """Each proxy asks the Service of deployment.yaml, and is closed while nobody answers."""
    items = objects.load((DEPLOY / "kubernetes/deployment.yaml").read_text())
    (service,) = [item for item in items if item["kind"] == "Service"]
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    (config,) = [objects.tomllib.loads(item["data"]["config.toml"]) for item in items if item["kind"] == "ConfigMap"]
    fields = set(config["verify"]["identity_headers"].values())

    (policy,) = _load("envoy-gateway/security-policy.yaml")
    ext = policy["spec"]["extAuth"]
    assert ext["failOpen"] is False
    assert ext["grpc"]["backendRefs"] == [{"name": name, "port": port}]

    (mesh,) = _load("istio/mesh-config.yaml")
    (provider,) = mesh["spec"]["meshConfig"]["extensionProviders"]
    grpc = provider["envoyExtAuthzGrpc"]
    assert grpc["service"].split(".")[0] == name and grpc["port"] == port
    assert grpc["failOpen"] is False
    assert grpc["statusOnError"] == "503", "a string, or istiod refuses the mesh configuration"
    assert grpc["timeout"].endswith("s"), "without it, a request waits for 600 s"
    (policy,) = _load("istio/authorization-policy.yaml")
    assert policy["spec"]["action"] == "CUSTOM"
    assert policy["spec"]["provider"]["name"] == provider["name"]
    assert policy["spec"]["rules"] == [{}], "other rules let requests in without a check"

    *middlewares, route = _load("traefik/middleware.yaml")
    by_name = {item["metadata"]["name"]: item["spec"] for item in middlewares}
    auth = by_name["revocation"]["forwardAuth"]
    assert auth["address"].startswith(f"http://{name}.") and auth["address"].endswith(f":{port}/verify")
    assert {it.lower() for it in auth["authResponseHeaders"]} == fields
    assert {it.lower() for it in auth["authRequestHeaders"]} >= {"authorization", "dpop"}
    assert auth["trustForwardHeader"] is False
    stripped = by_name["strip-identity"]["headers"]["customRequestHeaders"]
    assert {it.lower() for it in stripped} == set().union(*map(spellings, fields)) - fields
    for rule in route["spec"]["routes"]:
        assert [it["name"] for it in rule["middlewares"]] == ["strip-identity", "revocation"]
    print("the files for Envoy Gateway, Istio and Traefik: closed, and fit deployment.yaml")


def spellings(field):
    """Every name that a program may take for this one."""
    words = field.split("-")
    gaps = itertools.product("-_.", repeat=len(words) - 1)
    return {"".join(itertools.chain(*zip(words, (*gap, "")))) for gap in gaps}


def _load(name):
    return objects.load((DEPLOY / name).read_text())


def _refuses(items, change):
    """Whether a change is possible here. Fails if it is, and nothing notices it."""
    items = copy.deepcopy(items)
    try:
        change(_Parts(items))
    except (KeyError, StopIteration):
        return False
    try:
        objects.check(items, objects.VERSIONS[-1:])
    except Wrong:
        return True
    sys.exit(f"nothing refuses the change {change.__name__}")


class _Parts:
    """The parts of a file that a change can name."""

    def __init__(self, items):
        self.items = items
        self.deployment = next(item for item in items if item["kind"] == "Deployment")
        self.spec = self.deployment["spec"]
        self.pod = self.spec["template"]["spec"]
        self.container = objects.sidecar(self.deployment)

    def first(self, kind):
        return next(item for item in self.items if item["kind"] == kind)


def two_pods_with_one_file(parts):
    if "persistentVolumeClaim" not in str(parts.pod):
        raise KeyError
    parts.spec["replicas"] = 2


def two_owners_during_an_update(parts):
    if parts.spec["strategy"]["type"] != "Recreate":
        raise KeyError
    parts.spec["strategy"] = {"type": "RollingUpdate"}


def a_log_that_a_restart_loses(parts):
    claim = next(it for it in parts.pod["volumes"] if "persistentVolumeClaim" in it)
    del claim["persistentVolumeClaim"]
    claim["emptyDir"] = {}


def a_sidecar_that_ends_before_the_api(parts):
    del parts.container["restartPolicy"]


def a_writable_root(parts):
    parts.container["securityContext"]["readOnlyRootFilesystem"] = False


def root(parts):
    parts.container["securityContext"]["runAsUser"] = 0


def a_capability(parts):
    parts.container["securityContext"]["capabilities"]["add"] = ["NET_ADMIN"]


def no_seccomp(parts):
    del parts.pod["securityContext"]["seccompProfile"]


def restarts_while_the_issuer_is_away(parts):
    parts.container["livenessProbe"] = parts.container["readinessProbe"]


def a_file_that_never_changes(parts):
    parts.container["volumeMounts"][0]["subPath"] = "config.toml"


def a_service_of_the_api(parts):
    parts.first("Service")["spec"]["ports"][0]["targetPort"] = 3000


def a_policy_for_every_port(parts):
    del parts.first("NetworkPolicy")["spec"]["ingress"][0]["ports"]


def a_decision_for_everybody(parts):
    del parts.first("NetworkPolicy")["spec"]["ingress"][0]["from"]


def a_secret_that_is_nowhere(parts):
    parts.container["volumeMounts"] = [
        it for it in parts.container["volumeMounts"] if not it["mountPath"].startswith("/run/secrets")
    ]
    if "_file" not in str(parts.items):
        raise KeyError


def an_unknown_key(parts):
    parts.container["readOnly"] = True


def a_moving_image(parts):
    parts.container["image"] = "registry.example.com/revocation-sidecar:latest"


CHANGES = [
    two_pods_with_one_file, two_owners_during_an_update, a_log_that_a_restart_loses,
    a_sidecar_that_ends_before_the_api, a_writable_root, root, a_capability, no_seccomp,
    restarts_while_the_issuer_is_away, a_file_that_never_changes, a_service_of_the_api,
    a_policy_for_every_port, a_decision_for_everybody, a_secret_that_is_nowhere, an_unknown_key,
    a_moving_image,
]

if __name__ == "__main__":
    main()
