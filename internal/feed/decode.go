package feed

import (
	"bytes"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	typedappsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// API is what objects are read from.
type API struct {
	Core typedcorev1.CoreV1Interface
	Apps typedappsv1.AppsV1Interface
}

// Connect makes an API whose Nodes and Pods have the fields that are read here, and no others: of those, nothing that comes from it
// may be written back. What it tells comes over one connection, so that of two kinds, what happened first is known first.
func Connect(cfg *rest.Config) (API, error) {
	cfg = rest.CopyConfig(cfg)
	patiently(cfg)
	if cfg.UserAgent == "" {
		cfg.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	connection, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return API{}, err
	}
	apps, err := typedappsv1.NewForConfigAndClient(cfg, connection)
	if err != nil {
		return API{}, err
	}
	cfg.APIPath, cfg.GroupVersion = "/api", &corev1.SchemeGroupVersion
	cfg.NegotiatedSerializer = newSifting(rest.CodecFactoryForGeneratedClient(scheme.Scheme, scheme.Codecs).WithoutConversion())
	core, err := rest.RESTClientForConfigAndClient(cfg, connection)
	if err != nil {
		return API{}, err
	}
	return API{Core: typedcorev1.New(core), Apps: apps}, nil
}

// sifting is a serializer that reads Nodes and Pods through a sieve.
type sifting struct {
	runtime.NegotiatedSerializer
	types []runtime.SerializerInfo
}

func newSifting(s runtime.NegotiatedSerializer) sifting {
	types := slices.Clone(s.SupportedMediaTypes())
	for i := range types {
		if stream := types[i].StreamSerializer; stream != nil && types[i].MediaType == runtime.ContentTypeProtobuf {
			sifted := *stream
			sifted.Serializer = eventSifter{stream.Serializer}
			types[i].StreamSerializer = &sifted
		}
	}
	return sifting{s, types}
}

// SupportedMediaTypes are the same, but the objects in events of watches are sifted before they are copied out of what came.
func (s sifting) SupportedMediaTypes() []runtime.SerializerInfo { return s.types }

type eventSifter struct{ runtime.Serializer }

func (s eventSifter) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	if sifted, err := eventSieve.appendTo((*buffer)[:0], data); err == nil {
		*buffer = sifted
		data = sifted // decoding copies
	}
	return s.Serializer.Decode(data, defaults, into)
}

// DecoderToVersion makes the decoder of objects, alone or in lists and watches.
func (s sifting) DecoderToVersion(d runtime.Decoder, v runtime.GroupVersioner) runtime.Decoder {
	return sifter{s.NegotiatedSerializer.DecoderToVersion(d, v)}
}

type sifter struct{ runtime.Decoder }

// Decode decodes what a sieve leaves. Whatever it cannot make sense of is decoded as it is, and judged by the decoder.
func (s sifter) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	if sifted, ok := sift((*buffer)[:0], data); ok {
		*buffer = sifted
		data = sifted // decoding copies
	}
	return s.Decoder.Decode(data, defaults, into)
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// magic begins what the API server sends as application/vnd.kubernetes.protobuf; a runtime.Unknown follows.
var magic = []byte("k8s\x00")

var sieves = map[string]*sieve{"Pod": podSieve, "PodList": listOf(podSieve), "Node": nodeSieve, "NodeList": listOf(nodeSieve)}

// sift appends to dst what matters of an object; ok is false where the whole has to be read.
func sift(dst, data []byte) (out []byte, ok bool) {
	message, ok := bytes.CutPrefix(data, magic)
	if !ok {
		return nil, false
	}
	beneath := sieves[kindOf(message)]
	if beneath == nil {
		return nil, false
	}
	out, err := (&sieve{fields: fields{1: nil, 2: beneath, 3: nil, 4: nil}}).appendTo(append(dst, magic...), message)
	return out, err == nil
}

// kindOf is the kind that a runtime.Unknown says that it holds, if that is the first thing it says; else empty.
func kindOf(unknown []byte) string {
	var meta runtime.TypeMeta
	if err := meta.Unmarshal(first(unknown)); err != nil {
		return ""
	}
	return meta.Kind
}
