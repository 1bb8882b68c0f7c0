{{/* What NOTES.txt says of values that are allowed and risky. Each warning says what may happen and what to do. */}}
{{- define "bidlock.warnings" -}}
{{- $monitoring := .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}
{{- if eq (int .Values.replicas) 1 }}
WARNING: replicas is 1: while that pod moves, nothing heals and no phase moves on. Two are better.
{{- end }}
{{- if and .Values.crds.enabled (not .Values.crds.keep) }}
WARNING: crds.keep is false: `helm uninstall` deletes every policy in the cluster, and with them their bidders and their Redis. The volumes stay.
{{- end }}
{{- if not .Values.crds.enabled }}
WARNING: crds.enabled is false: somebody else has to install and upgrade the CustomResourceDefinition bidlockpolicies.bidlock.io.
{{- end }}
{{- if not .Values.uninstallHook.enabled }}
WARNING: uninstallHook.enabled is false: after `helm uninstall` a policy that is deleted, and its namespace, stay in Terminating until an operator is installed again.
{{- end }}
{{- if not .Values.rbac.create }}
WARNING: rbac.create is false: the ServiceAccount {{ include "bidlock.serviceAccountName" . }} needs every right that `helm template` shows with rbac.create=true.
{{- end }}
{{- range $name, $image := dict "image" .Values.image "agent.image" .Values.agent.image "redis.image" .Values.redis.image }}
{{- if and (eq ($image.tag | toString) "latest") (not $image.digest) }}
WARNING: {{ $name }}.tag is latest: pods that start at different times may run different versions. Give a version or a digest.
{{- end }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled (not $monitoring) }}
WARNING: serviceMonitor.enabled is true, but the cluster knows no kind ServiceMonitor; none was made. Install the Prometheus operator and upgrade.
{{- end }}
{{- if and .Values.prometheusRule.enabled (not $monitoring) }}
WARNING: prometheusRule.enabled is true, but the cluster knows no kind PrometheusRule; none was made. Install the Prometheus operator and upgrade.
{{- end }}
{{- end }}
