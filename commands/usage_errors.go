package commands

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// flagError converts an error of pflag into a usage error, which suggests the most similar flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return usage(i18n.M("Unknown option '{{.Flag}}'.", "Flag", "-"+name))
		}
		if near := text.Nearest(name, flagNames(cmd)); near != "" {
			return usage(i18n.M("Unknown option '{{.Flag}}'. Did you mean '{{.Near}}'?", "Flag", "--"+name, "Near", "--"+near))
		}
		return usage(i18n.M("Unknown option '{{.Flag}}'.", "Flag", "--"+name))
	case errors.As(err, &missing):
		return usage(i18n.M("'{{.Flag}}' requires a value.", "Flag", "--"+missing.GetFlag().Name))
	case fault.Is(err, fault.Usage):
		return errors.Unwrap(err)
	case errors.As(err, &invalid):
		reason := i18n.M("{{.Error}}", "Error", errors.Unwrap(invalid).Error())
		if v := (valueError{}); errors.As(err, &v) {
			reason = v.Message
		} else if invalid.GetFlag().Value.Type() == "bool" {
			reason = i18n.M("Possible values: {{.Values}}.", "Values", "true, false")
		}
		return usage(i18n.M("Invalid value '{{.Value}}' for '{{.Flag}}'. {{.Reason}}",
			"Value", invalid.GetValue(), "Flag", "--"+invalid.GetFlag().Name, "Reason", reason))
	}
	return usage(i18n.M("{{.Error}}", "Error", err.Error()))
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// unknownCommand returns the error for a missing or unknown subcommand of cmd.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage(i18n.M("A command is required."))
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
			names = append(names, sub.Aliases...)
		}
	}
	parent := ""
	if cmd.HasParent() {
		parent = cmd.Name() + " "
	} else {
		names = append(names, environmentTopic)
	}
	for _, sub := range cmd.Commands() {
		if slices.Contains(sub.SuggestFor, strings.ToLower(args[0])) {
			return usage(i18n.M("Unknown command '{{.Command}}'. Did you mean '{{.Near}}'?", "Command", parent+args[0], "Near", parent+sub.Name()))
		}
	}
	if near := text.Nearest(strings.ToLower(args[0]), names); near != "" {
		if near == environmentTopic {
			near = "help " + near
		}
		return usage(i18n.M("Unknown command '{{.Command}}'. Did you mean '{{.Near}}'?", "Command", parent+args[0], "Near", parent+near))
	}
	return usage(i18n.M("Unknown command '{{.Command}}'.", "Command", parent+args[0]))
}
