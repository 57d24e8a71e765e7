{{/* (dict "root" $ "kind" "ClusterRoleBinding" "name" ... "namespace" ... "role" (dict "kind" ... "name" ...)) */}}
{{- define "kausa.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "kausa.labels" .root | nindent 4 }}
    app.kubernetes.io/component: operator
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .role.kind }}
  name: {{ .role.name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "kausa.serviceAccountName" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
