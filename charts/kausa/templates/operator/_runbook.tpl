{{/* (dict "root" $ "hook" ... "name" ... "spec" ...): a Runbook, and by which hook it comes or goes */}}
{{- define "kausa.runbook" -}}
---
apiVersion: kausa.dev/v1alpha1
kind: Runbook
metadata:
  name: {{ .name }}
  namespace: {{ include "kausa.homeNamespace" .root }}
  labels:
    {{- include "kausa.labels" .root | nindent 4 }}
  {{- with .hook }}
  annotations:
    helm.sh/hook: {{ . }}
    {{- /* What is to go is made anew and deleted when that has worked: Helm has no hook that only deletes. */}}
    helm.sh/hook-delete-policy: {{ ternary "before-hook-creation" "before-hook-creation,hook-succeeded" (hasPrefix "post-" .) }}
    meta.helm.sh/release-name: {{ $.root.Release.Name }}
    meta.helm.sh/release-namespace: {{ $.root.Release.Namespace }}
  {{- end }}
spec:
  {{- toYaml .spec | nindent 2 }}
{{- end }}
