"""`python -m kausa_embedder`."""

import sys

from kausa_embedder.cli import main

if __name__ == "__main__":
    sys.exit(main())
