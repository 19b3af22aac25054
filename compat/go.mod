module github.com/wallarm-sdk/wallarm/compat

go 1.26

require (
	github.com/stretchr/testify v1.12.1
	github.com/wallarm-sdk/wallarm v0.0.0
	github.com/wallarm/wallarm-go v0.13.0
)

require (
	github.com/pkg/errors v0.9.1 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/wallarm-sdk/wallarm => ../
