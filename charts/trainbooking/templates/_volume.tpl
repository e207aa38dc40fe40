{{/* A PersistentVolumeClaim: (list . component name section). The storage class "-" is the empty one, which provisions nothing. */}}
{{- define "trainbooking.volumeClaim" -}}
{{- $claim := index . 3 -}}
{{- $annotations := dig "keep" true $claim | ternary (dict "helm.sh/resource-policy" "keep") dict -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "trainbooking.metadata" (list (index . 0) (index . 1) (index . 2) $annotations) | nindent 2 }}
spec:
  accessModes: [{{ $claim.accessMode | default "ReadWriteOnce" | quote }}]
  {{- with $claim.storageClass }}
  storageClassName: {{ eq . "-" | ternary "" . | quote }}
  {{- end }}
  resources:
    requests: {storage: {{ $claim.size | default "8Gi" | quote }}}
{{- end }}
