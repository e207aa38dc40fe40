{{/* The value of app.kubernetes.io/name. */}}
{{- define "trainbooking.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the service's objects. 47 characters leave room for the longest suffix in 63. */}}
{{- define "trainbooking.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 47 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 47 | trimSuffix "-" }}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 47 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "trainbooking.operator.fullname" -}}
{{- include "trainbooking.fullname" . }}-operator
{{- end }}

{{- define "trainbooking.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* The name of cluster-wide objects contains the namespace, because releases in different namespaces can have the same name. */}}
{{- define "trainbooking.clusterName" -}}
{{- printf "%s-%s" (include "trainbooking.namespace" .) (include "trainbooking.fullname" .) }}
{{- end }}

{{/*
The selector of a component's pods: (list . "server"). It must never change, because a Deployment's
selector cannot. toYaml quotes what YAML would read as a number, here and below.
*/}}
{{- define "trainbooking.selectorLabels" -}}
{{- $ := index . 0 -}}
{{- toYaml (dict "app.kubernetes.io/name" (include "trainbooking.name" $) "app.kubernetes.io/instance" $.Release.Name "app.kubernetes.io/component" (index . 1)) }}
{{- end }}

{{/* The labels of an object of a component: (list . "server" [others]). They take precedence over the others and over commonLabels. */}}
{{- define "trainbooking.labels" -}}
{{- $ := index . 0 -}}
{{- $labels := include "trainbooking.selectorLabels" . | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/version" ($.Chart.AppVersion | toString) -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "trainbooking" -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $.Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" $.Chart.Name ($.Chart.Version | replace "+" "_")) -}}
{{- $others := dict -}}
{{- if gt (len .) 2 }}{{ $others = index . 2 | default dict }}{{ end -}}
{{- toYaml (mergeOverwrite (deepCopy $others) (deepCopy ($.Values.commonLabels | default dict)) $labels) }}
{{- end }}

{{/* The metadata of a namespaced object: (list . "server" name [annotations [labels]]). */}}
{{- define "trainbooking.metadata" -}}
{{- $ := index . 0 -}}
{{- $labels := dict -}}
{{- if gt (len .) 4 }}{{ $labels = index . 4 | default dict }}{{ end -}}
{{- $metadata := dict "name" (index . 2) "namespace" (include "trainbooking.namespace" $) "labels" (include "trainbooking.labels" (list $ (index . 1) $labels) | fromYaml) -}}
{{- if gt (len .) 3 }}{{ with index . 3 }}{{ $_ := set $metadata "annotations" . }}{{ end }}{{ end -}}
{{- toYaml $metadata }}
{{- end }}

{{/* "true" if the service is clustered. The schema requires database and Redis together. */}}
{{- define "trainbooking.clustered" -}}
{{- if (.Values.database).existingSecret }}true{{ end }}
{{- end }}

{{- define "trainbooking.serviceAccountName" -}}
{{- $account := .Values.serviceAccount | default dict -}}
{{- default (ternary (include "trainbooking.fullname" .) "default" (dig "create" true $account)) $account.name }}
{{- end }}

{{- define "trainbooking.operator.serviceAccountName" -}}
{{- $account := (.Values.operator).serviceAccount | default dict -}}
{{- default (ternary (include "trainbooking.operator.fullname" .) "default" (dig "create" true $account)) $account.name }}
{{- end }}

{{- define "trainbooking.claim" -}}
{{- default (include "trainbooking.fullname" .) (.Values.persistence).existingClaim }}
{{- end }}

{{- define "trainbooking.port" -}}
{{- dig "port" 8080 (.Values.service | default dict) | int }}
{{- end }}

{{- define "trainbooking.scheme" -}}
{{- if (.Values.tls).existingSecret }}https{{ else }}http{{ end }}
{{- end }}

{{/* The URL of the service inside the cluster. It ends in .svc, so that it matches the usual NO_PROXY. */}}
{{- define "trainbooking.url" -}}
{{- printf "%s://%s.%s.svc:%s" (include "trainbooking.scheme" .) (include "trainbooking.fullname" .) (include "trainbooking.namespace" .) (include "trainbooking.port" .) }}
{{- end }}

{{/* 90 % of a quantity of memory, in bytes: (include "trainbooking.memoryLimit" "512Mi"). */}}
{{- define "trainbooking.memoryLimit" -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "" 1 -}}
{{- $unit := regexFind "[A-Za-z]*$" (toString .) -}}
{{- if not (hasKey $units $unit) }}{{ fail (printf "the memory limit %v has no unit such as Mi or Gi" .) }}{{ end -}}
{{- mulf (trimSuffix $unit (toString .) | float64) (get $units $unit) 0.9 | int64 }}
{{- end }}
