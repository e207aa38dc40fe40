{{/* The operator's image: next to the service's, of the same version, unless set. */}}
{{- define "trainbooking.operator.image" -}}
{{- $service := .Values.image | default dict -}}
{{- $default := dict "repository" (printf "%s-operator" ($service.repository | default "trainbooking")) "tag" $service.tag -}}
{{- include "trainbooking.imageOf" (list . (merge (dict) ((.Values.operator).image | default dict) $default)) }}
{{- end }}

{{- define "trainbooking.operator.pullPolicy" -}}
{{- ((.Values.operator).image).pullPolicy | default (include "trainbooking.pullPolicy" .) }}
{{- end }}

{{/* The environment variables of the operator that the chart sets. */}}
{{- define "trainbooking.operator.env" -}}
{{- with .Values.operator -}}
- {name: TRAINBOOKING_OPERATOR_SERVICE_URL, value: {{ include "trainbooking.url" $ | quote }}}
# Read for each request.
- {name: TRAINBOOKING_OPERATOR_SERVICE_TOKEN_FILE, value: {{ include "trainbooking.secretsDir" $ }}/service-token}
{{- with include "trainbooking.serviceCA" $ }}
- {name: TRAINBOOKING_OPERATOR_SERVICE_CA, value: {{ . }}}
{{- end }}
- {name: TRAINBOOKING_OPERATOR_SERVICE_NAME, value: {{ include "trainbooking.operator.serviceName" $ | quote }}}
- {name: TRAINBOOKING_OPERATOR_LEASE_NAME, value: {{ include "trainbooking.operator.fullname" $ | quote }}}
{{- with .class }}
- {name: TRAINBOOKING_OPERATOR_CLASS, value: {{ . | quote }}}
{{- end }}
{{- with .watchNamespaces }}
- {name: TRAINBOOKING_OPERATOR_WATCH_NAMESPACES, value: {{ join "," . | quote }}}
{{- end }}
{{- with .resync }}
- {name: TRAINBOOKING_OPERATOR_RESYNC, value: {{ . | quote }}}
{{- end }}
- {name: TRAINBOOKING_OPERATOR_METRICS_LISTEN, value: {{ ternary ":8443" "0" (dig "metrics" true .) | quote }}}
- {name: TRAINBOOKING_OPERATOR_HEALTH_LISTEN, value: ":8081"}
- {name: TRAINBOOKING_OPERATOR_LOG_FORMAT, value: {{ $.Values.logFormat | default "json" | quote }}}
- {name: TRAINBOOKING_OPERATOR_LOG_LEVEL, value: {{ $.Values.logLevel | default "info" | quote }}}
{{- with ((.resources).limits).memory }}
- {name: GOMEMLIMIT, value: {{ include "trainbooking.memoryLimit" . | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{/* The subjects of the operator's role bindings. */}}
{{- define "trainbooking.operator.subjects" }}
subjects:
  - kind: ServiceAccount
    name: {{ include "trainbooking.operator.serviceAccountName" . | quote }}
    namespace: {{ include "trainbooking.namespace" . | quote }}
{{- end }}

{{/* The name of the service in status.service. */}}
{{- define "trainbooking.operator.serviceName" -}}
{{- include "trainbooking.namespace" . }}/{{ include "trainbooking.fullname" . }}
{{- end }}

{{/* The operator's rights in the namespaces that it watches. */}}
{{- define "trainbooking.operator.trainRules" }}
rules:
  - apiGroups: [trainbooking.dev]
    resources: [trains, trainschedules]
    verbs: [get, list, watch, patch]
  - apiGroups: [trainbooking.dev]
    resources: [trains/status, trainschedules/status]
    verbs: [patch]
  - apiGroups: [trainbooking.dev]
    resources: [trains/finalizers, trainschedules/finalizers]
    verbs: [update]
  - apiGroups: [events.k8s.io]
    resources: [events]
    verbs: [create, patch]
{{- end }}
