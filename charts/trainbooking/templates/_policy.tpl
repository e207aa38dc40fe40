{{/* Who may fetch metrics: (list port from). */}}
{{- define "trainbooking.policy.monitoring" -}}
- ports: [{port: {{ index . 0 }}}]
  {{- with index . 1 }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Names are asked for by UDP, and by TCP where the answer is long. */}}
{{- define "trainbooking.policy.dns" -}}
- ports:
    - {port: {{ .port }}, protocol: UDP}
    - {port: {{ .port }}, protocol: TCP}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* A port, there or anywhere. */}}
{{- define "trainbooking.policy.to" -}}
- ports: [{port: {{ .port }}}]
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* The pods of the service, which is what its Service leads to. */}}
{{- define "trainbooking.policy.server" -}}
- ports: [{port: http}]
  to:
    - podSelector:
        matchLabels:
          {{- include "trainbooking.selectorLabels" (list . "server") | nindent 10 }}
{{- end }}
