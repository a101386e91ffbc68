"""botocore, and so boto3: python botocore_client.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import botocore.session

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.botocore import hold
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    session = botocore.session.get_session()
    session.set_credentials("an access key", "its secret")
    # boto3: client = boto3.client("s3"), and resource.meta.client of a resource.
    client = session.create_client(
        "s3", region_name="eu-central-1", endpoint_url=f"https://{host}:{port}"
    )
    hold(client, context)
    print(client.get_object(Bucket="bucket", Key="key")["Body"].read().decode())
    client.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))
