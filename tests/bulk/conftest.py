from tests.store.conftest import s3_uri, server  # noqa: F401  the same real S3 server
