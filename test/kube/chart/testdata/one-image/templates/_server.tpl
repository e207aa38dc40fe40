{{/* The directory of the Secrets' files. */}}
{{- define "trainbooking.secretsDir" -}}
/run/secrets/trainbooking
{{- end }}

{{/* The volume with all Secrets of the service as files. */}}
{{- define "trainbooking.secretsVolume" -}}
name: secrets
projected:
  # Readable by the owner and by the fsGroup, which is the group of the process.
  defaultMode: 0440
  sources:
    - secret:
        name: {{ include "trainbooking.jwtSecretName" . }}
        items: [{key: {{ .Values.jwtSecret.key }}, path: jwt-secret}]
    - secret:
        name: {{ include "trainbooking.serviceTokenName" . }}
        items: [{key: {{ .Values.serviceToken.key }}, path: service-token}]
    {{- if include "trainbooking.clustered" . }}
    {{- include "trainbooking.databaseSources" . | nindent 4 }}
    - secret:
        name: {{ .Values.redis.existingSecret }}
        items: [{key: {{ .Values.redis.key }}, path: redis-url}]
    {{- with .Values.cluster.tlsSecret }}
    - secret:
        name: {{ . }}
        items:
          - {key: tls.crt, path: tls.crt}
          - {key: tls.key, path: tls.key}
          - {key: ca.crt, path: ca.crt}
    {{- end }}
    {{- end }}
{{- end }}

{{- define "trainbooking.databaseSources" -}}
- secret:
    name: {{ .Values.database.existingSecret }}
    items: [{key: {{ .Values.database.key }}, path: database-url}]
{{- with .Values.database.migrateExistingSecret }}
- secret:
    name: {{ . }}
    items: [{key: {{ $.Values.database.migrateKey }}, path: migrate-url}]
{{- end }}
{{- end }}

{{- define "trainbooking.databaseEnv" -}}
{{- $dir := include "trainbooking.secretsDir" . -}}
- {name: TRAINBOOKING_DATABASE_URL_FILE, value: {{ $dir }}/database-url}
{{- if .Values.database.migrateExistingSecret }}
- {name: TRAINBOOKING_MIGRATE_URL_FILE, value: {{ $dir }}/migrate-url}
{{- end }}
{{- end }}

{{/* The environment variables of the service. */}}
{{- define "trainbooking.env" -}}
{{- $dir := include "trainbooking.secretsDir" . -}}
- {name: TRAINBOOKING_LISTEN, value: ":8080"}
- {name: TRAINBOOKING_METRICS_LISTEN, value: ":9090"}
- {name: TRAINBOOKING_JWT_SECRET_FILE, value: {{ $dir }}/jwt-secret}
- {name: TRAINBOOKING_SERVICE_TOKEN_FILE, value: {{ $dir }}/service-token}
{{- if include "trainbooking.clustered" . }}
{{ include "trainbooking.databaseEnv" . }}
- {name: TRAINBOOKING_REDIS_URL_FILE, value: {{ $dir }}/redis-url}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- {name: TRAINBOOKING_ADVERTISE, value: {{ ternary "[$(POD_IP)]:8090" "$(POD_IP):8090" .Values.cluster.ipv6 | quote }}}
{{- if .Values.cluster.tlsSecret }}
- {name: TRAINBOOKING_CLUSTER_TLS_CERT, value: {{ $dir }}/tls.crt}
- {name: TRAINBOOKING_CLUSTER_TLS_KEY, value: {{ $dir }}/tls.key}
- {name: TRAINBOOKING_CLUSTER_TLS_CA, value: {{ $dir }}/ca.crt}
{{- end }}
{{- if .Values.migrations.job }}
- {name: TRAINBOOKING_MIGRATE, value: "false"}
{{- end }}
{{- else }}
- {name: TRAINBOOKING_DATA_DIR, value: /data}
{{- end }}
- {name: TRAINBOOKING_HOLD_TTL, value: {{ .Values.holdTTL | quote }}}
- {name: TRAINBOOKING_MAX_HOLDS_PER_USER, value: {{ .Values.maxHoldsPerUser | quote }}}
- {name: TRAINBOOKING_MAX_SEATS_PER_USER, value: {{ .Values.maxSeatsPerUser | quote }}}
- {name: TRAINBOOKING_REHOLD_PAUSE, value: {{ .Values.reholdPause | quote }}}
- {name: TRAINBOOKING_ACCESS_TTL, value: {{ .Values.accessTTL | quote }}}
- {name: TRAINBOOKING_REFRESH_TTL, value: {{ .Values.refreshTTL | quote }}}
- {name: TRAINBOOKING_LOGIN_FAILURES, value: {{ .Values.loginFailures | quote }}}
- {name: TRAINBOOKING_REGISTRATIONS, value: {{ .Values.registrations | int | quote }}}
{{- with .Values.trustedProxies }}
- {name: TRAINBOOKING_TRUSTED_PROXIES, value: {{ join "," . | quote }}}
{{- end }}
- {name: TRAINBOOKING_SHUTDOWN_DELAY, value: {{ printf "%ds" (int .Values.shutdown.delaySeconds) }}}
- {name: TRAINBOOKING_DEMO, value: {{ .Values.demo | quote }}}
- {name: TRAINBOOKING_PAGE, value: {{ .Values.page.enabled | quote }}}
- {name: TRAINBOOKING_PPROF, value: {{ .Values.pprof | quote }}}
- {name: TRAINBOOKING_LOG_FORMAT, value: {{ .Values.logFormat }}}
- {name: TRAINBOOKING_LOG_LEVEL, value: {{ .Values.logLevel }}}
{{- with (.Values.resources.limits | default dict).memory }}
- {name: GOMEMLIMIT, value: {{ include "trainbooking.memoryLimit" . | quote }}}
{{- end }}
{{- if .Values.otlp.endpoint }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .Values.otlp.endpoint | quote }}}
- {name: OTEL_EXPORTER_OTLP_PROTOCOL, value: {{ .Values.otlp.protocol | quote }}}
- {name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .Values.otlp.ratio | quote }}}
- {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.namespace.name={{ include "trainbooking.namespace" . }},k8s.pod.name=$(POD_NAME)"}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
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
