{{/* Annotations of an object of the hook before deletion: include "bidlock.uninstallHook" "-10" */}}
{{- define "bidlock.uninstallHook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
helm.sh/hook-output-log-policy: hook-failed
{{- end }}
