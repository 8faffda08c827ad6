package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
)

// users are the static users of a cluster: name → groups. driver and operator have all rights under names of their own, so
// that the audit log and managedFields tell them apart; restricted is authenticated and may do nothing.
type users map[string][]string

func defaultUsers() users {
	masters := []string{"system:masters"}
	return users{"admin": masters, "driver": masters, "operator": masters, "restricted": nil}
}

// add reads `name` or `name=group,group`.
func (known users) add(text string) error {
	name, groups, _ := strings.Cut(text, "=")
	if name == "" || strings.ContainsAny(text, "\"\n") {
		return fmt.Errorf("%q is not a user: write name or name=group,group", text)
	}
	known[name] = nil
	if groups != "" {
		known[name] = strings.Split(groups, ",")
	}
	return nil
}

// writeTokens writes the API server's token file and returns user → token.
func (known users) writeTokens(file string) (map[string]string, error) {
	tokens, lines := map[string]string{}, ""
	for name, groups := range known {
		tokens[name] = name + "-" + rand.Text()
		lines += fmt.Sprintf("%s,%s,%s,%q\n", tokens[name], name, name, strings.Join(groups, ","))
	}
	return tokens, os.WriteFile(file, []byte(lines), 0o600)
}

func writeKubeconfig(file, server, caFile, token string) error {
	return os.WriteFile(file, []byte(fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: admin, user: {token: %q}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
`, server, caFile, token)), 0o600)
}
