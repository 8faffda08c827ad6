package main

import "os"

// One line for each answered request and one for each watch that opens, without bodies.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`

// auditFlags makes the API server write every request to logFile, complete and in one file.
func auditFlags(policyFile, logFile string) ([]string, error) {
	return []string{
		"--audit-policy-file=" + policyFile,
		"--audit-log-path=" + logFile,
		"--audit-log-mode=blocking",  // an answered request is in the file
		"--audit-log-maxsize=100000", // MB; the log must not rotate while it is counted
	}, os.WriteFile(policyFile, []byte(auditPolicy), 0o600)
}
