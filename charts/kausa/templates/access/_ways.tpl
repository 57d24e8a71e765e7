{{/* Rules of NetworkPolicies: each is one way. */}}

{{/* (dict "direction" "to" "peers" (list ...) "ports" (list ...) "protocols" (list ...)): without peers anybody */}}
{{- define "kausa.way" -}}
{{- $protocols := default (list "TCP") .protocols }}
- ports:
    {{- range $port := .ports | toStrings | uniq }}
    {{- range $protocol := $protocols }}
    - port: {{ $port }}
      protocol: {{ $protocol }}
    {{- end }}
    {{- end }}
  {{- with .peers }}
  {{ $.direction }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "kausa.peer" -}}
podSelector:
  matchLabels:
    {{- include "kausa.selectorLabels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "kausa.way.metrics" -}}
{{- with .Values.networkPolicy.metricsFrom }}
{{- include "kausa.way" (dict "direction" "from" "peers" . "ports" (list "metrics")) }}
{{- end }}
{{- end }}

{{- define "kausa.way.dns" -}}
{{- with .Values.networkPolicy.dns }}
{{- include "kausa.way" (dict "direction" "to" "peers" .to "ports" .ports "protocols" (list "UDP" "TCP")) }}
{{- end }}
{{- end }}

{{- define "kausa.way.apiServer" -}}
{{- $peers := list }}
{{- range .Values.networkPolicy.apiServer.cidrs }}
{{- $peers = append $peers (dict "ipBlock" (dict "cidr" .)) }}
{{- end }}
{{- include "kausa.way" (dict "direction" "to" "peers" $peers "ports" .Values.networkPolicy.apiServer.ports) }}
{{- end }}

{{- define "kausa.way.memory" -}}
{{- if eq .Values.memory.mode "external" }}
{{- $server := .Values.memory.external }}
{{- $ports := list (include "kausa.urlPort" (dict "url" $server.url "default" "6333")) }}
{{- if $server.grpc.enabled }}
{{- $ports = append $ports $server.grpc.port }}
{{- end }}
{{- $ports = concat $ports (default list .Values.networkPolicy.memoryPorts) }}
{{- include "kausa.way" (dict "direction" "to" "peers" .Values.networkPolicy.memoryTo "ports" $ports) }}
{{- end }}
{{- end }}

{{/* (dict "url" ... "more" (list ...) "peers" ...): the address's port, and those behind its Service. */}}
{{- define "kausa.way.url" -}}
{{- $ports := concat (list (include "kausa.urlPort" (dict "url" .url))) (default list .more) }}
{{- include "kausa.way" (dict "direction" "to" "peers" .peers "ports" $ports) }}
{{- end }}
