{{/*
The names of the Secrets, the user's own or those that are made.
*/}}
{{- define "trainbooking.jwtSecretName" -}}
{{- default (printf "%s-jwt" (include "trainbooking.fullname" .)) .Values.jwtSecret.existingSecret }}
{{- end }}

{{- define "trainbooking.serviceTokenName" -}}
{{- default (printf "%s-service-token" (include "trainbooking.fullname" .)) .Values.serviceToken.existingSecret }}
{{- end }}

{{/*
A generated secret in base64: (list . name key). The one that the cluster has is kept; a new
one is drawn once a rendering, so that the Secret and the checksum of it are of one mind.
*/}}
{{- define "trainbooking.generated" -}}
{{- $ := index . 0 -}}
{{- $drawn := printf "drawn %s" (index . 1) -}}
{{- $there := (lookup "v1" "Secret" (include "trainbooking.namespace" $) (index . 1)).data | default dict -}}
{{- if hasKey $there (index . 2) -}}
{{- get $there (index . 2) }}
{{- else -}}
{{- if not (hasKey $.Values $drawn) }}{{ $_ := set $.Values $drawn (randAlphaNum 64 | b64enc) }}{{ end -}}
{{- get $.Values $drawn }}
{{- end }}
{{- end }}

{{/*
What changes when a Secret that the pods mount does, as far as it can be looked up: (list .
name generated). Without a cluster to ask, the name of a Secret of the user's stands for it.
*/}}
{{- define "trainbooking.checksum" -}}
{{- $ := index . 0 -}}
{{- if index . 2 -}}
{{- index . 2 | sha256sum }}
{{- else -}}
{{- $there := lookup "v1" "Secret" (include "trainbooking.namespace" $) (index . 1) -}}
{{- $there.data | default (index . 1) | toJson | sha256sum }}
{{- end }}
{{- end }}

{{/* Annotations that replace the pods of the service when one of its Secrets changes. */}}
{{- define "trainbooking.checksums" -}}
{{- $jwt := "" -}}
{{- if not .Values.jwtSecret.existingSecret }}{{ $jwt = include "trainbooking.generated" (list . (include "trainbooking.jwtSecretName" .) .Values.jwtSecret.key) }}{{ end -}}
{{- $token := "" -}}
{{- if not .Values.serviceToken.existingSecret }}{{ $token = include "trainbooking.generated" (list . (include "trainbooking.serviceTokenName" .) .Values.serviceToken.key) }}{{ end -}}
checksum/jwt-secret: {{ include "trainbooking.checksum" (list . (include "trainbooking.jwtSecretName" .) $jwt) }}
checksum/service-token: {{ include "trainbooking.checksum" (list . (include "trainbooking.serviceTokenName" .) $token) }}
{{- if include "trainbooking.clustered" . }}
checksum/database: {{ include "trainbooking.checksum" (list . .Values.database.existingSecret "") }}
checksum/redis: {{ include "trainbooking.checksum" (list . .Values.redis.existingSecret "") }}
{{- end }}
{{- end }}
