"""What holds for every Kubernetes object of examples/deploy, written by hand or by the chart."""

import re
import tomllib

import kubernetes_validate
import yaml

# From the first version with native sidecars to the newest one.
VERSIONS = [f"1.{minor}" for minor in range(29, 38)]

# Groups whose schemas are not in Kubernetes itself.
FOREIGN = ("gateway.envoyproxy.io/", "install.istio.io/", "security.istio.io/", "traefik.io/")


class Wrong(Exception):
    """An object breaks a rule."""


def load(text):
    """All objects of a file. A key that stands twice is an error."""
    return [item for item in yaml.load_all(text, Loader=_Strict) if item is not None]


class _Strict(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise Wrong(f"line {node.start_mark.line + 1}: {twice} stands twice")
        return super().construct_mapping(node, deep)


def check(objects, versions=VERSIONS):
    """Fails unless the objects are valid, fit together and are safe."""
    for item in objects:
        if not item["apiVersion"].startswith(FOREIGN):
            _schema(item, versions)
    configs = _configs(objects)
    by_kind = lambda kind: [item for item in objects if item["kind"] == kind]
    for deployment in by_kind("Deployment"):
        _pod(deployment, configs, objects)
    for service in by_kind("Service"):
        _service(service, by_kind("Deployment"))
    for policy in by_kind("NetworkPolicy"):
        _policy(policy, configs)


def _schema(item, versions):
    for version in versions:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            raise Wrong(f"{item['kind']} in {version}: {list(error.path)}: {error.message}")


def _configs(objects):
    """The configurations of sidecars, by the name of their ConfigMap."""
    return {
        item["metadata"]["name"]: tomllib.loads(item["data"]["config.toml"])
        for item in objects
        if item["kind"] == "ConfigMap"
    }


def containers(deployment):
    pod = deployment["spec"]["template"]["spec"]
    return pod.get("initContainers", []) + pod["containers"]


def sidecar(deployment):
    found = [it for it in containers(deployment) if it["name"] == "revocation-sidecar"]
    _must(len(found) == 1, "a pod has one sidecar")
    return found[0]


def _pod(deployment, configs, objects):
    spec = deployment["spec"]
    pod = spec["template"]["spec"]
    container = sidecar(deployment)
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    folder = mounts["/etc/sidecar"]
    config = configs[volumes[folder["name"]]["configMap"]["name"]]

    _must(container["args"] == ["--config", "/etc/sidecar/config.toml"], "the configuration")
    _must("command" not in container, "the image has an entry point")
    _must("subPath" not in folder, "with subPath, changes of the file do not reach the pod")
    _must("emptyDir" in volumes[mounts["/run/sidecar"]["name"]], "the socket needs a folder")
    _must(not re.search(r":latest$|^[^:@]*$", container["image"]), "the image has a version")

    # The restricted profile of the pod security standards, and a root that cannot be written.
    both = {**pod.get("securityContext", {}), **container["securityContext"]}
    _must(both.get("runAsNonRoot") is True, "runAsNonRoot")
    _must(both.get("runAsUser") == 65532, "the user of the image")
    _must(both.get("runAsGroup") == 65532, "the group of the image")
    _must(both.get("fsGroup") == 65532, "the group can write to the volume and read the secrets")
    _must(both.get("allowPrivilegeEscalation") is False, "allowPrivilegeEscalation")
    _must(both.get("readOnlyRootFilesystem") is True, "readOnlyRootFilesystem")
    _must(both.get("seccompProfile") == {"type": "RuntimeDefault"}, "seccompProfile")
    _must(both.get("capabilities") == {"drop": ["ALL"]}, "capabilities")
    _must(not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")), "host")
    _must("limits" in container["resources"], "a limit of memory")

    # Readiness by what the sidecar knows. Liveness without it, or a dead issuer restarts the pod.
    # A broken configuration must not end a container that serves with the one before.
    socket = ["--socket", "/run/sidecar/admin.sock"]
    ready, live = (["/revocation-sidecar", "health", *socket, *more] for more in ([], ["--live"]))
    for probe, command in (("startupProbe", ready), ("readinessProbe", ready), ("livenessProbe", live)):
        _must(container[probe]["exec"]["command"] == command, probe)
    _must(pod["terminationGracePeriodSeconds"] >= 30, "time to shut down")

    # A native sidecar starts before the API and ends after it.
    is_native = container in pod.get("initContainers", [])
    _must((container.get("restartPolicy") == "Always") == is_native, "restartPolicy")
    _must(is_native == (len(containers(deployment)) > 1), "beside an API, it is native")

    # Two files know nothing of each other.
    files = [file for file in (config["log"].get("path"), config.get("links", {}).get("file")) if file]
    if files:
        _must(spec["replicas"] <= 1, "a file has one pod")
        _must(spec["strategy"] == {"type": "Recreate"}, "the old pod ends before the new one starts")
        _must(all(file.startswith("/var/lib/sidecar/") for file in files), "they are on the volume")
        claim = volumes[mounts["/var/lib/sidecar"]["name"]].get("persistentVolumeClaim")
        _must(claim, "the file outlives the pod")
        _must(not mounts["/var/lib/sidecar"].get("readOnly"), "the volume can be written")
        known = _names(objects, "PersistentVolumeClaim") | {"elsewhere"}
        _must(claim["claimName"] in known, claim)
    else:
        _must("/var/lib/sidecar" not in mounts, "nothing needs the volume")

    # Each listener that others reach has a port, and only those.
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    _must(ports == reachable(config), f"ports {ports}, listeners {reachable(config)}")
    for path in _files(config):
        home = "/" + "/".join(path.split("/")[1:-1])
        _must(home in mounts, f"{path} is not mounted")


def _files(config):
    """The secrets that a configuration names."""
    if isinstance(config, dict):
        for key, value in config.items():
            if key.endswith("_file") or key in ("cert", "key", "clients"):
                yield value
            else:
                yield from _files(value)
    elif isinstance(config, list):
        for value in config:
            yield from _files(value)


def reachable(config):
    """The ports of the listeners that other pods reach, by name."""
    ports = {}
    for name in ("gateway", "verify", "feed", "admin"):
        host, _, port = config.get(name, {}).get("listen", "").rpartition(":")
        if host and not host.startswith(("127.", "[::1]")):
            ports[name] = int(port)
    return ports


def _service(service, deployments):
    wanted = service["spec"]["selector"].items()
    pods = [it for it in deployments if wanted <= it["spec"]["template"]["metadata"]["labels"].items()]
    _must(len(pods) == 1, "a service selects one deployment")
    ports = {port["name"] for port in sidecar(pods[0])["ports"]}
    for port in service["spec"]["ports"]:
        # A number could be the port of the API.
        _must(port["targetPort"] in ports, f"{port['targetPort']} is no port of the sidecar")


def _policy(policy, configs):
    spec = policy["spec"]
    _must(spec["policyTypes"] == ["Ingress"], "policyTypes")
    (config,) = configs.values()
    allowed = {}
    for rule in spec["ingress"]:
        _must(rule.get("ports"), "a rule without ports allows that of the API")
        for port in rule["ports"]:
            allowed[port["port"]] = bool(rule.get("from"))
    ports = reachable(config)
    _must(set(allowed) <= set(ports.values()), "a rule allows a port of no listener")
    _must(ports.get("gateway") in (None, *allowed), "nobody reaches the gateway")
    for name in ("verify", "feed", "admin"):
        port = ports.get(name)
        _must(allowed.get(port, True), f"everybody reaches {name}")


def _names(objects, kind):
    return {item["metadata"]["name"] for item in objects if item["kind"] == kind}


def _must(holds, what):
    if not holds:
        raise Wrong(what)
