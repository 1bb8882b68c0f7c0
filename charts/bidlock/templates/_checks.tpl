{{/* What the schema cannot say: values that contradict each other. Each message says what to change. */}}
{{- define "bidlock.check" -}}
{{- if and (eq .Values.scope "Cluster") .Values.watchNamespaces }}
{{- fail "watchNamespaces is given while scope is Cluster: set scope=Namespaces to work in those alone, or empty watchNamespaces" }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create is false: name the account that exists in serviceAccount.name" }}
{{- end }}
{{- $watched := include "bidlock.watchNamespaces" . | fromJsonArray }}
{{- $seen := dict }}
{{- range $index, $policy := .Values.policies }}
{{- $namespace := $policy.namespace | default (include "bidlock.namespace" $) }}
{{- if and $watched (not (has $namespace $watched)) }}
{{- fail (printf "policies[%d]: the operator does not work in namespace %s; add it to watchNamespaces, or give another one" $index $namespace) }}
{{- end }}
{{- $key := printf "%s/%s" $namespace $policy.name }}
{{- if hasKey $seen $key }}
{{- fail (printf "policies[%d]: %s is listed twice" $index $key) }}
{{- end }}
{{- $_ := set $seen $key true }}
{{- end }}
{{- end }}
