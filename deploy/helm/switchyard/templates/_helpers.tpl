{{- define "switchyard.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "switchyard.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "switchyard.labels" -}}
{{ include "switchyard.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "switchyard.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "switchyard.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{- define "switchyard.secret" -}}
{{- .Values.existingSecret | default (printf "%s-secrets" (include "switchyard.fullname" .)) -}}
{{- end }}

{{- define "switchyard.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/* The fleet file: what the chart knows, and over it what the values say. */}}
{{- define "switchyard.fleet" -}}
{{- $name := include "switchyard.fullname" . -}}
{{- $fleet := deepCopy .Values.fleet -}}
{{- $server := $fleet.server | default dict -}}
{{- $admin := $fleet.admin | default dict -}}
{{- if not $fleet.backends -}}
{{- fail "fleet.backends is empty: a router needs at least one" -}}
{{- end -}}
{{- if hasKey $server "drain_timeout" -}}
{{- fail "set drainTimeoutSeconds, not fleet.server.drain_timeout: the grace period of the pods depends on it" -}}
{{- end -}}
{{- if or (hasKey $server "listen") (hasKey $admin "listen") -}}
{{- fail "fleet.server.listen and fleet.admin.listen are the chart's: leave them out, and set service.port and service.adminPort" -}}
{{- end -}}
{{- $serverDefaults := dict "listen" "0.0.0.0:8000" "metrics" false "drain_delay" "5s" "drain_timeout" (printf "%ds" (int .Values.drainTimeoutSeconds)) -}}
{{- $hosts := list "localhost" $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) -}}
{{- $adminDefaults := dict "listen" "0.0.0.0:9091" "allowed_hosts" $hosts -}}
{{- if not (or (hasKey $admin "token") (hasKey $admin "token_file")) -}}
{{- $_ := set $adminDefaults "token_file" "/run/secrets/switchyard/admin.token" -}}
{{- end -}}
{{- $_ := set $fleet "server" (mergeOverwrite $serverDefaults $server) -}}
{{- $_ := set $fleet "admin" (mergeOverwrite $adminDefaults $admin) -}}
{{- toYaml $fleet -}}
{{- end }}
