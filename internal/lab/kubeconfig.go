package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// contextName names cluster, user and context in every kubeconfig that the lab writes.
const contextName = "everynode"

// ControllerExtension names the part of a kubeconfig's cluster that tells where its controller answers.
const ControllerExtension = "everynode.dev/controller"

// kubeconfig renders a file with everything in it, so that it works from any directory.
func kubeconfig(server string, caPEM []byte, c credential) ([]byte, error) {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[contextName] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: caPEM}
	cfg.AuthInfos[contextName] = &clientcmdapi.AuthInfo{ClientCertificateData: c.cert, ClientKeyData: c.key}
	cfg.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: contextName, Namespace: "default"}
	cfg.CurrentContext = contextName
	return clientcmd.Write(*cfg)
}

// withController adds where the lab's own controller tells what it knows, for everynode explain.
func withController(data []byte, socket string) ([]byte, error) {
	cfg, err := clientcmd.Load(data)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(map[string]string{"url": (&url.URL{Scheme: "unix", Path: socket}).String()})
	if err != nil {
		return nil, err
	}
	cfg.Clusters[contextName].Extensions = map[string]runtime.Object{ControllerExtension: &runtime.Unknown{Raw: text}}
	return clientcmd.Write(*cfg)
}

// clientConfig is kubeconfig's content for use in this process.
func clientConfig(server string, caPEM []byte, c credential) *rest.Config {
	return &rest.Config{
		Host:            server,
		TLSClientConfig: rest.TLSClientConfig{CAData: caPEM, CertData: c.cert, KeyData: c.key},
		QPS:             -1, // the API server's own fairness is the limit
	}
}

// tokenConfig is for a service account.
func tokenConfig(server string, caPEM []byte, token string) *rest.Config {
	return &rest.Config{
		Host:            server,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAData: caPEM},
		QPS:             -1,
	}
}

// claimKubeconfig locks the file's name and removes what a killed lab left there. A file that no lab wrote is
// somebody's access to a cluster: it is refused, never replaced.
func claimKubeconfig(path string) (*lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, kubeconfigError(path, err)
	}
	l, err := lockKubeconfig(path)
	if err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

func removeStale(path string) error {
	if _, err := os.Lstat(path); os.IsNotExist(err) {
		return nil
	}
	if !isOurs(path) {
		return &Error{
			Code:  CodeKubeconfig,
			What:  fmt.Sprintf("kubeconfig %s exists already", path),
			Why:   "it was not written by everynode up, so it may be your access to another cluster",
			Means: "it was not touched, and nothing was started",
			Next:  []Fix{{"use another", "everynode up --kubeconfig FILE"}, {"or remove it", "rm " + path}},
		}
	}
	if err := os.Remove(path); err != nil {
		return kubeconfigError(path, err)
	}
	return nil
}

// isOurs looks at the content, not a comment: kubectl drops comments when it edits the file.
func isOurs(path string) bool {
	cfg, err := clientcmd.LoadFromFile(path)
	if err != nil || len(cfg.Clusters) != 1 || len(cfg.AuthInfos) != 1 {
		return false
	}
	cluster, ok := cfg.Clusters[contextName]
	if !ok {
		return false
	}
	u, err := url.Parse(cluster.Server)
	return err == nil && u.Hostname() == "127.0.0.1"
}

func kubeconfigError(path string, err error) *Error {
	return &Error{
		Code:  CodeKubeconfig,
		What:  fmt.Sprintf("kubeconfig %s cannot be written", path),
		Why:   err.Error(),
		Means: "nothing is running",
		Next:  []Fix{{"use another", "everynode up --kubeconfig FILE"}},
		Err:   err,
	}
}
