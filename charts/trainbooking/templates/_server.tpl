{{/* The directory of the Secrets' files. */}}
{{- define "trainbooking.secretsDir" -}}
/run/secrets/trainbooking
{{- end }}

{{/* A source of a projected volume, a Secret's keys and their files: (list secret key path key path …). */}}
{{- define "trainbooking.source" -}}
- secret:
    name: {{ index . 0 | quote }}
    items:
      {{- range $i, $key := rest . }}
      {{- if mod $i 2 }}
        path: {{ $key | quote }}
      {{- else }}
      - key: {{ $key | quote }}
      {{- end }}
      {{- end }}
{{- end }}

{{/* The projected volume of Secrets: its sources. Files are readable by the owner and by the fsGroup, which is the group of the process. */}}
{{- define "trainbooking.secretsVolume" -}}
name: secrets
projected:
  defaultMode: 0440
  sources:
    {{- . | nindent 4 }}
{{- end }}

{{/* The Secrets of the service. */}}
{{- define "trainbooking.secretSources" -}}
{{ include "trainbooking.source" (list (include "trainbooking.jwtSecretName" .) (include "trainbooking.jwtSecretKey" .) "jwt-secret") }}
{{ include "trainbooking.serviceTokenSource" . }}
{{- if include "trainbooking.clustered" . }}
{{ include "trainbooking.databaseSources" . }}
{{ include "trainbooking.source" (list .Values.redis.existingSecret (.Values.redis.key | default "url") "redis-url") }}
{{ include "trainbooking.storeTLSSource" (list "redis" .Values.redis) }}
{{- with (.Values.cluster).tlsSecret }}
{{ include "trainbooking.source" (list . "tls.crt" "tls.crt" "tls.key" "tls.key" "ca.crt" "ca.crt") }}
{{- end }}
{{- end }}
{{- with (.Values.tls).existingSecret }}
{{ include "trainbooking.source" (list . "tls.crt" "service.crt" "tls.key" "service.key") }}
{{- end }}
{{- end }}

{{/* What a client of the service reads: the token, and the authorities of its certificate. */}}
{{- define "trainbooking.clientSources" -}}
{{ include "trainbooking.serviceTokenSource" . }}
{{- if include "trainbooking.serviceCA" . }}
{{ include "trainbooking.source" (list .Values.tls.existingSecret (include "trainbooking.serviceCAKey" .) "service-ca.crt") }}
{{- end }}
{{- end }}

{{- define "trainbooking.serviceCAKey" -}}
{{- if (.Values.tls).existingSecret }}{{ dig "caKey" "ca.crt" .Values.tls }}{{ end }}
{{- end }}

{{/* The file of the authorities that sign the service's certificate, if there is one. */}}
{{- define "trainbooking.serviceCA" -}}
{{- if include "trainbooking.serviceCAKey" . }}{{ include "trainbooking.secretsDir" . }}/service-ca.crt{{ end }}
{{- end }}

{{- define "trainbooking.serviceTokenSource" -}}
{{ include "trainbooking.source" (list (include "trainbooking.serviceTokenName" .) (include "trainbooking.serviceTokenKey" .) "service-token") }}
{{- end }}

{{- define "trainbooking.databaseSources" -}}
{{ include "trainbooking.source" (list .Values.database.existingSecret (.Values.database.key | default "url") "database-url") }}
{{ include "trainbooking.storeTLSSource" (list "database" .Values.database) }}
{{- with .Values.database.migrateExistingSecret }}
{{ include "trainbooking.source" (list . ($.Values.database.migrateKey | default "url") "migrate-url") }}
{{- end }}
{{- end }}

{{/* The certificates for connections to a store: (list "redis" section). */}}
{{- define "trainbooking.storeTLSSource" -}}
{{- $store := index . 0 -}}
{{- with index . 1 -}}
{{- if .tlsSecret -}}
{{- $files := list "ca.crt" (printf "%s-ca.crt" $store) -}}
{{- if .clientCertificate }}{{ $files = concat $files (list "tls.crt" (printf "%s.crt" $store) "tls.key" (printf "%s.key" $store)) }}{{ end -}}
{{ include "trainbooking.source" (prepend $files .tlsSecret) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The environment variables of these: (list . "redis" section). */}}
{{- define "trainbooking.storeTLSEnv" -}}
{{- $file := printf "%s/%s" (include "trainbooking.secretsDir" (index . 0)) (index . 1) -}}
{{- $name := printf "TRAINBOOKING_%s_TLS" (upper (index . 1)) -}}
{{- with index . 2 -}}
{{- if .tlsSecret -}}
- {name: {{ $name }}_CA, value: {{ $file }}-ca.crt}
{{- if .clientCertificate }}
- {name: {{ $name }}_CERT, value: {{ $file }}.crt}
- {name: {{ $name }}_KEY, value: {{ $file }}.key}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "trainbooking.databaseEnv" -}}
{{- $dir := include "trainbooking.secretsDir" . -}}
- {name: TRAINBOOKING_DATABASE_URL_FILE, value: {{ $dir }}/database-url}
{{ include "trainbooking.storeTLSEnv" (list . "database" .Values.database) }}
{{- if .Values.database.migrateExistingSecret }}
- {name: TRAINBOOKING_MIGRATE_URL_FILE, value: {{ $dir }}/migrate-url}
{{- end }}
{{- end }}

{{/* The environment variables of the service that the chart sets. */}}
{{- define "trainbooking.env" -}}
{{- $dir := include "trainbooking.secretsDir" . -}}
- {name: TRAINBOOKING_LISTEN, value: ":8080"}
- {name: TRAINBOOKING_METRICS_LISTEN, value: ":9090"}
- {name: TRAINBOOKING_JWT_SECRET_FILE, value: {{ $dir }}/jwt-secret}
- {name: TRAINBOOKING_SERVICE_TOKEN_FILE, value: {{ $dir }}/service-token}
{{- if (.Values.tls).existingSecret }}
- {name: TRAINBOOKING_TLS_CERT, value: {{ $dir }}/service.crt}
- {name: TRAINBOOKING_TLS_KEY, value: {{ $dir }}/service.key}
{{- end }}
{{- if include "trainbooking.clustered" . }}
{{ include "trainbooking.databaseEnv" . }}
- {name: TRAINBOOKING_REDIS_URL_FILE, value: {{ $dir }}/redis-url}
{{ include "trainbooking.storeTLSEnv" (list . "redis" .Values.redis) }}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
# The service puts an IPv6 address into brackets.
- {name: TRAINBOOKING_ADVERTISE, value: "$(POD_IP):8090"}
{{- if (.Values.cluster).tlsSecret }}
- {name: TRAINBOOKING_CLUSTER_TLS_CERT, value: {{ $dir }}/tls.crt}
- {name: TRAINBOOKING_CLUSTER_TLS_KEY, value: {{ $dir }}/tls.key}
- {name: TRAINBOOKING_CLUSTER_TLS_CA, value: {{ $dir }}/ca.crt}
{{- end }}
{{- if (.Values.migrations).job }}
- {name: TRAINBOOKING_MIGRATE, value: "false"}
{{- end }}
{{- else }}
- {name: TRAINBOOKING_DATA_DIR, value: /data}
{{- end }}
{{- /* A setting without a value has the program's default. */}}
{{- range $key, $name := dict "holdTTL" "HOLD_TTL" "maxHoldsPerUser" "MAX_HOLDS_PER_USER" "maxSeatsPerUser" "MAX_SEATS_PER_USER" "reholdPause" "REHOLD_PAUSE" "accessTTL" "ACCESS_TTL" "refreshTTL" "REFRESH_TTL" "loginFailures" "LOGIN_FAILURES" "registrations" "REGISTRATIONS" "demo" "DEMO" "pprof" "PPROF" "logFormat" "LOG_FORMAT" "logLevel" "LOG_LEVEL" }}
{{- $value := get $.Values $key }}
{{- if not (has $value (list nil "")) }}
- {name: TRAINBOOKING_{{ $name }}, value: {{ kindIs "float64" $value | ternary (int $value) $value | quote }}}
{{- end }}
{{- end }}
{{- range $key, $name := dict "trustedProxies" "TRUSTED_PROXIES" "corsOrigins" "CORS_ORIGINS" }}
{{- with get $.Values $key }}
- {name: TRAINBOOKING_{{ $name }}, value: {{ join "," . | quote }}}
{{- end }}
{{- end }}
- {name: TRAINBOOKING_SHUTDOWN_DELAY, value: {{ printf "%ds" (dig "delaySeconds" 3 (.Values.shutdown | default dict) | int) }}}
- {name: TRAINBOOKING_PAGE, value: {{ dig "enabled" true (.Values.page | default dict) | quote }}}
{{- with ((.Values.resources).limits).memory }}
- {name: GOMEMLIMIT, value: {{ include "trainbooking.memoryLimit" . | quote }}}
{{- end }}
{{- with .Values.otlp }}
{{- if .endpoint }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: OTEL_EXPORTER_OTLP_PROTOCOL, value: {{ .protocol | default "http/protobuf" | quote }}}
- {name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ dig "ratio" 0.01 . | quote }}}
- {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.namespace.name={{ include "trainbooking.namespace" $ }},k8s.pod.name=$(POD_NAME)"}
{{- end }}
{{- end }}
{{- end }}

{{/* Spread over zones and nodes, separately for each version of the pod, without blocking scheduling. */}}
{{- define "trainbooking.spread" -}}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- include "trainbooking.selectorLabels" (list $ "server") | nindent 6 }}
{{- end }}
{{- end }}
