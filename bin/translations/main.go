// Command translations synchronizes i18n/resources with the texts of the source. It carries over the translations of
// changed texts, deletes those of removed texts, writes the English file, and packs all files into i18n/resources.zip,
// which is embedded in the program. With -check it changes nothing, lists the missing and outdated translations, and
// fails if there are any.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fn-runtime/i18n/resource"
)

func main() {
	root := flag.String("root", ".", "the `folder` of the project")
	check := flag.Bool("check", false, "list missing and outdated translations, and fail if there are any")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	texts, _, err := resource.Source(root)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(root, "i18n", "resources", "all.*.json"))
	if err != nil {
		return err
	}
	todo := make(map[string][]string) // English text -> "de_DE is missing"
	for _, path := range files {
		locale := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "all."), ".json")
		old, err := resource.Read(path)
		if err != nil {
			return err
		}
		list := resource.Merge(old, texts)
		if locale == "en_US" {
			list = resource.English(texts)
		}
		if !check {
			if err := resource.Write(path, list); err != nil {
				return err
			}
			continue
		}
		for id, what := range missing(list, texts) {
			todo[id] = append(todo[id], locale+" "+what)
		}
	}
	if !check {
		packed, err := resource.Pack(filepath.Join(root, "i18n", "resources"))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, "i18n", "resources.zip"), packed, 0o644)
	}
	for _, id := range slices.Sorted(maps.Keys(todo)) {
		fmt.Printf("%s\n    %s\n", id, strings.Join(todo[id], ", "))
	}
	if len(todo) > 0 {
		return fmt.Errorf("%d texts in i18n/resources need a translation", len(todo))
	}
	return nil
}

// missing returns "missing" or "stale" for each text without a valid translation in a language.
func missing(list []resource.Entry, texts map[string]resource.Text) map[string]string {
	todo := make(map[string]string)
	for id := range texts {
		todo[id] = "missing"
	}
	for _, e := range list {
		if delete(todo, e.ID); e.Stale() {
			todo[e.ID] = "stale"
		}
	}
	return todo
}
