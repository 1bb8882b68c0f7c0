{{/* Annotations of an object of `helm test`: include "bidlock.testHook" "-10" */}}
{{- define "bidlock.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
{{- end }}
