package commands

import near "fn-runtime/runtime/nearest"

// nearest gives the known word that is probably meant, "" when none is near.
func nearest(s string, known []string) string { return near.Word(s, known) }
