"""What `helm test` runs in the operator's image: asks each address until it answers, or gives up.

An address that begins with / is one of the API server, asked as the Pod's ServiceAccount.
"""

import os
import pathlib
import ssl
import sys
import time
import urllib.error
import urllib.request

ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
EMBEDDER_AUTHORITY = pathlib.Path("/etc/kausa/embedder-tls/ca.crt")
PATIENCE_SECONDS = 45.0


def ask(address: str) -> str:
    """An empty text where all is well, else what is not."""
    authority, headers = EMBEDDER_AUTHORITY, {}
    if address.startswith("/"):
        host = os.environ["KUBERNETES_SERVICE_HOST"]
        host = f"[{host}]" if ":" in host else host
        address = f"https://{host}:{os.environ['KUBERNETES_SERVICE_PORT']}{address}"
        authority = ACCOUNT / "ca.crt"
        headers["Authorization"] = f"Bearer {(ACCOUNT / 'token').read_text().strip()}"
    trusted = str(authority) if authority.is_file() else None
    context = ssl.create_default_context(cafile=trusted)
    request = urllib.request.Request(address, headers=headers)  # noqa: S310
    try:
        opened = urllib.request.urlopen(request, timeout=10, context=context)  # noqa: S310
        with opened as answer:
            return "" if answer.status == 200 else f"answered {answer.status}"
    except urllib.error.HTTPError as error:
        return f"answered {error.code}: {error.read(300).decode(errors='replace').strip()}"
    except OSError as error:
        return f"did not answer: {error}"


def main(addresses: list[str]) -> int:
    """Asks all; 1 where one was not well to the end."""
    until = time.monotonic() + PATIENCE_SECONDS
    failed = 0
    for address in addresses:
        while (problem := ask(address)) and time.monotonic() < until:
            time.sleep(1)
        print(f"{address}: {problem or 'ok'}", flush=True)
        failed |= bool(problem)
    return failed


sys.exit(main(sys.argv[1:]))
