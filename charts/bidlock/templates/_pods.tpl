{{/* What the pods of the operator and of the Jobs have in common. */}}

{{- define "bidlock.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "bidlock.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where a pod may run. */}}
{{- define "bidlock.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "bidlock.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The operator's settings, for the operator and for its Jobs. */}}
{{- define "bidlock.settings" -}}
- name: BIDLOCK_OPERATOR_NAMESPACES
  value: {{ include "bidlock.watchNamespaces" . | fromJsonArray | join "," | quote }}
- name: BIDLOCK_OPERATOR_LOG_FORMAT
  value: {{ .Values.log.format }}
- name: BIDLOCK_OPERATOR_LOG_LEVEL
  value: {{ .Values.log.level }}
- name: BIDLOCK_OPERATOR_API_TIMEOUT
  value: {{ .Values.apiTimeoutSeconds | quote }}
{{- end }}

{{/*
The pod of a Job that runs one command of the operator's image:
include "bidlock.jobPod" (dict "root" . "component" "uninstall" "serviceAccount" "…" "arguments" (list …) "mounts" "…" "volumes" "…")
*/}}
{{- define "bidlock.jobPod" -}}
metadata:
  labels:
    {{- include "bidlock.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  serviceAccountName: {{ .serviceAccount }}
  restartPolicy: Never
  {{- include "bidlock.imagePullSecrets" .root | nindent 2 }}
  {{- include "bidlock.placement" .root | nindent 2 }}
  securityContext:
    {{- include "bidlock.podSecurityContext" .root | nindent 4 }}
  containers:
    - name: {{ .component }}
      image: {{ include "bidlock.image" (list .root .root.Values.image) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args:
        {{- toYaml .arguments | nindent 8 }}
      env:
        {{- include "bidlock.settings" .root | nindent 8 }}
        {{- with .root.Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      resources:
        {{- toYaml .root.Values.resources | nindent 8 }}
      securityContext:
        {{- include "bidlock.containerSecurityContext" .root | nindent 8 }}
      {{- with .configMap }}
      volumeMounts:
        - name: files
          mountPath: /etc/bidlock
          readOnly: true
  volumes:
    - name: files
      configMap:
        name: {{ . }}
      {{- end }}
{{- end }}
