{{/* The name of an image: include "bidlock.image" (list . .Values.image). */}}
{{- define "bidlock.image" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- with $root.Values.global.imageRegistry | default $image.registry }}{{ . }}/{{ end }}
{{- $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}
