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

{{/* The selector of a component's pods: (list . "server"). It must never change, because a Deployment's selector cannot. */}}
{{- define "trainbooking.selectorLabels" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ include "trainbooking.name" $ }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The labels of an object of a component: (list . "server"). They take precedence over commonLabels. */}}
{{- define "trainbooking.labels" -}}
{{- $ := index . 0 -}}
{{- $labels := include "trainbooking.selectorLabels" . | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/version" ($.Chart.AppVersion | toString) -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "trainbooking" -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $.Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" $.Chart.Name ($.Chart.Version | replace "+" "_")) -}}
{{- toYaml (mergeOverwrite (deepCopy $.Values.commonLabels) $labels) }}
{{- end }}

{{/*
The labels of a component's pods: (list . "server" others). They do not contain the chart's version,
which would replace the pods with each version of the chart.
*/}}
{{- define "trainbooking.podLabels" -}}
{{- $labels := omit (include "trainbooking.labels" . | fromYaml) "helm.sh/chart" -}}
{{- toYaml (mergeOverwrite (deepCopy (index . 2)) $labels) }}
{{- end }}

{{/* The metadata of a namespaced object: (list . "server" name [annotations]). */}}
{{- define "trainbooking.metadata" -}}
{{- $ := index . 0 -}}
name: {{ index . 2 }}
namespace: {{ include "trainbooking.namespace" $ }}
labels:
  {{- include "trainbooking.labels" (list $ (index . 1)) | nindent 2 }}
{{- if gt (len .) 3 }}
{{- with index . 3 }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "trainbooking.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ printf "%s@%s" .repository .digest }}{{ else }}{{ printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}{{ end }}
{{- end }}
{{- end }}

{{/* "true" if the service is clustered. The schema requires database and Redis together. */}}
{{- define "trainbooking.clustered" -}}
{{- if .Values.database.existingSecret }}true{{ end }}
{{- end }}

{{- define "trainbooking.serviceAccountName" -}}
{{- default (ternary (include "trainbooking.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "trainbooking.operator.serviceAccountName" -}}
{{- with .Values.operator.serviceAccount -}}
{{- default (ternary (include "trainbooking.operator.fullname" $) "default" .create) .name }}
{{- end }}
{{- end }}

{{- define "trainbooking.claim" -}}
{{- default (include "trainbooking.fullname" .) .Values.persistence.existingClaim }}
{{- end }}

{{/* The URL of the service inside the cluster. */}}
{{- define "trainbooking.url" -}}
{{- printf "http://%s.%s:%d" (include "trainbooking.fullname" .) (include "trainbooking.namespace" .) (int .Values.service.port) }}
{{- end }}

{{/* 90 % of a quantity of memory, in bytes: (include "trainbooking.memoryLimit" "512Mi"). */}}
{{- define "trainbooking.memoryLimit" -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "" 1 -}}
{{- $unit := regexFind "[A-Za-z]*$" (toString .) -}}
{{- if not (hasKey $units $unit) }}{{ fail (printf "the memory limit %v has no unit such as Mi or Gi" .) }}{{ end -}}
{{- mulf (trimSuffix $unit (toString .) | float64) (get $units $unit) 0.9 | int64 }}
{{- end }}

{{/* The pod security context of the restricted profile, merged with another. */}}
{{- define "trainbooking.podSecurityContext" -}}
{{- $restricted := dict "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532 "fsGroupChangePolicy" "OnRootMismatch" "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- toYaml (mergeOverwrite $restricted (deepCopy .)) }}
{{- end }}

{{/* The container security context of the restricted profile, merged with another. */}}
{{- define "trainbooking.securityContext" -}}
{{- $restricted := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- toYaml (mergeOverwrite $restricted (deepCopy .)) }}
{{- end }}
