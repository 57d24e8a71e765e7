{{/* Both ports: the operator's is called metrics, the embedder's http. */}}
{{- define "kausa.scraped" -}}
- port: metrics
  path: /metrics
  interval: {{ .interval }}
{{- if include "kausa.hasEmbedder" .root }}
- port: http
  path: /metrics
  interval: {{ .interval }}
  {{- if .root.Values.embedder.tls.existingSecret }}
  scheme: https
  tlsConfig:
    ca:
      secret:
        name: {{ .root.Values.embedder.tls.existingSecret }}
        key: ca.crt
    serverName: {{ include "kausa.embedderName" .root }}.{{ .root.Release.Namespace }}.svc
  {{- end }}
{{- end }}
{{- end }}
