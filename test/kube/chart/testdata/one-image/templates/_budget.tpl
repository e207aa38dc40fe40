{{/* A PodDisruptionBudget of a component without its limit: (list . "server" name). */}}
{{- define "trainbooking.budget" -}}
{{- $ := index . 0 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "trainbooking.metadata" . | nindent 2 }}
spec:
  # A pod that is not ready must not block the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "trainbooking.selectorLabels" (list $ (index . 1)) | nindent 6 }}
{{- end }}
