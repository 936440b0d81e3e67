package cluster

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Namespace is where the DaemonSets are.
const Namespace = "bench"

// Account is who every contender is. There is one contender at a time, and the same rights, priority and way to log in
// for each: service accounts of kube-system are served at the priority that controllers have.
const Account = "bench-contender"

const accountUser = "system:serviceaccount:" + metav1.NamespaceSystem + ":" + Account

// accountLimit is how long the control plane may take to give the namespace its default account.
const accountLimit = time.Minute

func isThere(err error) bool { return apierrors.IsAlreadyExists(err) }

// prepare makes the namespace and the account.
func (c *Cluster) prepare(ctx context.Context) error {
	_, err := c.Client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}}, anew)
	if err := created("namespace "+Namespace, err); err != nil {
		return err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: Account}}
	_, err = c.Client.CoreV1().ServiceAccounts(metav1.NamespaceSystem).Create(ctx, account, anew)
	if err := created("service account "+Account, err); err != nil {
		return err
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: Account},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: metav1.NamespaceSystem, Name: Account}},
	}
	_, err = c.Client.RbacV1().ClusterRoleBindings().Create(ctx, binding, anew)
	if err := created("cluster role binding "+Account, err); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, accountLimit)
	defer cancel()
	for {
		_, err := c.Client.CoreV1().ServiceAccounts(Namespace).Get(limited, "default", metav1.GetOptions{})
		if err == nil {
			return nil
		}
		select {
		case <-limited.Done():
			return fmt.Errorf("namespace %s has no default account, without which it takes no Pods: %w", Namespace, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Kubeconfig writes the access of the contender and gives the file.
func (c *Cluster) Kubeconfig(ctx context.Context) (string, error) {
	day := int64(24 * time.Hour / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &day}}
	answer, err := c.Client.CoreV1().ServiceAccounts(metav1.NamespaceSystem).CreateToken(ctx, Account, request, anew)
	if err != nil {
		return "", fmt.Errorf("token of service account %s: %w", Account, err)
	}
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["bench"] = &clientcmdapi.Cluster{Server: c.Config.Host, CertificateAuthorityData: c.Config.CAData}
	cfg.AuthInfos["bench"] = &clientcmdapi.AuthInfo{Token: answer.Status.Token}
	cfg.Contexts["bench"] = &clientcmdapi.Context{Cluster: "bench", AuthInfo: "bench"}
	cfg.CurrentContext = "bench"
	path := c.File("contender.kubeconfig")
	return path, clientcmd.WriteToFile(*cfg, path)
}
