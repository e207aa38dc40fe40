{{/* A budget for a component, up to how many: (list . "server" name). */}}
{{- define "trainbooking.budget" -}}
{{- $ := index . 0 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "trainbooking.metadata" . | nindent 2 }}
spec:
  # A pod that is not ready serves nobody: it must not hold up the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "trainbooking.selectorLabels" (list $ (index . 1)) | nindent 6 }}
{{- end }}
