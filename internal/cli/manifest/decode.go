package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	kjson "sigs.k8s.io/json"
)

// problem is a field that cannot be as it is written.
type problem struct {
	field, why string
}

// decode reads a DaemonSet and takes no field that it does not know.
func decode(raw []byte) (*appsv1.DaemonSet, *problem) {
	if p := badQuantity(raw); p != nil {
		return nil, p
	}
	ds := &appsv1.DaemonSet{}
	strict, err := kjson.UnmarshalStrict(raw, ds)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		value, _, _ := strings.Cut(wrongType.Value, " ") // "number 5" is a number
		return nil, &problem{wrongType.Field, fmt.Sprintf("%s stands where %s belongs", articles[value], kindText(wrongType))}
	case err != nil:
		return nil, &problem{"", err.Error()}
	case len(strict) > 0:
		return nil, strictProblem(strict[0].Error())
	}
	return ds, nil
}

// strictProblem reads `unknown field "spec.x"`.
func strictProblem(text string) *problem {
	what, rest, found := strings.Cut(text, ` "`)
	if !found {
		return &problem{"", text}
	}
	field := strings.TrimSuffix(rest, `"`)
	if what == "unknown field" {
		return &problem{field, "there is no such field in a DaemonSet of apps/v1"}
	}
	return &problem{field, what}
}

// articles name the kinds of values that JSON has.
var articles = map[string]string{
	"array": "a list", "object": "an object", "string": "a string", "number": "a number", "bool": "true or false", "null": "nothing",
}

func kindText(e *json.UnmarshalTypeError) string {
	switch name := e.Type.String(); {
	case strings.HasPrefix(name, "[]"):
		return "a list"
	case strings.HasPrefix(name, "map["), strings.Contains(name, "."):
		return "an object"
	case strings.Contains(name, "int"):
		return "a number"
	case name == "bool":
		return "true or false"
	default:
		return "a " + name
	}
}

// badQuantity finds an amount that does not parse: the decoder names no field for it.
func badQuantity(raw []byte) *problem {
	var o struct {
		Spec struct {
			Template struct {
				Spec map[string]any `json:"spec"`
			} `json:"template"`
		} `json:"spec"`
	}
	if json.Unmarshal(raw, &o) != nil {
		return nil // the strict decoder tells it better
	}
	for _, list := range []string{"initContainers", "containers"} {
		items, _ := o.Spec.Template.Spec[list].([]any)
		for i, item := range items {
			c, _ := item.(map[string]any)
			resources, _ := c["resources"].(map[string]any)
			for _, kind := range []string{"limits", "requests"} {
				amounts, _ := resources[kind].(map[string]any)
				for _, name := range slices.Sorted(maps.Keys(amounts)) {
					text := fmt.Sprint(amounts[name])
					if _, err := resource.ParseQuantity(text); err != nil {
						return &problem{
							fmt.Sprintf("spec.template.spec.%s[%d].resources.%s.%s", list, i, kind, name),
							fmt.Sprintf("%q is no amount: write 100m, 2, 64Mi or 1Gi", text),
						}
					}
				}
			}
		}
	}
	return nil
}
