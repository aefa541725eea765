//go:build tools

// Package tools keeps what only critest's test binary imports in go.mod: `go mod tidy` does not look into the
// tests of a tool.
package tools

import (
	_ "sigs.k8s.io/cri-tools/pkg/benchmark"
	_ "sigs.k8s.io/cri-tools/pkg/validate"
)
