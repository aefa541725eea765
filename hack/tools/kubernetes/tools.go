//go:build tools

// Package tools keeps what only the node e2e test binary imports in go.mod.
package tools

import _ "k8s.io/kubernetes/test/e2e_node"
