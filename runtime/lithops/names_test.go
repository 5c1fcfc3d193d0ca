package lithops

import (
	"strings"
	"testing"
	"testing/quick"

	"fn-runtime/runtime/fault"
)

func TestLayouts(t *testing.T) {
	for _, tc := range []struct{ version, pkg, action, key string }{
		{"2.2.16", "lithops_v2.2.16_abcd", "me_img_0.1_256MB", "lithops.runtimes/2.2.16/ibm_cf/us-south/ns/me_img_0.1_256MB.meta.json"},
		{"2.6.0", "lithops_v2.6.0_abcd", "me_img_0.1_256MB", "lithops.runtimes/2.6.0/ibm_cf/us-south/ns/me_img_0.1_256MB.meta.json"},
		{"2.7.1", "lithops_v2.7.1_abcd", "me_img_0.1_256MB", "lithops.runtimes/ibm_cf/2.7.1/us-south/ns/me_img_0.1_256MB.meta.json"},
		{"2.8.0", "lithops_abcd", "me_img_0.1_256MB_2.8.0", "lithops.runtimes/ibm_cf/2.8.0/us-south/ns/me_img_0.1_256MB_2.8.0.meta.json"},
		{"3.7.1.dev0", "lithops_abcd", "me_img_0.1_256MB_3.7.1.dev0", "lithops.runtimes/ibm_cf/3.7.1.dev0/us-south/ns/me_img_0.1_256MB_3.7.1.dev0.meta.json"},
		{"99.0.0", "lithops_abcd", "me_img_0.1_256MB_99.0.0", "lithops.runtimes/ibm_cf/99.0.0/us-south/ns/me_img_0.1_256MB_99.0.0.meta.json"},
	} {
		c := Contract{Backend: IBMCF, Version: tc.version, UserKey: "abcd", Region: "us-south", Namespace: "ns"}
		action := c.Action("me/img:0.1", 256)
		if c.Package() != tc.pkg || action != tc.action || c.MetadataKey(action) != tc.key {
			t.Errorf("%s: %s, %s, %s", tc.version, c.Package(), action, c.MetadataKey(action))
		}
		if err := c.ValidateNames(action, ""); err != nil {
			t.Errorf("%s: %v", tc.version, err)
		}
	}
}

func TestParseRejectsForeignNames(t *testing.T) {
	for _, tc := range [][2]string{
		{"lithops_abcd", "hello"}, {"lithops_abcd", "img_256MB"}, {"lithops_v2.6.0_abcd", "img_256MB_3.7.0"},
		{"other", "img_256MB_3.7.0"}, {"lithops_abcd", "img_0MB_3.7.0"}, {"lithops_abcd", "img_99999999999MB_3.7.0"}, {"lithops", "img_256MB_3.7.0"},
	} {
		if m, v, ok := ParseAction(tc[0], tc[1]); ok {
			t.Errorf("ParseAction(%q, %q) = %d, %q", tc[0], tc[1], m, v)
		}
	}
	for _, key := range []string{
		"lithops.runtimes/ibm_cf/2.6.0/us-south/ns/img_256MB.meta.json",          // 2.6.0 puts the version first
		"lithops.runtimes/2.7.0/ibm_cf/us-south/ns/img_256MB.meta.json",          // 2.7.0 does not
		"lithops.runtimes/aws_lambda/3.7.0/us-east-1/img_256MB_3.7.0.meta.json",  // another backend
		"lithops.runtimes/ibm_cf/3.7.0/us-south/ns/img_256MB_3.6.0.meta.json",    // two versions
		"lithops.runtimes/openwhisk/3.7.0/us-south/ns/img_256MB_3.7.0.meta.json", // one part too many
		"lithops.runtimes-old/openwhisk/3.7.0/ns/img_256MB_3.7.0.meta.json",      // a similar prefix
		"lithops.runtimes/openwhisk/3.7.0/ns/img_256MB_3.7.0.meta",               // no suffix
		"lithops.runtimes/openwhisk/3.7.0//img_256MB_3.7.0.meta.json",            // no namespace
		"", "/", "lithops.runtimes/", "lithops.runtimes//////.meta.json", ".meta.json", // no key at all
	} {
		if ref, ok := ParseMetadataKey(key); ok {
			t.Errorf("ParseMetadataKey(%q) = %+v", key, ref)
		}
	}
}

func TestPackageUserKey(t *testing.T) {
	for pkg, want := range map[string]string{"lithops_v2.6.0_ab_c": "ab_c", "lithops_abcd": "abcd", "lithops_v3.0.0_x": "v3.0.0_x", "other": ""} {
		if got, ok := PackageUserKey(pkg); got != want || ok != (want != "") {
			t.Errorf("PackageUserKey(%q) = %q, %v", pkg, got, ok)
		}
	}
}

func TestUserKey(t *testing.T) {
	cf, iam := "11111111-aaaa:Secret0", "IAMKey-1234"
	for _, tc := range []struct {
		backend       Backend
		version       string
		api, iam, key string
	}{
		{OpenWhisk, "2.2.0", cf, "", "11111"}, {OpenWhisk, "3.8.0", cf, iam, "11111"}, {OpenWhisk, "3.8.0", "", iam, ""},
		{IBMCF, "2.3.0", cf, iam, "11111"}, {IBMCF, "2.3.0", "", iam, "IAMKe"},
		{IBMCF, "2.3.1", cf, iam, "Secr"}, {IBMCF, "2.9.0", "", iam, "IAMK"}, {IBMCF, "2.9.0", "no colon", iam, ""},
		{IBMCF, "3.0.0", cf, iam, "iamk"}, {IBMCF, "3.8.0", cf, "", ""}, {IBMCF, "3.8.0", "", "äÖü€x", "äöü€"}, {IBMCF, "2.9.0", "", "", ""},
	} {
		key, err := UserKey(tc.backend, tc.version, Compute{APIKey: tc.api, IAMAPIKey: tc.iam})
		if key != tc.key || (err == nil) != (tc.key != "") {
			t.Errorf("%+v: %q, %v", tc, key, err)
		}
		if err != nil && (strings.Contains(err.Error(), "no colon") || strings.Contains(err.Error(), iam)) {
			t.Errorf("the error contains the key: %v", err)
		}
	}
}

func TestReleaseOrder(t *testing.T) {
	r := parseRelease("2.10.3")
	for _, tc := range []struct {
		major, minor, patch int
		want                bool
	}{{2, 10, 3, false}, {2, 10, 4, true}, {2, 9, 9, false}, {3, 0, 0, true}, {1, 99, 99, false}} {
		if r.before(tc.major, tc.minor, tc.patch) != tc.want {
			t.Errorf("before %d.%d.%d is %v, want %v", tc.major, tc.minor, tc.patch, !tc.want, tc.want)
		}
	}
	if parseRelease("nonsense").before(100, 0, 0) || parseRelease("").before(3, 8, 0) {
		t.Error("an unknown version is not treated as the newest")
	}
}

func TestActionRoundTrip(t *testing.T) {
	f := func(image string, memory uint16, old bool) bool {
		c := Contract{Backend: OpenWhisk, Version: "3.8.0", UserKey: "abcde", Namespace: "guest"}
		if old {
			c.Version = "2.6.0"
		}
		mem := int(memory) + 1
		m, v, ok := ParseAction(c.Package(), c.Action("i"+strings.ReplaceAll(image, "\n", ""), mem))
		return ok && m == mem && v == c.Version
	}
	if err := quick.Check(f, nil); err != nil {
		t.Error(err)
	}
}

func TestValidateNames(t *testing.T) {
	c := Contract{Backend: OpenWhisk, Version: "3.8.0", UserKey: "ab/cd", Namespace: "guest"}
	if err := c.ValidateNames("a_1MB_3.8.0", ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("package name with a slash: %v", err)
	}
	c.UserKey = "abcde"
	for _, bad := range []string{strings.Repeat("a", 257), "a/b", "", " a", "é"} {
		if err := c.ValidateNames(bad, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzActionNames(f *testing.F) {
	f.Add("lithops_v2.6.0_abcd", "docker.io_me_img_0.1_256MB")
	f.Add("lithops_abcd", "docker.io_me_img_0.1_256MB_3.8.0")
	f.Add("lithops.runtimes/ibm_cf/3.8.0/us-south/ns/a_1MB_3.8.0.meta.json", "")
	f.Fuzz(func(t *testing.T, pkg, action string) {
		if mem, version, ok := ParseAction(pkg, action); ok && (mem <= 0 || !versionOnly.MatchString(version)) {
			t.Errorf("%d, %q", mem, version)
		}
		if ref, ok := ParseMetadataKey(pkg); ok {
			c := Contract{Backend: ref.Backend, Version: ref.Version, Region: ref.Region, Namespace: ref.Namespace}
			if got := c.MetadataKey(ref.Action); got != pkg && !strings.Contains(pkg, "//") {
				t.Errorf("got key %q, want %q", got, pkg)
			}
		}
	})
}
