{{/*
Rights of a Job on policies, wherever the operator works:
include "bidlock.policiesRoles" (dict "root" . "name" "…" "account" "…" "verbs" (list …) "annotations" "…")
*/}}
{{- define "bidlock.policiesRoles" -}}
{{- $cluster := eq .root.Values.scope "Cluster" }}
{{- $kind := $cluster | ternary "ClusterRole" "Role" }}
{{- $name := $cluster | ternary (printf "%s-%s" (include "bidlock.namespace" .root) .name) .name }}
{{- $namespaces := $cluster | ternary (list "") (include "bidlock.watchNamespaces" .root | fromJsonArray) }}
{{- range $namespace := $namespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $name }}
  {{- with $namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "bidlock.labels" $.root | nindent 4 }}
  annotations:
    {{- $.annotations | nindent 4 }}
rules:
  - apiGroups: [bidlock.io]
    resources: [bidlockpolicies]
    verbs: {{ toJson $.verbs }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ $name }}
  {{- with $namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "bidlock.labels" $.root | nindent 4 }}
  annotations:
    {{- $.annotations | nindent 4 }}
{{ include "bidlock.binding" (dict "root" $.root "kind" $kind "role" $name "account" $.account) }}
{{- end }}
{{- end }}
