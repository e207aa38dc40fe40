{{/* Ingress to read metrics: (list port from). */}}
{{- define "trainbooking.policy.monitoring" -}}
- ports: [{port: {{ index . 0 }}}]
  {{- with index . 1 }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Egress to DNS, which uses TCP for long responses. */}}
{{- define "trainbooking.policy.dns" -}}
- ports:
    - {port: {{ .port }}, protocol: UDP}
    - {port: {{ .port }}, protocol: TCP}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Egress to a port of the given peers, or of any peer if none are given. */}}
{{- define "trainbooking.policy.to" -}}
- ports: [{port: {{ .port }}}]
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Egress to the service's pods. */}}
{{- define "trainbooking.policy.server" -}}
- ports: [{port: http}]
  to:
    - podSelector:
        matchLabels:
          {{- include "trainbooking.selectorLabels" (list . "server") | nindent 10 }}
{{- end }}
