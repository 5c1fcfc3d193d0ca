package contract

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"fn-runtime/runtime/lithops"
)

// testCase is a configuration and the names to derive from it.
type testCase struct {
	Backend  lithops.Backend `json:"backend"`
	YAML     string          `json:"yaml"`
	Images   []string        `json:"images"`
	Memories []int           `json:"memories"`
	Cached   string          `json:"cached"` // content of the client's cache about the project, for code_engine
}

// generator generates configurations that a release accepts.
type generator struct {
	*rand.Rand
	version string
}

func (m generator) choose(from ...string) string { return from[m.IntN(len(from))] }

func (m generator) randomBool() bool { return m.IntN(2) == 0 }

const (
	keyChars  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	nameChars = "abcdefghijklmnopqrstuvwxyz0123456789"
)

func (m generator) word(chars string, low, high int) string {
	var b strings.Builder
	for n := low + m.IntN(high-low+1); n > 0; n-- {
		b.WriteByte(chars[m.IntN(len(chars))])
	}
	return b.String()
}

// image generates image names of all common forms: with and without registry, port, user and tag, and with underscores.
func (m generator) image() string {
	name := m.word(nameChars, 1, 12)
	if m.randomBool() {
		name += m.choose("_", "-", ".", "__") + m.word(nameChars, 1, 8)
	}
	if m.IntN(4) > 0 {
		name = m.word(nameChars, 2, 9) + "/" + name
	}
	if m.IntN(3) == 0 {
		name = m.choose("docker.io", "us.icr.io", "localhost:5000", "registry.example.com:443") + "/" + name
	}
	if m.randomBool() {
		name += ":" + m.choose("latest", "0.1", "v3_10", "1.0-rc1", "2026.11")
	}
	return name
}

func (m generator) before(version string) bool { return less(m.version, version) }

// less compares versions of three numbers.
func less(a, b string) bool {
	var x, y [3]int
	_, _ = fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2])
	_, _ = fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	for i := range x {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

// next generates one case. Every text is in double quotes, which YAML reads like JSON.
func (m generator) next() testCase {
	c := testCase{Backend: lithops.Backend(m.choose("ibm_cf", "openwhisk"))}
	if m.jobs() && m.randomBool() {
		c.Backend = lithops.CodeEngine
	}
	for range 5 {
		c.Images = append(c.Images, m.image())
		c.Memories = append(c.Memories, 128+m.IntN(16)*128)
	}
	c.Memories = c.Memories[:2]
	var sections []string
	section := func(name string, pairs ...string) {
		s := name + ":\n"
		for i := 0; i < len(pairs); i += 2 {
			s += fmt.Sprintf("  %s: %s\n", pairs[i], pairs[i+1])
		}
		sections = append(sections, s)
	}
	q := func(s string) string { return fmt.Sprintf("%q", s) }

	store, storePairs, lithopsPairs := m.storage(q, c.Backend)
	lithopsPairs = append(lithopsPairs, "storage", store)
	var runtimePairs []string
	switch {
	case c.Backend == lithops.CodeEngine:
		c.Memories = []int{[]int{256, 512}[m.IntN(2)], 1024 << m.IntN(6)}
		c.Cached = m.cached()
		if m.randomBool() { // pairs that the client accepts; the service rejects some of them
			runtimePairs = append(runtimePairs, "runtime_cpu", m.choose("0.5", "2", "8"), "runtime_memory", m.choose("4096", "8192", "24576"))
		}
	case m.randomBool():
		runtimePairs = append(runtimePairs, "runtime_memory", fmt.Sprint(128+m.IntN(8)*64))
	}
	if m.randomBool() {
		runtimePairs = append(runtimePairs, "runtime_timeout", fmt.Sprint(1+m.IntN(500)))
	}
	runtimePairs = append(runtimePairs, "runtime", q(m.image()))
	if m.before("2.3.5") {
		lithopsPairs = append(lithopsPairs, "mode", "serverless")
		section("serverless", append([]string{"backend", string(c.Backend)}, runtimePairs...)...)
		runtimePairs = nil
	} else {
		lithopsPairs = append(lithopsPairs, "backend", string(c.Backend))
	}
	section("lithops", lithopsPairs...)
	section(store, storePairs...)
	section(string(c.Backend), append(m.compute(q, c.Backend, &sections), runtimePairs...)...)
	c.YAML = strings.Join(sections, "")
	return c
}

// jobs reports whether the release supports the current Code Engine API.
func (m generator) jobs() bool { return !m.before("3.7.0") }

// projectID is the ID of the project in client.py.
const projectID = "11111111-2222-4333-8444-555555555555"

// cached generates possible content of the client's cache: nothing, its own project, a deleted project, or the
// Kubernetes namespace of an older release.
func (m generator) cached() string {
	id := m.choose("", projectID, projectID, "99999999-2222-4333-8444-555555555555")
	if id == "" {
		return ""
	}
	return "project_name: any\nproject_id: " + id + "\nnamespace: " + m.choose(id, "4svg40kna19") + "\n"
}

func (m generator) codeEngine(q func(string) string, sections *[]string) []string {
	ibm := "ibm:\n  iam_api_key: " + q(m.word(keyChars, 6, 44)) + "\n  resource_group_id: " + q(m.word(nameChars, 20, 32)) + "\n"
	region := m.choose("us-south", "eu-de", "eu-es", "br-sao")
	var pairs []string
	if m.randomBool() {
		pairs = append(pairs, "region", q(region))
	} else {
		ibm += "  region: " + q(region) + "\n"
	}
	for key, value := range map[string]string{
		"project_name": m.word(nameChars, 3, 12), "project_id": m.choose(projectID, "99999999-2222-4333-8444-555555555555"), "namespace": m.word(nameChars, 3, 12),
		"docker_user": m.word(nameChars, 3, 12), "docker_namespace": m.word(nameChars, 3, 12), "docker_server": m.choose("docker.io", "us.icr.io", "localhost:5000"),
		"iam_api_key": m.word(keyChars, 6, 44),
	} {
		if m.IntN(4) == 0 {
			pairs = append(pairs, key, q(value))
		}
	}
	*sections = append(*sections, ibm)
	return append(pairs, "max_workers", fmt.Sprint(1+m.IntN(1000)))
}

func (m generator) compute(q func(string) string, backend lithops.Backend, sections *[]string) []string {
	if backend == lithops.CodeEngine {
		return m.codeEngine(q, sections)
	}
	region := m.choose("us-south", "eu-de", "jp-tok", "us-east")
	endpoint := "https://" + region + ".functions.cloud.ibm.com"
	namespace := m.word(nameChars, 3, 12)
	if backend == lithops.OpenWhisk {
		return []string{"endpoint", q(m.choose(endpoint, "https://127.0.0.1:31001")), "namespace", q(m.choose(namespace, "guest", "_")),
			"api_key", q(m.word(nameChars, 8, 8) + "-" + m.word(nameChars, 4, 4) + ":" + m.word(keyChars, 30, 40))}
	}
	if m.before("3.0.0") {
		pairs := []string{"endpoint", q(endpoint), "namespace", q(namespace)}
		ibm, cf := m.randomBool(), m.randomBool()
		if cf || !ibm || m.before("2.2.4") { // this client manages tokens itself
			pairs = append(pairs, "api_key", q(m.word(nameChars, 8, 36)+":"+m.word(keyChars, 20, 64)))
		}
		if ibm {
			pairs = append(pairs, "namespace_id", q(m.word(nameChars, 20, 36)))
			*sections = append(*sections, "ibm:\n  iam_api_key: "+q(m.word(keyChars, 6, 44))+"\n")
		}
		return pairs
	}
	*sections = append(*sections, "ibm:\n  iam_api_key: "+q(m.word(keyChars, 6, 44))+"\n")
	pairs := []string{"namespace_id", q(m.word(nameChars, 20, 36))}
	if m.randomBool() {
		pairs = append(pairs, "endpoint", q(m.choose(endpoint, "https://localhost:18443", "https://private.eu-de.functions.cloud.ibm.com")))
	}
	if m.randomBool() || len(pairs) == 2 {
		pairs = append(pairs, "region", q(region))
	}
	if m.randomBool() {
		pairs = append(pairs, "namespace", q(namespace))
	}
	if m.IntN(4) == 0 {
		pairs = append(pairs, "iam_api_key", q(m.word(keyChars, 6, 44)))
	}
	if m.IntN(3) == 0 && !m.before("2.9.0") {
		pairs = append(pairs, "docker_server", q(m.choose("us.icr.io", "localhost:5000")))
	}
	return pairs
}

// storage returns the storage backend, its keys, and those of section "lithops".
func (m generator) storage(q func(string) string, backend lithops.Backend) (name string, pairs, global []string) {
	name = "ibm_cos"
	if !m.before("2.4.0") && m.randomBool() {
		name = m.choose("minio", "ceph")
	}
	bucket := m.word(nameChars, 3, 20)
	switch {
	case m.before("2.4.0"):
		global = append(global, "storage_bucket", q(bucket))
	case m.before("2.9.0"):
		global = append(global, "storage_bucket", q(bucket))
		if m.randomBool() {
			pairs = append(pairs, "storage_bucket", q(bucket+"-own"))
		}
	case m.before("3.0.0") || m.randomBool():
		pairs = append(pairs, "storage_bucket", q(bucket))
	}
	id, secret := "access_key_id", "secret_access_key"
	if name != "ibm_cos" {
		pairs = append(pairs, "endpoint", q(m.choose("http://127.0.0.1:9000", "https://s3.example.com")))
	} else {
		if m.before("3.0.0") {
			id, secret = "access_key", "secret_key"
		}
		region := m.choose("us-south", "eu-de")
		switch {
		case m.before("2.2.7") || m.IntN(3) == 0:
			pairs = append(pairs, "endpoint", q("https://s3."+region+".cloud-object-storage.appdomain.cloud"))
			switch backend {
			case lithops.IBMCF:
				pairs = append(pairs, "private_endpoint", q("https://s3.private."+region+".cloud-object-storage.appdomain.cloud"))
			case lithops.CodeEngine:
				pairs = append(pairs, "private_endpoint", q("https://s3.direct."+region+".cloud-object-storage.appdomain.cloud"))
			}
		default:
			pairs = append(pairs, "region", q(region))
		}
	}
	return name, append(pairs, id, q(m.word(keyChars, 6, 20)), secret, q(m.word(keyChars, 20, 40))), global
}

// damaged generates a case in which a line is missing, or in which the keys of one section are in another.
func (m generator) damaged() testCase {
	c := m.next()
	lines := strings.SplitAfter(c.YAML, "\n")
	switch m.IntN(3) {
	case 0: // the account's key in the section of the service
		if key := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "iam_api_key") }); key > 0 && strings.HasPrefix(lines[key-1], "ibm:") {
			own := slices.Index(lines, "ibm_cf:\n")
			if own < 0 {
				break
			}
			moved := lines[key]
			lines[own] += moved
			lines[key-1], lines[key] = "", ""
		}
	case 1: // one or both endpoints set explicitly
		for i, l := range lines {
			if strings.HasPrefix(l, "  region:") && m.randomBool() {
				lines[i] = "  endpoint: https://s3.us-south.cloud-object-storage.appdomain.cloud\n"
			} else if strings.HasPrefix(l, "  private_endpoint:") && m.randomBool() {
				lines[i] = "  private_endpoint: https://s3.private.us-south.cloud-object-storage.appdomain.cloud\n"
			}
		}
	default:
		at := m.IntN(len(lines))
		if strings.HasPrefix(lines[at], "  ") {
			lines[at] = ""
		}
	}
	c.YAML = strings.Join(lines, "")
	return c
}
