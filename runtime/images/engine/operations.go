package engine

import (
	"context"
	"io"
	"net"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"
)

// Operations holds the methods of the Docker client that this program uses. An Engine contains them instead of the
// client to keep the binary small: because templates look up methods by name, the linker keeps all methods of a type
// that is reachable from an interface, and the client has two hundred methods.
type Operations struct {
	Close               func() error
	BuildCancel         func(ctx context.Context, id string) error
	ClientVersion       func() string
	DialHijack          func(ctx context.Context, url, proto string, meta map[string][]string) (net.Conn, error)
	Ping                func(ctx context.Context) (types.Ping, error)
	Info                func(ctx context.Context) (system.Info, error)
	ContainerAttach     func(ctx context.Context, containerID string, options container.AttachOptions) (types.HijackedResponse, error)
	ContainerCreate     func(ctx context.Context, config *container.Config, hostConfig *container.HostConfig, containerName string) (container.CreateResponse, error)
	ContainerExecAttach func(ctx context.Context, execID string, config container.ExecAttachOptions) (types.HijackedResponse, error)
	ContainerExecCreate func(ctx context.Context, containerID string, options container.ExecOptions) (container.ExecCreateResponse, error)
	ContainerInspect    func(ctx context.Context, containerID string) (container.InspectResponse, error)
	ContainerList       func(ctx context.Context, options container.ListOptions) ([]container.Summary, error)
	ContainerLogs       func(ctx context.Context, containerID string, options container.LogsOptions) (io.ReadCloser, error)
	ContainerPause      func(ctx context.Context, containerID string) error
	ContainerRemove     func(ctx context.Context, containerID string, options container.RemoveOptions) error
	ContainerStart      func(ctx context.Context, containerID string, options container.StartOptions) error
	ContainerUnpause    func(ctx context.Context, containerID string) error
	ContainerWait       func(ctx context.Context, containerID string, condition container.WaitCondition) (<-chan container.WaitResponse, <-chan error)
	CopyFromContainer   func(ctx context.Context, containerID, srcPath string) (io.ReadCloser, container.PathStat, error)
	CopyToContainer     func(ctx context.Context, containerID, dstPath string, content io.Reader, options container.CopyToContainerOptions) error
	ImageBuild          func(ctx context.Context, buildContext io.Reader, options build.ImageBuildOptions) (build.ImageBuildResponse, error)
	ImageInspect        func(ctx context.Context, imageID string, inspectOpts ...client.ImageInspectOption) (image.InspectResponse, error)
	ImageList           func(ctx context.Context, options image.ListOptions) ([]image.Summary, error)
	ImagePull           func(ctx context.Context, refStr string, options image.PullOptions) (io.ReadCloser, error)
	ImagePush           func(ctx context.Context, image string, options image.PushOptions) (io.ReadCloser, error)
	ImageRemove         func(ctx context.Context, imageID string, options image.RemoveOptions) ([]image.DeleteResponse, error)
	ImageTag            func(ctx context.Context, source, target string) error
	NetworkInspect      func(ctx context.Context, networkID string, options network.InspectOptions) (network.Inspect, error)
}

// OperationsOf returns the operations of a client.
func OperationsOf(c *client.Client) Operations {
	return Operations{
		Close:           c.Close,
		BuildCancel:     c.BuildCancel,
		ClientVersion:   c.ClientVersion,
		DialHijack:      c.DialHijack,
		Ping:            c.Ping,
		Info:            c.Info,
		ContainerAttach: c.ContainerAttach,
		ContainerCreate: func(ctx context.Context, config *container.Config, hostConfig *container.HostConfig, containerName string) (container.CreateResponse, error) {
			return c.ContainerCreate(ctx, config, hostConfig, nil, nil, containerName)
		},
		ContainerExecAttach: c.ContainerExecAttach,
		ContainerExecCreate: c.ContainerExecCreate,
		ContainerInspect:    c.ContainerInspect,
		ContainerList:       c.ContainerList,
		ContainerLogs:       c.ContainerLogs,
		ContainerPause:      c.ContainerPause,
		ContainerRemove:     c.ContainerRemove,
		ContainerStart:      c.ContainerStart,
		ContainerUnpause:    c.ContainerUnpause,
		ContainerWait:       c.ContainerWait,
		CopyFromContainer:   c.CopyFromContainer,
		CopyToContainer:     c.CopyToContainer,
		ImageBuild:          c.ImageBuild,
		ImageInspect:        c.ImageInspect,
		ImageList:           c.ImageList,
		ImagePull:           c.ImagePull,
		ImagePush:           c.ImagePush,
		ImageRemove:         c.ImageRemove,
		ImageTag:            c.ImageTag,
		NetworkInspect:      c.NetworkInspect,
	}
}
