package up

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// listening gives the TCP addresses on which a process listens, from the kernel's own tables.
func listening(t *testing.T, pid int) []address {
	t.Helper()
	inodes := sockets(t, pid)
	var out []address
	for _, table := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(data), "\n")[1:] {
			f := strings.Fields(line)
			const listen = "0A"
			if len(f) < 10 || f[3] != listen || !inodes[f[9]] {
				continue
			}
			a, err := parseAddress(f[1])
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, a)
		}
	}
	return out
}

// sockets are the inode numbers of the sockets that a process holds.
func sockets(t *testing.T, pid int) map[string]bool {
	t.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, l := range links {
		target, err := os.Readlink(l)
		if err != nil {
			continue // closed meanwhile
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			out[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return out
}

// parseAddress reads "0100007F:1F90": 32-bit words in the machine's (little-endian) order, then the port.
func parseAddress(s string) (address, error) {
	host, port, ok := strings.Cut(s, ":")
	if !ok {
		return address{}, fmt.Errorf("address %q", s)
	}
	raw, err := hex.DecodeString(host)
	if err != nil {
		return address{}, err
	}
	for i := 0; i+3 < len(raw); i += 4 {
		raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
	}
	p, err := strconv.ParseUint(port, 16, 16)
	return address{host: net.IP(raw).String(), port: uint16(p)}, err
}

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:0016":                         "0.0.0.0:22",
		"00000000000000000000000001000000:0050": "::1:80",
	} {
		if got, err := parseAddress(in); err != nil || got.String() != want {
			t.Errorf("parseAddress(%s) = %s, %v; want %s", in, got, err, want)
		}
	}
}
