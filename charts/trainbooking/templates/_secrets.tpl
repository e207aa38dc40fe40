{{/* The names of the Secrets, existing or generated. */}}
{{- define "trainbooking.jwtSecretName" -}}
{{- default (printf "%s-jwt" (include "trainbooking.fullname" .)) (.Values.jwtSecret).existingSecret }}
{{- end }}

{{- define "trainbooking.serviceTokenName" -}}
{{- default (printf "%s-service-token" (include "trainbooking.fullname" .)) (.Values.serviceToken).existingSecret }}
{{- end }}

{{- define "trainbooking.jwtSecretKey" -}}
{{- (.Values.jwtSecret).key | default "jwt-secret" }}
{{- end }}

{{- define "trainbooking.serviceTokenKey" -}}
{{- (.Values.serviceToken).key | default "token" }}
{{- end }}

{{/* A generated secret in base64: (list . name key). An existing one is kept. */}}
{{- define "trainbooking.generated" -}}
{{- $ := index . 0 -}}
{{- $existing := (lookup "v1" "Secret" (include "trainbooking.namespace" $) (index . 1)).data | default dict -}}
{{- get $existing (index . 2) | default (randAlphaNum 64 | b64enc) }}
{{- end }}
