package feed

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
)

// sieve tells which fields of a protobuf message are read: whole, where the sieve beneath is nil, or in part. Everything else is cut out
// before the message is decoded, which is where most of a controller's time would go: a Pod has some hundred fields, and twenty matter.
type sieve struct {
	fields fields
	// only, if set, is what the first field has to say for the message to be read at all.
	only string
	// object: the message is an object with its kind, as the API server sends it, and its kind has the sieve.
	object bool
}

type fields map[protowire.Number]*sieve

// Field numbers are those of generated.proto in k8s.io/api and k8s.io/apimachinery.
var (
	metaSieve = &sieve{fields: fields{
		1: nil, 3: nil, 5: nil, 6: nil, // name, namespace, uid, resourceVersion
		8: nil, 9: nil, // creationTimestamp, deletionTimestamp
		11: nil, 12: nil, 13: nil, // labels; annotations, for the bookmark that ends a list; ownerReferences
	}}
	readySieve     = &sieve{only: string(corev1.PodReady), fields: fields{1: nil, 2: nil, 4: nil}} // type, status, lastTransitionTime
	containerSieve = &sieve{fields: fields{6: nil, 8: nil, 24: nil}}                               // ports, resources, restartPolicy
	podSieve       = &sieve{fields: fields{
		1: metaSieve,
		2: {fields: fields{ // containers, initContainers, nodeName, hostNetwork, affinity, priority, overhead, resources
			2: containerSieve, 20: containerSieve, 10: nil, 11: nil, 18: nil, 25: nil, 32: nil, 40: nil,
		}},
		3: {fields: fields{1: nil, 2: readySieve, 3: nil, 4: nil}}, // phase, conditions, message, reason
	}}
	nodeReadySieve = &sieve{only: string(corev1.NodeReady), fields: fields{1: nil, 2: nil}} // type, status
	nodeSieve      = &sieve{fields: fields{
		1: metaSieve,
		2: {fields: fields{5: nil}},                    // taints
		3: {fields: fields{2: nil, 4: nodeReadySieve}}, // allocatable, conditions
	}}
)

// eventSieve is that of an event of a watch, whose second field holds an object.
var eventSieve = &sieve{fields: fields{1: nil, 2: {fields: fields{1: {object: true}}}}}

// listOf is the sieve of a list of such objects.
func listOf(item *sieve) *sieve { return &sieve{fields: fields{1: nil, 2: item}} }

// errNoMessage tells that the bytes are no message of protobuf.
var errNoMessage = errors.New("no protobuf message")

// appendTo appends to dst what the sieve leaves of src.
func (s *sieve) appendTo(dst, src []byte) ([]byte, error) {
	if s.object {
		if sifted, ok := sift(dst, src); ok {
			return sifted, nil
		}
		return append(dst, src...), nil
	}
	for len(src) > 0 {
		number, kind, tag := protowire.ConsumeTag(src)
		if tag < 0 {
			return nil, errNoMessage
		}
		size := protowire.ConsumeFieldValue(number, kind, src[tag:])
		if size < 0 {
			return nil, errNoMessage
		}
		field := src[:tag+size]
		src = src[tag+size:]
		beneath, ok := s.fields[number]
		switch {
		case !ok:
		case beneath == nil || kind != protowire.BytesType:
			dst = append(dst, field...)
		default:
			value, _ := protowire.ConsumeBytes(field[tag:])
			if beneath.only != "" && string(first(value)) != beneath.only {
				continue
			}
			var err error
			if dst, err = beneath.appendMessage(append(dst, field[:tag]...), value); err != nil {
				return nil, err
			}
		}
	}
	return dst, nil
}

// first is what field 1 of a message holds, if it comes first and is text or a message; else nothing.
func first(message []byte) []byte {
	number, kind, tag := protowire.ConsumeTag(message)
	if tag < 0 || number != 1 || kind != protowire.BytesType {
		return nil
	}
	value, n := protowire.ConsumeBytes(message[tag:])
	if n < 0 {
		return nil
	}
	return value
}

// lengthSize is how many bytes a length is written in: as it is known last, it is padded to the longest that occurs.
const lengthSize = 5

// appendMessage appends a length and what the sieve leaves of a message.
func (s *sieve) appendMessage(dst, message []byte) ([]byte, error) {
	at := len(dst)
	dst = append(dst, make([]byte, lengthSize)...)
	dst, err := s.appendTo(dst, message)
	if err != nil {
		return nil, err
	}
	n := len(dst) - at - lengthSize
	for i := range lengthSize {
		dst[at+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	dst[at+lengthSize-1] &= 0x7f
	return dst, nil
}
