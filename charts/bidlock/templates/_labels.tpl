{{- define "bidlock.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bidlock.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of the operator's pods alone; Jobs have another component. */}}
{{- define "bidlock.operatorLabels" -}}
{{ include "bidlock.selectorLabels" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "bidlock.labels" -}}
{{ include "bidlock.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}
