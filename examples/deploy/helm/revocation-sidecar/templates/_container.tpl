{{/* The container of the sidecar. */}}
{{- define "revocation-sidecar.container" -}}
{{- $facts := include "revocation-sidecar.facts" . | fromYaml -}}
name: revocation-sidecar
image: {{ include "revocation-sidecar.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: ["--config", "/etc/sidecar/config.toml"]
{{- with $facts.ports }}
ports:
  {{- range $name, $port := . }}
  - name: {{ $name }}
    containerPort: {{ $port }}
  {{- end }}
{{- end }}
# There is no shell. The binary asks its own admin socket.
startupProbe:
  exec:
    command: ["/revocation-sidecar", "health", "--socket", "/run/sidecar/admin.sock"]
  periodSeconds: 2
  timeoutSeconds: 5
  # An issuer or a database that is away at the start is waited for.
  failureThreshold: 150
readinessProbe:
  exec:
    command: ["/revocation-sidecar", "health", "--socket", "/run/sidecar/admin.sock"]
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 1
livenessProbe:
  exec:
    command: ["/revocation-sidecar", "health", "--socket", "/run/sidecar/admin.sock", "--live"]
  periodSeconds: 10
  timeoutSeconds: 5
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: ["ALL"]
  seccompProfile:
    type: RuntimeDefault
volumeMounts:
  # A folder, not a file of it: otherwise changes do not reach the pod.
  - name: revocation-config
    mountPath: /etc/sidecar
    readOnly: true
  - name: revocation-run
    mountPath: /run/sidecar
  {{- if $facts.volume }}
  - name: revocation-log
    mountPath: /var/lib/sidecar
  {{- end }}
  {{- range $index, $secret := .Values.secrets }}
  - name: revocation-secret-{{ $index }}
    mountPath: /run/secrets/{{ $secret }}
    readOnly: true
  {{- end }}
{{- end -}}

{{- define "revocation-sidecar.volumes" -}}
{{- $facts := include "revocation-sidecar.facts" . | fromYaml -}}
- name: revocation-config
  configMap:
    name: {{ include "revocation-sidecar.name" . }}
# The admin socket.
- name: revocation-run
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- if $facts.volume }}
- name: revocation-log
  persistentVolumeClaim:
    claimName: {{ .Values.persistence.existingClaim | default (printf "%s-log" (include "revocation-sidecar.name" .)) }}
{{- end }}
{{- range $index, $secret := .Values.secrets }}
- name: revocation-secret-{{ $index }}
  secret:
    secretName: {{ $secret }}
    defaultMode: 0440
{{- end }}
{{- end -}}
