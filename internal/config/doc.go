// Package config reads the one configuration that all verbs share: flags, else
// the environment (PRPFLOW_*), else prpflow.yaml, else defaults. Each value
// knows where it came from.
package config
