module github.com/IBM/go-sdk-core/v5

go 1.26.0
