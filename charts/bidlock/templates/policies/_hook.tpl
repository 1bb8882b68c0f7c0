{{/* Annotations of an object of the hook after install and upgrade: include "bidlock.policiesHook" "-10" */}}
{{- define "bidlock.policiesHook" -}}
helm.sh/hook: post-install,post-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
helm.sh/hook-output-log-policy: hook-failed
{{- end }}
