{{/* The operator's variables, by what they are about. hack/chart_readme.py finds the names here: what
     stands here cannot be set by `settings` as well. */}}

{{- define "kausa.environment" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: HOME
  value: /tmp
- name: KAUSA_PROBE_PORT
  value: "8080"
- name: KAUSA_LOG_LEVEL
  value: {{ .Values.logging.level }}
- name: KAUSA_LOG_FORMAT
  value: {{ .Values.logging.format }}
{{- with .Values.watch.namespace }}
- name: KAUSA_NAMESPACE
  value: {{ . | quote }}
- name: KAUSA_OWN_NAMESPACE
  value: {{ . | quote }}
{{- end }}
{{- with .Values.watch.include }}
- name: KAUSA_NAMESPACES_INCLUDE
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.watch.exclude }}
- name: KAUSA_NAMESPACES_EXCLUDE
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.watch.own }}
- name: KAUSA_WATCH_OWN_NAMESPACE
  value: "true"
{{- end }}
- name: KAUSA_REDACTION_KEY_PATH
  value: /etc/kausa/redaction/redaction.key
{{- if .Values.redaction.emails }}
- name: KAUSA_REDACT_EMAILS
  value: "true"
{{- end }}
{{- if .Values.redaction.addresses }}
- name: KAUSA_REDACT_ADDRESSES
  value: "true"
{{- end }}
{{- with .Values.tracing.endpoint }}
- name: KAUSA_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- if .Values.debug.endpoints }}
- name: KAUSA_DEBUG_ENDPOINTS
  value: "true"
{{- end }}
{{ include "kausa.environment.memory" . }}
{{- if include "kausa.hasMemory" . }}
{{ include "kausa.environment.embedder" . }}
{{- end }}
{{- if include "kausa.hasModel" . }}
{{ include "kausa.environment.model" . }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ include "kausa.settingValue" $value }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "kausa.environment.memory" -}}
{{- with .Values.clusterName }}
- name: KAUSA_CLUSTER_NAME
  value: {{ . | quote }}
{{- end }}
{{- if eq .Values.memory.mode "none" }}
- name: KAUSA_MEMORY_ENABLED
  value: "false"
{{- else if eq .Values.memory.mode "embedded" }}
- name: KAUSA_MEMORY_STORE
  value: embedded
- name: KAUSA_MEMORY_PATH
  value: /var/lib/kausa/memory
- name: KAUSA_MEMORY_MIGRATE
  value: {{ .Values.memory.embedded.migrate | quote }}
{{- else }}
{{- $server := .Values.memory.external }}
- name: KAUSA_MEMORY_STORE
  value: server
- name: KAUSA_MEMORY_URL
  value: {{ $server.url | quote }}
{{- with $server.existingSecret.name }}
- name: KAUSA_MEMORY_API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $server.existingSecret.key }}
{{- end }}
{{- if $server.grpc.enabled }}
- name: KAUSA_MEMORY_GRPC
  value: "true"
- name: KAUSA_MEMORY_GRPC_PORT
  value: {{ $server.grpc.port | quote }}
{{- end }}
{{- if $server.tls.existingSecret }}
- name: KAUSA_MEMORY_CA_FILE
  value: /etc/kausa/memory-tls/ca.crt
{{- if $server.tls.clientCertificate }}
- name: KAUSA_MEMORY_CERT_FILE
  value: /etc/kausa/memory-tls/tls.crt
- name: KAUSA_MEMORY_KEY_FILE
  value: /etc/kausa/memory-tls/tls.key
{{- end }}
{{- end }}
- name: KAUSA_MEMORY_PREFIX
  value: {{ $server.prefix | quote }}
- name: KAUSA_MEMORY_REPLICATION_FACTOR
  value: {{ $server.replicationFactor | quote }}
- name: KAUSA_MEMORY_MIGRATE
  value: {{ $server.migrate | quote }}
{{- end }}
{{- end }}

{{- define "kausa.environment.embedder" -}}
{{- if include "kausa.hasEmbedder" . }}
{{- $scheme := ternary "https" "http" (not (empty .Values.embedder.tls.existingSecret)) }}
- name: KAUSA_EMBEDDER
  value: http
- name: KAUSA_EMBEDDER_URL
  value: {{ printf "%s://%s.%s.svc:8080" $scheme (include "kausa.embedderName" .) .Release.Namespace }}
{{- if .Values.embedder.auth.enabled }}
- name: KAUSA_EMBEDDER_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "kausa.embedderTokenSecret" . }}
      key: token
{{- end }}
{{- if .Values.embedder.tls.existingSecret }}
- name: KAUSA_EMBEDDER_CA_FILE
  value: /etc/kausa/embedder-tls/ca.crt
{{- end }}
{{- else }}
{{- $other := .Values.embedder.external }}
- name: KAUSA_EMBEDDER
  value: {{ $other.kind }}
- name: KAUSA_EMBEDDER_URL
  value: {{ $other.url | quote }}
{{- with $other.existingSecret.name }}
- name: KAUSA_EMBEDDER_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $other.existingSecret.key }}
{{- end }}
{{- with $other.model }}
- name: KAUSA_EMBEDDER_MODEL
  value: {{ . | quote }}
{{- end }}
{{- with $other.queryPrefix }}
- name: KAUSA_EMBEDDER_QUERY_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- with $other.passagePrefix }}
- name: KAUSA_EMBEDDER_PASSAGE_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- if $other.tls.existingSecret }}
- name: KAUSA_EMBEDDER_CA_FILE
  value: /etc/kausa/embedder-tls/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{- define "kausa.environment.model" -}}
- name: KAUSA_MODEL_KIND
  value: {{ .Values.model.provider }}
- name: KAUSA_MODEL_URL
  value: {{ .Values.model.url | quote }}
{{- with .Values.model.simple }}
- name: KAUSA_SIMPLE_MODEL
  value: {{ . | quote }}
{{- end }}
{{/* The default is the name of a model of Ollama's. */}}
{{- with default (ternary .Values.model.simple "" (eq .Values.model.provider "openai")) .Values.model.reasoning }}
- name: KAUSA_REASONING_MODEL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.model.existingSecret.name }}
- name: KAUSA_MODEL_KEY
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.model.existingSecret.key }}
{{- end }}
{{- end }}

{{- define "kausa.embedderTokenSecret" -}}
{{- default (printf "%s-token" (include "kausa.embedderName" .)) .Values.embedder.auth.existingSecret -}}
{{- end }}

{{- define "kausa.redactionSecret" -}}
{{- default (printf "%s-redaction" (include "kausa.fullname" .)) .Values.redaction.existingSecret -}}
{{- end }}

{{/* Certificates that the operator, and the backup, read: volumes, and where they are mounted. */}}
{{- define "kausa.certificates.volumes" -}}
{{- if eq .Values.memory.mode "external" }}
{{- with .Values.memory.external.tls.existingSecret }}
- name: memory-tls
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
{{- with include "kausa.embedderTlsSecret" . }}
- name: embedder-tls
  secret:
    secretName: {{ . }}
    # The operator checks with it; the key stays with the embedder.
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- end }}

{{- define "kausa.certificates.mounts" -}}
{{- if and (eq .Values.memory.mode "external") .Values.memory.external.tls.existingSecret }}
- name: memory-tls
  mountPath: /etc/kausa/memory-tls
  readOnly: true
{{- end }}
{{- if include "kausa.embedderTlsSecret" . }}
- name: embedder-tls
  mountPath: /etc/kausa/embedder-tls
  readOnly: true
{{- end }}
{{- end }}

{{- define "kausa.embedderTlsSecret" -}}
{{- if include "kausa.hasEmbedder" . -}}
{{- .Values.embedder.tls.existingSecret -}}
{{- else if include "kausa.hasMemory" . -}}
{{- .Values.embedder.external.tls.existingSecret -}}
{{- end -}}
{{- end }}
