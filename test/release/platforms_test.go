package release

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// emulators lists the programs of Debian's qemu-user-static that run binaries of other architectures.
var emulators = map[string]string{"arm64": "qemu-aarch64-static", "ppc64le": "qemu-ppc64le-static", "s390x": "qemu-s390x-static", "amd64": "qemu-x86_64-static"}

// start runs the Linux binary of each architecture in QEMU. Its output must be identical to that of the native binary.
// Binaries for macOS and Windows cannot run on Linux; only their file headers are checked.
func (p published) start(t *testing.T) {
	binaries, err := filepath.Glob(filepath.Join(p.dir, "fn-runtime-*-*"))
	if err != nil || len(binaries) != 7 {
		t.Fatalf("%v: %v", err, binaries)
	}
	home := t.TempDir()
	outputs := map[string]map[string]string{} // architecture -> arguments -> output
	for _, file := range binaries {
		system, arch, _ := strings.Cut(strings.SplitN(strings.TrimSuffix(filepath.Base(file), ".exe"), "-", 4)[3], "-")
		switch system {
		case "linux":
			checkELF(t, file, arch)
			outputs[arch] = map[string]string{}
			for _, args := range []string{"SendMetadata", "--help", "deploy --help", "version"} {
				line := append([]string{file}, strings.Fields(args)...)
				if arch != runtime.GOARCH {
					line = append([]string{emulators[arch]}, line...)
				}
				cmd := exec.Command(line[0], line[1:]...)
				cmd.Env = []string{"HOME=" + home, "IBMCLOUD_CONFIG_HOME=" + home, "IBMCLOUD_PLUGIN_NAMESPACE=fn-runtime", "LC_ALL=C", "PATH=" + os.Getenv("PATH")}
				out, err := cmd.CombinedOutput()
				if err != nil || len(out) == 0 {
					t.Errorf("%v: %v\n%s", line, err, out)
				}
				outputs[arch][args] = string(out)
			}
		case "darwin":
			f, err := macho.Open(file)
			if err != nil || f.Type != macho.TypeExec || f.Cpu != map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64}[arch] {
				t.Errorf("%s: %v", file, err)
			}
		case "windows":
			f, err := pe.Open(file)
			if err != nil || f.Machine != pe.IMAGE_FILE_MACHINE_AMD64 || f.Characteristics&pe.IMAGE_FILE_EXECUTABLE_IMAGE == 0 {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	for arch, answers := range outputs {
		for args, got := range answers {
			want := outputs[runtime.GOARCH][args]
			if args == "version" { // its output contains the platform
				want = strings.ReplaceAll(want, "linux/"+runtime.GOARCH, "linux/"+arch)
			}
			if got != want {
				t.Errorf("%s %q: %s\nand here: %s", arch, args, got, want)
			}
		}
	}
}

// checkELF checks that a binary is for its architecture and does not need system libraries.
func checkELF(t *testing.T, file, arch string) {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390}[arch]
	if libraries, err := f.ImportedLibraries(); f.Machine != want || err != nil || len(libraries) > 0 {
		t.Errorf("%s: machine %v, libraries %v, %v", file, f.Machine, libraries, err)
	}
}
