{{/* The worker's variables; what stands here cannot be set by `embedder.settings` as well. */}}

{{- define "kausa.environment.worker" -}}
{{- $of := .Values.embedder }}
- name: HOME
  value: /tmp
- name: KAUSA_EMBEDDER_PORT
  value: "8080"
- name: KAUSA_EMBEDDER_LOG_LEVEL
  value: {{ .Values.logging.level }}
- name: KAUSA_EMBEDDER_LOG_FORMAT
  value: {{ .Values.logging.format }}
{{- with $of.model.name }}
- name: KAUSA_EMBEDDER_MODEL
  value: {{ . | quote }}
{{- end }}
{{- with $of.model.path }}
- name: KAUSA_EMBEDDER_MODEL_PATH
  value: {{ . | quote }}
{{- end }}
{{- with $of.model.reranker }}
- name: KAUSA_EMBEDDER_RERANKER
  value: {{ . | quote }}
{{- end }}
{{- if $of.model.volume }}
- name: KAUSA_EMBEDDER_CACHE
  value: /models
{{- end }}
{{- if $of.model.download }}
- name: KAUSA_EMBEDDER_DOWNLOAD
  value: "true"
{{- end }}
{{- if $of.gpu.enabled }}
- name: KAUSA_EMBEDDER_PROVIDER
  value: cuda
{{- end }}
{{- if .Values.debug.endpoints }}
- name: KAUSA_EMBEDDER_DEBUG_ENDPOINTS
  value: "true"
{{- end }}
{{- if $of.auth.enabled }}
- name: KAUSA_EMBEDDER_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "kausa.embedderTokenSecret" . }}
      key: token
{{- end }}
{{- if $of.tls.existingSecret }}
- name: KAUSA_EMBEDDER_TLS_CERT_FILE
  value: /etc/kausa/tls/tls.crt
- name: KAUSA_EMBEDDER_TLS_KEY_FILE
  value: /etc/kausa/tls/tls.key
{{- end }}
{{- range $name, $value := $of.settings }}
- name: {{ $name }}
  value: {{ include "kausa.settingValue" $value }}
{{- end }}
{{- with $of.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* With a GPU the device is asked for as well: Kubernetes wants it among the limits. */}}
{{- define "kausa.workerResources" -}}
{{- $resources := deepCopy (default dict .Values.embedder.resources) -}}
{{- if .Values.embedder.gpu.enabled -}}
{{- $limits := merge (dict .Values.embedder.gpu.resource .Values.embedder.gpu.count) (default dict $resources.limits) -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end }}
