{{/* The metadata of a pod template: (list . "server" labels annotations). It does not contain the chart's version, which would replace the pods with each version of the chart. */}}
{{- define "trainbooking.podMetadata" -}}
{{- $labels := omit (include "trainbooking.labels" (list (index . 0) (index . 1) (index . 2)) | fromYaml) "helm.sh/chart" -}}
{{- $metadata := dict "labels" $labels -}}
{{- with index . 3 }}{{ $_ := set $metadata "annotations" . }}{{ end -}}
{{- toYaml $metadata }}
{{- end }}

{{/* The fields of every pod, and the options that are set: (list . options). options is a section of the values. */}}
{{- define "trainbooking.pod" -}}
{{- $ := index . 0 -}}
{{- $options := index . 1 -}}
{{- $restricted := dict "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532 "fsGroupChangePolicy" "OnRootMismatch" "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- $spec := dict "enableServiceLinks" false "securityContext" (include "trainbooking.merged" (list $restricted $.Values.podSecurityContext) | fromYaml) -}}
{{- with include "trainbooking.pullSecrets" $ | fromYamlArray }}{{ $_ := set $spec "imagePullSecrets" . }}{{ end -}}
{{- range list "priorityClassName" "hostAliases" "dnsPolicy" "dnsConfig" "initContainers" "topologySpreadConstraints" "nodeSelector" "tolerations" "affinity" -}}
{{- $option := . -}}
{{- with get $options . }}{{ $_ := set $spec $option . }}{{ end -}}
{{- end -}}
{{- toYaml $spec }}
{{- end }}

{{/* The options of pods that run once. They may run on the same nodes as the service's pods, without its pod affinity. */}}
{{- define "trainbooking.taskOptions" -}}
{{- $options := pick .Values "priorityClassName" "hostAliases" "dnsPolicy" "dnsConfig" "nodeSelector" "tolerations" -}}
{{- with (.Values.affinity).nodeAffinity }}{{ $_ := set $options "affinity" (dict "nodeAffinity" .) }}{{ end -}}
{{- toYaml $options }}
{{- end }}

{{/* What every container has: (list . image pullPolicy resources). */}}
{{- define "trainbooking.container" -}}
{{- $ := index . 0 -}}
{{- $restricted := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- $container := dict "image" (index . 1) "imagePullPolicy" (index . 2) "securityContext" (include "trainbooking.merged" (list $restricted $.Values.securityContext) | fromYaml) -}}
{{- with index . 3 }}{{ $_ := set $container "resources" . }}{{ end -}}
{{- toYaml $container }}
{{- end }}

{{/* A map merged with the user's, in which null removes a key: (list map user's). */}}
{{- define "trainbooking.merged" -}}
{{- $user := index . 1 | default dict -}}
{{- $merged := mergeOverwrite (deepCopy (index . 0)) (deepCopy $user) -}}
{{- range $key, $value := $user }}{{ if kindIs "invalid" $value }}{{ $_ := unset $merged $key }}{{ end }}{{ end -}}
{{- toYaml $merged }}
{{- end }}

{{/*
Environment variables, each once: (list chart's user's). The user's value wins. Those of the chart
that contain others with $(NAME) come last, because they may only contain those before them.
*/}}
{{- define "trainbooking.mergedEnv" -}}
{{- $users := list -}}
{{- $seen := dict -}}
{{- range reverse (index . 1 | default list) -}}
{{- if not (hasKey $seen .name) }}{{ $users = prepend $users . }}{{ $_ := set $seen .name true }}{{ end -}}
{{- end -}}
{{- $first := list -}}
{{- $last := list -}}
{{- range index . 0 -}}
{{- if hasKey $seen .name -}}
{{- else if contains "$(" (.value | default "") }}{{ $last = append $last . -}}
{{- else }}{{ $first = append $first . }}{{ end -}}
{{- end -}}
{{- with concat $first $users $last }}{{ toYaml . }}{{ else }}[]{{ end }}
{{- end }}

{{/* repository@digest or repository:tag of an image: (list . image). global.imageRegistry replaces the registry in it. */}}
{{- define "trainbooking.imageOf" -}}
{{- $image := index . 1 -}}
{{- $repository := $image.repository -}}
{{- with ((index . 0).Values.global).imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") -}}
{{- end -}}
{{- if $image.digest }}{{ printf "%s@%s" $repository $image.digest }}{{ else }}{{ printf "%s:%s" $repository (default (index . 0).Chart.AppVersion $image.tag) }}{{ end }}
{{- end }}

{{- define "trainbooking.image" -}}
{{- include "trainbooking.imageOf" (list . (merge (dict) (.Values.image | default dict) (dict "repository" "trainbooking"))) }}
{{- end }}

{{- define "trainbooking.pullPolicy" -}}
{{- (.Values.image).pullPolicy | default "IfNotPresent" }}
{{- end }}

{{/* global.imagePullSecrets and imagePullSecrets, each a name or {name: …}, without duplicates. */}}
{{- define "trainbooking.pullSecrets" -}}
{{- $secrets := list -}}
{{- range concat ((.Values.global).imagePullSecrets | default list) (.Values.imagePullSecrets | default list) -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- toYaml (uniq $secrets) }}
{{- end }}
