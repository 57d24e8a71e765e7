{{/* What values cannot mean, said before the cluster or a program says it in worse words. */}}

{{- define "kausa.check.names" -}}
{{- $name := include "kausa.fullname" . -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $name) -}}
{{- fail (printf "objects would be called %q, which Kubernetes does not take: lower-case letters, digits and dashes, a letter first. Set fullnameOverride to such a name" $name) -}}
{{- end -}}
{{- $own := list "helm.sh/chart" "kausa.dev/embedder" -}}
{{- range list "name" "instance" "version" "part-of" "managed-by" "component" -}}
{{- $own = append $own (printf "app.kubernetes.io/%s" .) -}}
{{- end -}}
{{- range $path, $labels := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "embedder.podLabels" .Values.embedder.podLabels -}}
{{- range $key, $_ := $labels -}}
{{- if has $key $own -}}
{{- fail (printf "%s has %s, which the chart sets itself: Services and policies find Pods by such labels. Take another key" $path $key) -}}
{{- end -}}
{{- if and (ne $path "commonLabels") (hasKey (default dict $.Values.commonLabels) $key) -}}
{{- fail (printf "%s has %s, and so has commonLabels, which every Pod gets as well: leave it in one of them" $path $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "kausa.check.contradictions" -}}
{{- $model := .Values.model -}}
{{- if and (eq $model.provider "none") (or $model.url $model.simple $model.reasoning $model.existingSecret.name) -}}
{{- fail "model.provider is none, and model.url, simple, reasoning or existingSecret is set: set model.provider to ollama or openai, or leave them empty" -}}
{{- end -}}
{{- if and (ne .Values.memory.mode "external") .Values.memory.external.url -}}
{{- fail (printf "memory.external.url is set, and memory.mode is %s: set memory.mode to external, or leave the address empty" .Values.memory.mode) -}}
{{- end -}}
{{- $embedder := .Values.embedder -}}
{{- if and (ne $embedder.mode "external") $embedder.external.url -}}
{{- fail (printf "embedder.external.url is set, and embedder.mode is %s: set embedder.mode to external, or leave the address empty" $embedder.mode) -}}
{{- end -}}
{{- if and .Values.watch.namespace (or .Values.watch.include .Values.watch.exclude) -}}
{{- fail "watch.namespace is set, and watch.include or watch.exclude as well: that one namespace is watched in any case, and no other. Set either" -}}
{{- end -}}
{{- if include "kausa.hasEmbedder" . -}}
{{- $of := $embedder.model -}}
{{- if and $of.name (not (has $of.name (list "offline" "all-MiniLM-L6-v2-w8a8"))) (not $of.path) (not $of.volume) -}}
{{- fail (printf "embedder.model.name is %s, which is not in the image: give its files with embedder.model.volume (and download, where there is a way out of the cluster), or their folder with embedder.model.path" $of.name) -}}
{{- end -}}
{{- $scaling := $embedder.autoscaling -}}
{{- if $scaling.enabled -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "embedder.autoscaling.minReplicas is %d, and maxReplicas is %d: at least must not be more than at most" (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- if not (or $scaling.targetCPUUtilization $scaling.queueWait.enabled) -}}
{{- fail "embedder.autoscaling.targetCPUUtilization is 0, and queueWait is not enabled: the autoscaler would look at nothing. Set one of them" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The image's root is read-only, and the audit's own folder is on the volume of the embedded memory. */}}
{{- define "kausa.check.audit" -}}
{{- $settings := default dict .Values.settings -}}
{{- if and (eq (get $settings "KAUSA_MEMORY_AUDIT") "file") (include "kausa.hasMemory" .) -}}
{{- $path := get $settings "KAUSA_MEMORY_AUDIT_PATH" | default "/var/lib/kausa/memory-audit.jsonl" -}}
{{- $folders := list "/tmp" -}}
{{- if eq .Values.memory.mode "embedded" -}}
{{- $folders = append $folders "/var/lib/kausa" -}}
{{- end -}}
{{- range .Values.extraVolumeMounts -}}
{{- $folders = append $folders (trimSuffix "/" .mountPath) -}}
{{- end -}}
{{- $writable := false -}}
{{- range $folders -}}
{{- if hasPrefix (printf "%s/" .) $path -}}
{{- $writable = true -}}
{{- end -}}
{{- end -}}
{{- if not $writable -}}
{{- fail (printf "settings.KAUSA_MEMORY_AUDIT is file, and nothing can be written to %s: set it to log, or mount a volume with extraVolumes and extraVolumeMounts and name a file on it in settings.KAUSA_MEMORY_AUDIT_PATH" $path) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "kausa.check.addresses" -}}
{{- $secrets := dict "memory.external.url" "memory.external.existingSecret" "embedder.external.url" "embedder.external.existingSecret" "model.url" "model.existingSecret" -}}
{{- range $path, $url := dict "memory.external.url" .Values.memory.external.url "embedder.external.url" .Values.embedder.external.url "model.url" .Values.model.url "tracing.endpoint" .Values.tracing.endpoint -}}
{{- if regexMatch "^[a-z]+://[^/?#]*@" (default "" $url) -}}
{{- $instead := "leave them out, and let the collector in the cluster hold them" -}}
{{- with get $secrets $path -}}
{{- $instead = printf "put a key into a Secret, and name it in %s" . -}}
{{- end -}}
{{- fail (printf "%s has credentials in it, which everybody sees who may read the Deployment: %s" $path $instead) -}}
{{- end -}}
{{- end -}}
{{- end }}
