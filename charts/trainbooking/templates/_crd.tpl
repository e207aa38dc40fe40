{{/* What to do if a CRD belongs to another release, or to none: (list name (list release namespace)). */}}
{{- define "trainbooking.foreignCRD" -}}
{{- $owner := index . 1 -}}
the CRD {{ index . 0 }} belongs to {{ if first $owner }}the release {{ first $owner }} in the namespace {{ last $owner }}{{ else }}no release{{ end }}.

Set crds.enabled=false in this release. If the CRDs should not stay with their owner, for example because it was
uninstalled or because there are several releases, install the chart trainbooking-crds with --take-ownership. It
deletes no schedule and no train.
{{- end }}
