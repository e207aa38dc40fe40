{{/* The subjects of the operator's role bindings. */}}
{{- define "trainbooking.operator.subjects" }}
subjects:
  - kind: ServiceAccount
    name: {{ include "trainbooking.operator.serviceAccountName" . }}
    namespace: {{ include "trainbooking.namespace" . }}
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
