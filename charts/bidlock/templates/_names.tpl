{{/* Names of objects. The longest suffix is "-policies" with a dot of margin: 40 + 20 stay below 63. */}}

{{- define "bidlock.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "bidlock.fullname" -}}
{{- $name := include "bidlock.name" . }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $full | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "bidlock.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{/* Of objects that belong to no namespace: two releases of one name in two namespaces may not meet. */}}
{{- define "bidlock.clusterName" -}}
{{- printf "%s-%s" (include "bidlock.namespace" .) (include "bidlock.fullname" .) }}
{{- end }}

{{- define "bidlock.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "bidlock.fullname" .) }}
{{- end }}

{{/* Namespaces in which the operator works, as a list in JSON; empty for all of them. */}}
{{- define "bidlock.watchNamespaces" -}}
{{- if eq .Values.scope "Cluster" }}
{{- list | toJson }}
{{- else }}
{{- .Values.watchNamespaces | default (list (include "bidlock.namespace" .)) | toJson }}
{{- end }}
{{- end }}
