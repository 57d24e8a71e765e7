{{/* Names, labels and images: what every template shares. */}}

{{- define "kausa.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 45 | trimSuffix "-" -}}
{{- end }}

{{/* The release's name where it has the chart's in it. 45 characters: a CronJob's name has 52 at most, suffixes and Pods' hashes follow. */}}
{{- define "kausa.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "kausa.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "kausa.embedderName" -}}
{{- printf "%s-embedder" (include "kausa.fullname" .) -}}
{{- end }}

{{- define "kausa.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "kausa.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* What never changes of an object: Deployments select by it. */}}
{{- define "kausa.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kausa.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kausa.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "kausa.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kausa
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* (dict "root" $ "repository" ... "image" ...): a digest is worth more than a tag. */}}
{{- define "kausa.image" -}}
{{- $repository := .repository -}}
{{- if .root.Values.imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .root.Values.imageRegistry) .repository -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end }}

{{- define "kausa.operatorImage" -}}
{{- include "kausa.image" (dict "root" . "repository" .Values.image.repository "image" .Values.image) -}}
{{- end }}

{{- define "kausa.embedderImage" -}}
{{- $repository := ternary .Values.embedder.gpu.repository .Values.embedder.image.repository (not (empty .Values.embedder.gpu.enabled)) -}}
{{- include "kausa.image" (dict "root" . "repository" $repository "image" .Values.embedder.image) -}}
{{- end }}

{{/* Changes with all that may mean another model. The Service leads to embedders of the present one only, and
     the operator starts anew with it: an operator migrates the memory when it opens it, and would open it
     with the old embedder while the new one warms up. */}}
{{- define "kausa.embedderVersion" -}}
{{- $of := .Values.embedder -}}
{{- list (include "kausa.embedderImage" .) $of.model $of.gpu.enabled | toJson | sha256sum | trunc 12 -}}
{{- end }}

{{/* Where failures of what has no namespace, the Lease and the Runbooks of everybody are. */}}
{{- define "kausa.homeNamespace" -}}
{{- default .Release.Namespace .Values.watch.namespace -}}
{{- end }}

{{/* A value of a setting: a large number must not become 1e+06. */}}
{{- define "kausa.settingValue" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ toJson . | quote }}{{ end -}}
{{- end }}

{{/* (dict "url" ... "default" ...): the port that a URL leads to. */}}
{{- define "kausa.urlPort" -}}
{{- $url := urlParse .url -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- if $port -}}{{ $port }}
{{- else if .default -}}{{ .default }}
{{- else if eq $url.scheme "https" -}}443
{{- else -}}80
{{- end -}}
{{- end }}

{{/* Scheduling that operators and embedders have alike: (dict "root" $ "of" values "component" ...) */}}
{{- define "kausa.placement" -}}
{{- with .of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .root.Values.topologySpread }}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "kausa.selectorLabels" $.root | nindent 8 }}
        app.kubernetes.io/component: {{ $.component }}
    # A rollout's new Pods do not make room for its old ones.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end }}
