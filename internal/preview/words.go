package preview

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/json"
)

// keyFields are the lists whose items are known by one of their fields.
var keyFields = map[string]string{
	"containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "imagePullSecrets": "name", "resourceClaims": "name",
	"volumeMounts": "mountPath", "volumeDevices": "devicePath", "hostAliases": "ip", "items": "key",
}

// keysOf gives a list's items their keys; ok is false where items have none or share one.
func keysOf(field string, list []any) (keys []string, ok bool) {
	seen := map[string]bool{}
	for _, item := range list {
		m, isMap := item.(map[string]any)
		if !isMap {
			return nil, false
		}
		var key string
		switch field {
		case "ports":
			key = portText(m)
		case "tolerations":
			key = tolerationText(m)
		default:
			key, _ = m[keyFields[field]].(string)
		}
		if key == "" || seen[key] {
			return nil, false
		}
		seen[key] = true
		keys = append(keys, key)
	}
	return keys, true
}

func portText(m map[string]any) string {
	protocol, _ := m["protocol"].(string)
	if protocol == "" {
		protocol = "TCP"
	}
	return fmt.Sprint(m["containerPort"]) + "/" + protocol
}

// tolerationText names a toleration by all of it, so that another one is another item.
func tolerationText(m map[string]any) string {
	str := func(k string) string { s, _ := m[k].(string); return s }
	text := str("key")
	if text == "" {
		text = "any taint"
	}
	switch op := str("operator"); op {
	case "Exists":
	case "", "Equal":
		text += "=" + str("value")
	default:
		text += " " + op + " " + str("value")
	}
	if effect := str("effect"); effect != "" {
		text += ":" + effect
	}
	if s, ok := m["tolerationSeconds"]; ok {
		text += fmt.Sprintf(" for %vs", s)
	}
	return text
}

// nouns are fields in people's words; a field that is not here is called by its name.
var nouns = map[string]string{
	"containers": "container", "initContainers": "init container", "volumes": "volume", "env": "env", "ports": "port", "volumeMounts": "mount",
	"tolerations": "toleration", "nodeSelector": "node selector", "livenessProbe": "liveness probe", "readinessProbe": "readiness probe",
	"startupProbe": "startup probe", "imagePullPolicy": "image pull policy", "priorityClassName": "priority class", "hostNetwork": "host network",
	"updateStrategy": "update strategy", "hostPort": "host port", "serviceAccountName": "service account", "securityContext": "security context",
	"terminationGracePeriodSeconds": "grace period in seconds", "imagePullSecrets": "image pull secret", "requiredDuringSchedulingIgnoredDuringExecution": "required",
	"preferredDuringSchedulingIgnoredDuringExecution": "preferred", "nodeSelectorTerms": "terms",
	"nodeAffinity": "node affinity", "podAffinity": "Pod affinity", "podAntiAffinity": "Pod anti-affinity", "matchLabels": "selector", "hostPID": "host PID", "hostIPC": "host IPC",
}

// silent fields say nothing that what follows them does not.
var silent = map[string]bool{
	"spec": true, "template": true, "metadata": true, "resources": true, "rollingUpdate": true, "selector": true, "affinity": true,
}

// words name a path in people's words.
func words(path []step) string {
	var out []string
	for i, s := range path {
		if isSilent(path, i) {
			continue
		}
		word := s.field
		if noun := nouns[s.field]; noun != "" {
			word = noun
		}
		if s.field == "labels" || s.field == "annotations" {
			if word = strings.TrimSuffix(s.field, "s"); inTemplate(path) {
				word = "Pod " + word
			}
		}
		word = strings.TrimSpace(word + " " + s.key)
		if i < len(path)-1 && (s.field == "containers" || s.field == "initContainers") {
			word += ":"
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

// isSilent tells whether a part of a path says nothing that the others do not.
func isSilent(path []step, i int) bool {
	field, last := path[i].field, i == len(path)-1
	before := ""
	if i > 0 {
		before = path[i-1].field
	}
	switch field {
	case "updateStrategy":
		return !last && path[i+1].field == "rollingUpdate"
	case "type":
		return before == "updateStrategy"
	case "value":
		return before == "env"
	}
	return silent[field] && !last
}

func subject(path []step) string { return words(path) + ": " }

func fieldText(path []step) string {
	var b strings.Builder
	for i, s := range path {
		if s.field != "" {
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.field)
		}
		if s.key != "" {
			b.WriteString("[" + s.key + "]")
		}
	}
	return b.String()
}

func newChange(path []step, a, b any) Change {
	c := Change{Field: fieldText(path), Template: inTemplate(path)}
	if a != nil {
		c.Old = valueText(a)
	}
	if b != nil {
		c.New = valueText(b)
	}
	switch name := words(path); {
	case a == nil:
		c.Text = name + " added" + inBrackets(path, b)
	case b == nil:
		c.Text = name + " removed" + inBrackets(path, a)
	default:
		c.Text = name + " " + short(c.Old) + " → " + short(c.New)
	}
	return c
}

// inBrackets adds what is worth telling of something that comes or goes.
func inBrackets(path []step, v any) string {
	m, isMap := v.(map[string]any)
	switch s := last(path); {
	case !isMap:
		return ": " + short(valueText(v))
	case s.field == "containers" || s.field == "initContainers":
		return fmt.Sprintf(": image %v", m["image"])
	case s.field == "env" && m["value"] != nil:
		return ": " + short(valueText(m["value"]))
	case s.field == "ports" && m["hostPort"] != nil:
		return fmt.Sprintf(": host port %v", m["hostPort"])
	case s.field == "tolerations":
		return ""
	case s.field == "volumeMounts":
		return fmt.Sprintf(": volume %v", m["name"])
	}
	rest := make(map[string]any, len(m))
	for k, v := range m {
		if k != keyFields[last(path).field] {
			rest[k] = v
		}
	}
	return ": " + short(valueText(rest))
}

// short cuts a long value; the whole is in Change.Old and New.
func short(text string) string {
	const most = 72
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// valueText shows a value: plain words as they are, everything else as JSON.
func valueText(v any) string {
	if s, ok := v.(string); ok {
		if s != "" && !strings.ContainsAny(s, " \t\n\r\"→") {
			return s
		}
		return strconv.Quote(s)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // it came from JSON, so this cannot be
	}
	return string(text)
}
