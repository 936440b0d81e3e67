package lab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 365 * 24 * time.Hour // issued anew at each start
	clockSlack    = time.Hour
)

// serviceIP is the address that kube-apiserver gives the Service "kubernetes" in serviceRange.
const (
	serviceRange = "10.96.0.0/16"
	serviceIP    = "10.96.0.1"
)

// authority is the lab's own CA.
type authority struct {
	cert    *x509.Certificate
	certPEM []byte
	key     crypto.Signer
}

// credential is a certificate with its key, both PEM.
type credential struct{ cert, key []byte }

// pki is what the components need to know and trust each other. All files are 0600.
type pki struct {
	dir string
	ca  *authority
}

// openPKI makes the CA and the service account key, or takes those that a data directory holds: tokens and
// kubeconfigs of an earlier run stay valid.
func openPKI(dir string) (*pki, error) {
	ca, err := openAuthority(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, err
	}
	p := &pki{dir: dir, ca: ca}
	if _, err := openKey(p.file("sa.key")); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *pki) file(name string) string { return filepath.Join(p.dir, name) }

// serving writes the API server's certificate, for loopback and the names Pods would use.
func (p *pki) serving() error {
	c, err := p.ca.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.ParseIP(serviceIP)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return err
	}
	return errors.Join(writePrivate(p.file("apiserver.crt"), c.cert), writePrivate(p.file("apiserver.key"), c.key))
}

// client issues a client certificate for a user of the given groups.
func (p *pki) client(user string, groups ...string) (credential, error) {
	return p.ca.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (a *authority) issue(template x509.Certificate) (credential, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return credential{}, err
	}
	if err := stamp(&template, leafLife); err != nil {
		return credential{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, &template, a.cert, key.Public(), a.key)
	if err != nil {
		return credential{}, fmt.Errorf("issue certificate for %s: %w", template.Subject.CommonName, err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return credential{}, err
	}
	return credential{cert: encode("CERTIFICATE", der), key: keyPEM}, nil
}

func openAuthority(certFile, keyFile string) (*authority, error) {
	key, err := openKey(keyFile)
	if err != nil {
		return nil, err
	}
	certPEM, err := os.ReadFile(certFile)
	if errors.Is(err, os.ErrNotExist) {
		certPEM, err = selfSign(certFile, key)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(certPEM)
	if block == nil {
		return nil, damaged(certFile, errors.New("no PEM block"))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, damaged(certFile, err)
	}
	if public, ok := key.Public().(*ecdsa.PublicKey); !ok || !public.Equal(cert.PublicKey) {
		return nil, damaged(certFile, errors.New("it does not belong to "+filepath.Base(keyFile)))
	}
	return &authority{cert: cert, certPEM: certPEM, key: key}, nil
}

func selfSign(certFile string, key crypto.Signer) ([]byte, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "everynode lab"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	if err := stamp(template, authorityLife); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign the lab's own authority: %w", err)
	}
	out := encode("CERTIFICATE", der)
	return out, writePrivate(certFile, out)
}

// openKey reads the key in file, or makes one and writes it.
func openKey(file string) (crypto.Signer, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		if data, err = encodeKey(key); err != nil {
			return nil, err
		}
		return key, writePrivate(file, data)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, damaged(file, errors.New("no PEM block"))
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return nil, damaged(file, err)
	}
	return key, nil
}

// stamp sets what every certificate has: a serial number and a life that began a little ago.
func stamp(c *x509.Certificate, life time.Duration) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	now := time.Now()
	c.SerialNumber, c.NotBefore, c.NotAfter = serial, now.Add(-clockSlack), now.Add(life)
	return nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return encode("EC PRIVATE KEY", der), nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func damaged(file string, err error) *Error {
	return &Error{
		Code:  CodeData,
		What:  fmt.Sprintf("%s cannot be read", file),
		Why:   err.Error(),
		Means: "the data directory is damaged; nothing was started",
		Next:  []Fix{{"start anew", "everynode up --data-dir ANOTHER"}},
		Err:   err,
	}
}
