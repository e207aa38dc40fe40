package web

import "strings"

// ModulesOf returns the names of a module and of all that it imports.
func ModulesOf(name string) []string {
	var names []string
	for _, plain := range modulesOf(readAssets(), prefix+name) {
		names = append(names, strings.TrimPrefix(plain, prefix))
	}
	return names
}
