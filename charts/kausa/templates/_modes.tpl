{{/* What was chosen, and what of it does not go together. Each answers "true" or nothing. */}}

{{- define "kausa.hasMemory" -}}
{{- if ne .Values.memory.mode "none" }}true{{ end -}}
{{- end }}

{{- define "kausa.hasEmbedder" -}}
{{- if and (include "kausa.hasMemory" .) (eq .Values.embedder.mode "deployed") }}true{{ end -}}
{{- end }}

{{- define "kausa.hasModel" -}}
{{- if ne .Values.model.provider "none" }}true{{ end -}}
{{- end }}

{{/* The memory's volume can be mounted on one node only, so a second Pod would wait for it. */}}
{{- define "kausa.onePod" -}}
{{- $volume := .Values.memory.embedded.persistence -}}
{{- if and (eq .Values.memory.mode "embedded") $volume.enabled (not (has "ReadWriteMany" $volume.accessModes)) }}true{{ end -}}
{{- end }}

{{/* A folder that only one operator sees is filled anew by the next: two are possible, one is the default. */}}
{{- define "kausa.replicas" -}}
{{- if not (kindIs "invalid" .Values.replicas) -}}
{{- int .Values.replicas -}}
{{- else if include "kausa.onePod" . -}}
1
{{- else if and (eq .Values.memory.mode "embedded") (not .Values.memory.embedded.persistence.enabled) -}}
1
{{- else -}}
2
{{- end -}}
{{- end }}

{{- define "kausa.check" -}}
{{- include "kausa.check.names" . -}}
{{- include "kausa.check.contradictions" . -}}
{{- include "kausa.check.addresses" . -}}
{{- include "kausa.check.audit" . -}}
{{- $replicas := include "kausa.replicas" . | int -}}
{{- if and (include "kausa.onePod" .) (gt $replicas 1) -}}
{{- fail (printf "replicas is %d, and the embedded memory's volume belongs to one Pod (accessModes has no ReadWriteMany): leave replicas unset, or set memory.mode to external, with a Qdrant server" $replicas) -}}
{{- end -}}
{{- if eq .Values.memory.mode "external" -}}
{{- if not .Values.memory.external.url -}}
{{- fail "memory.mode is external, and memory.external.url is not set: set it to the address of a Qdrant server, for example http://qdrant.qdrant.svc:6333" -}}
{{- end -}}
{{- if or (not .Values.clusterName) (eq .Values.clusterName "default") -}}
{{- fail "memory.mode is external, and clusterName is not set: two clusters of one name in one server would end each other's failures. Set it to a name that no other cluster in that server has, for example prod-eu" -}}
{{- end -}}
{{- with .Values.memory.external.tls -}}
{{- if and .clientCertificate (not .existingSecret) -}}
{{- fail "memory.external.tls.clientCertificate is on, and memory.external.tls.existingSecret names no Secret that has tls.crt and tls.key" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.backup.enabled (ne .Values.memory.mode "external") -}}
{{- fail "backup.enabled needs memory.mode external: the embedded memory belongs to the operator while it runs. docs/operate.md tells how to back it up" -}}
{{- end -}}
{{- if and (include "kausa.hasMemory" .) (eq .Values.embedder.mode "external") (not .Values.embedder.external.url) -}}
{{- fail "embedder.mode is external, and embedder.external.url is not set" -}}
{{- end -}}
{{- if and (include "kausa.hasEmbedder" .) .Values.embedder.model.download (not .Values.embedder.model.volume) -}}
{{- fail "embedder.model.download is on, and embedder.model.volume names no volume to put the model into, for example {persistentVolumeClaim: {claimName: models}} or {emptyDir: {}}" -}}
{{- end -}}
{{- if and (include "kausa.hasModel" .) (not .Values.model.url) -}}
{{- fail (printf "model.provider is %s, and model.url is not set" .Values.model.provider) -}}
{{- end -}}
{{- if and (eq .Values.model.provider "openai") (not .Values.model.simple) -}}
{{- fail "model.provider is openai, and model.simple is not set: name a model that this endpoint has. The operator's default is the name of a model of Ollama's" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled -}}
{{- fail "metrics.serviceMonitor and metrics.podMonitor are both enabled: everything would be read twice. Choose one" -}}
{{- end -}}
{{- end }}
