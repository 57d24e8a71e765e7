#!/usr/bin/env python3
"""Programs that developing and testing need, at the versions that are pinned here.

    python3 hack/tools/tools.py helm     # prints the path; the first time builds it

Standard library only. Words for people go to stderr. The exit code is 0 when the program is there,
1 when it could not be built, and 2 when this machine lacks something.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# For `hack.tools`, and for the cluster's own modules.
sys.path.append(str(Path(__file__).resolve().parents[2]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "cluster"))

from hack.tools import helming
from hack.tools.place import tools_folder

from localcluster.console import say
from localcluster.errors import ClusterError
from localcluster.locking import exclusive

TOOLS = {"helm": helming.ensure}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Print where a pinned program lies.")
    parser.add_argument("tool", choices=sorted(TOOLS))
    tool = parser.parse_args(arguments).tool
    root = tools_folder(os.environ, home=Path.home())
    try:
        with exclusive(root / "lock"):
            program = TOOLS[tool](root, os.environ)
    except ClusterError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
