package buildkit

import (
	"net/http"
	"net/url"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// files sends what BuildKit lacks of a folder: it names the folder and the patterns of .dockerignore in headers, gets
// the state of every file, and asks for those whose state differs from its last copy. Owners are root, as the Docker
// CLI sends them.
func (o Offer) files(w http.ResponseWriter, r *http.Request) {
	name := ""
	if names := values(r.Header, "dir-name"); len(names) > 0 {
		name = names[0]
	}
	folder, there := o.Folders[name]
	if !there {
		reply(w, nil, notFound)
		return
	}
	streamed(w, r, func(s *stream) error {
		filtered, err := fsutil.NewFilterFS(folder, &fsutil.FilterOpt{
			IncludePatterns: values(r.Header, "include-patterns"),
			ExcludePatterns: values(r.Header, "exclude-patterns"),
			FollowPaths:     values(r.Header, "followpaths"),
			Map: func(_ string, stat *types.Stat) fsutil.MapResult {
				stat.Uid, stat.Gid = 0, 0
				return fsutil.MapResultKeep
			},
		})
		if err != nil {
			return err
		}
		return fsutil.Send(r.Context(), s, filtered, nil)
	})
}

// values are those of a header, which BuildKit escapes where they are not ASCII.
func values(h http.Header, key string) []string {
	all := h.Values(key)
	if h.Get(key+"-encoded") != "1" {
		return all
	}
	decoded := make([]string, len(all))
	for i, v := range all {
		if plain, err := url.QueryUnescape(v); err == nil {
			v = plain
		}
		decoded[i] = v
	}
	return decoded
}
