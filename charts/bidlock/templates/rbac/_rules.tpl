{{/*
What the operator may do in every namespace it works in. `bidlock_operator.preflight` asks for the same list, and a test
compares the two. Secrets are read by name alone: it can list none.
*/}}
{{- define "bidlock.rules" -}}
- apiGroups: [bidlock.io]
  resources: [bidlockpolicies]
  verbs: [get, list, watch, patch]
- apiGroups: [bidlock.io]
  resources: [bidlockpolicies/status]
  verbs: [patch]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, configmaps, persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* What it may do besides where it works in all namespaces: learn which kinds and namespaces there are. */}}
{{- define "bidlock.clusterRules" -}}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end }}

{{/* The binding of one role to one ServiceAccount: include "bidlock.binding" (dict "root" . "kind" "Role" "role" "…" "account" "…") */}}
{{- define "bidlock.binding" -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .role }}
subjects:
  - kind: ServiceAccount
    name: {{ .account }}
    namespace: {{ include "bidlock.namespace" .root }}
{{- end }}
