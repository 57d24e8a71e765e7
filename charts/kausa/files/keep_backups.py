"""What the backup's Job runs after a backup: removes all but the newest, by their Jobs' numbers.

Only folders that such a Job has named are looked at; whatever else is there stays.
"""

import pathlib
import re
import shutil
import sys


def main(folder: str, name: str, most: str) -> int:
    """The exit code; 0 also where there is nothing to remove."""
    named = re.compile(re.escape(name) + r"-([0-9]+)")
    found = {
        int(match[1]): path
        for path in pathlib.Path(folder).iterdir()
        if path.is_dir() and not path.is_symlink() and (match := named.fullmatch(path.name))
    }
    for number in sorted(found)[: -int(most)]:
        shutil.rmtree(found[number])
        print(f"{found[number]}: removed, {most} newer ones are kept", flush=True)
    return 0


sys.exit(main(*sys.argv[1:]))
