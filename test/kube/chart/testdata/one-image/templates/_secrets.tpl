{{/* The names of the Secrets, existing or generated. */}}
{{- define "trainbooking.jwtSecretName" -}}
{{- default (printf "%s-jwt" (include "trainbooking.fullname" .)) .Values.jwtSecret.existingSecret }}
{{- end }}

{{- define "trainbooking.serviceTokenName" -}}
{{- default (printf "%s-service-token" (include "trainbooking.fullname" .)) .Values.serviceToken.existingSecret }}
{{- end }}

{{/*
A generated secret in base64: (list . name key). An existing one is kept. A new one is generated once
per rendering, so that the Secret and its checksum match.
*/}}
{{- define "trainbooking.generated" -}}
{{- $ := index . 0 -}}
{{- $cached := printf "generated %s" (index . 1) -}}
{{- $existing := (lookup "v1" "Secret" (include "trainbooking.namespace" $) (index . 1)).data | default dict -}}
{{- if hasKey $existing (index . 2) -}}
{{- get $existing (index . 2) }}
{{- else -}}
{{- if not (hasKey $.Values $cached) }}{{ $_ := set $.Values $cached (randAlphaNum 64 | b64enc) }}{{ end -}}
{{- get $.Values $cached }}
{{- end }}
{{- end }}

{{/*
The checksum of a Secret that the pods mount: (list . name generated). It is that of the name if an
existing Secret cannot be looked up.
*/}}
{{- define "trainbooking.checksum" -}}
{{- $ := index . 0 -}}
{{- if index . 2 -}}
{{- index . 2 | sha256sum }}
{{- else -}}
{{- $existing := lookup "v1" "Secret" (include "trainbooking.namespace" $) (index . 1) -}}
{{- $existing.data | default (index . 1) | toJson | sha256sum }}
{{- end }}
{{- end }}

{{/* Annotations that replace the service's pods when one of its Secrets changes. */}}
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
