{{/* What the chart reads from the configuration, as YAML: `volume`, whether there is a file that must
stay, and `ports` by the name of the listener. */}}
{{- define "revocation-sidecar.facts" -}}
{{- $config := fromToml .Values.config -}}
{{- with $config.Error -}}{{- fail (printf "config: %s" .) -}}{{- end -}}
{{- $log := $config.log | default dict -}}
{{- if not (or $log.path $log.url $log.url_file) -}}
{{- fail "config: [log] needs a path, a url or a url_file" -}}
{{- end -}}
{{- $files := dict "log.path" $log.path "links.file" ($config.links | default dict).file -}}
{{- $volume := false -}}
{{- range $name, $file := $files -}}
{{- if $file -}}
{{- $volume = true -}}
{{- if ne (dir $file) "/var/lib/sidecar" -}}
{{- fail (printf "config: %s must be in /var/lib/sidecar, where the volume is" $name) -}}
{{- end -}}
{{- if gt (int $.Values.replicas) 1 -}}
{{- fail (printf "replicas: two files of %s know nothing of each other. Set replicas to 1, or do without" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $ports := dict -}}
{{- range $name := list "gateway" "verify" "feed" "admin" -}}
{{- $listen := (get $config $name | default dict).listen -}}
{{- if $listen -}}
{{- $port := regexFind "[0-9]+$" $listen -}}
{{- if lt (int $port) 1024 -}}
{{- fail (printf "config: %s.listen needs a port above 1023, because the sidecar has no privileges" $name) -}}
{{- end -}}
{{- if not (regexMatch "^(127\\.|localhost:|\\[::1\\])" $listen) -}}
{{- $_ := set $ports $name (int $port) -}}
{{- else if eq $name "gateway" -}}
{{- fail "config: gateway.listen is on this machine only. In a pod, use 0.0.0.0 or [::]" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.mode "deployment") (not (or $ports.gateway $ports.verify $ports.feed)) -}}
{{- fail "config: no other pod reaches gateway.listen, verify.listen or feed.listen" -}}
{{- end -}}
{{- if and (eq .Values.mode "sidecar") $config.gateway -}}
{{- $upstream := $config.gateway.upstream | default "" -}}
{{- if not (regexMatch "^[a-z0-9]+://(127\\.|localhost[:/]|\\[::1\\])" $upstream) -}}
{{- fail "config: with mode sidecar, gateway.upstream is the API in the same pod: http://127.0.0.1:PORT" -}}
{{- end -}}
{{- end -}}
{{- dict "volume" $volume "ports" $ports | toYaml -}}
{{- end -}}

{{/* What a running sidecar does not reload. A change of it makes new pods. */}}
{{- define "revocation-sidecar.restart" -}}
{{- $config := fromToml .Values.config -}}
{{- $parts := pick $config "log" "feed" "limits" -}}
{{- range $name := list "gateway" "verify" "admin" -}}
{{- $section := get $config $name | default dict -}}
{{- $_ := set $parts $name (list $section.listen (hasKey $section "tls") $section.socket) -}}
{{- end -}}
{{- $_ := set $parts "links" (list (hasKey $config "links") ($config.links | default dict).file) -}}
{{- $_ := set $parts "format" ($config.logging | default dict).format -}}
{{- $parts | toJson | sha256sum -}}
{{- end -}}
