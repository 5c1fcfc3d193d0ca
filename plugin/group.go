package plugin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/IBM-Cloud/ibm-cloud-cli-sdk/bluemix/endpoints"
	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"

	"fn-runtime/commands"
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// maxGroups is the maximum size of a response of the resource controller in bytes.
const maxGroups = 1 << 20

// resourceGroup returns the ID of the resource group with a name. It gets the ID of the targeted group from the
// session, and the IDs of other groups from the resource controller (GET /v2/resource_groups).
func resourceGroup(ctx context.Context, c sdk.PluginContext, h *host, token transport.TokenFunc, name string) (string, error) {
	if g := c.CurrentResourceGroup(); g.Name == name || g.GUID == name {
		return g.GUID, nil
	}
	lookup := i18n.M("Finding resource group {{.Name}}", "Name", name)
	base, err := c.GetEndpoint(endpoints.ResourceController)
	if err != nil || base == "" {
		return "", fault.During(lookup, fault.New(fault.Invalid,
			i18n.M("The session does not define an endpoint for resource groups."),
			i18n.M("Specify the group ID with '-g'.")).Because(err))
	}
	client := transport.Client(transport.New(transport.Options{
		Auth: transport.Auth{Token: token}, Origin: base, UserAgent: commands.Name + "/" + Version, Timeout: h.HTTPTimeout, Budget: h.Retries,
		MaxBody: maxGroups, SkipTLSVerify: h.SkipTLSVerify, Trace: h.Trace,
	}))
	query := url.Values{"name": {name}, "account_id": {c.CurrentAccount().GUID}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v2/resource_groups?"+query.Encode(), nil)
	if err != nil {
		return "", fault.During(lookup, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", fault.During(lookup, err)
	}
	defer resp.Body.Close()
	var groups groupList
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&groups) != nil {
		return "", fault.During(lookup, fault.New(fault.Unavailable,
			i18n.M("The resource controller returned {{.Status}}.", "Status", resp.Status),
			i18n.M("Try again later, or specify the group ID with '-g'.")))
	}
	if id := groups.id(name); id != "" {
		return id, nil
	}
	return "", fault.New(fault.NotFound,
		i18n.M("Resource group {{.Name}} was not found.", "Name", name),
		i18n.M("List the groups of your account with 'ibmcloud resource groups'."))
}

// groupList is the response of the resource controller.
type groupList struct {
	Resources []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"resources"`
}

// id returns the ID of the group with a name. It returns "" if there is no such group.
func (l groupList) id(name string) string {
	for _, g := range l.Resources {
		if g.Name == name {
			return g.ID
		}
	}
	return ""
}
