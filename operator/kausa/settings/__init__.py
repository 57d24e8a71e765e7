"""Everything an operator of Kausa may set, read once from the environment at the start.

Each field is set by `KAUSA_<FIELD>` in upper case. Nothing below the command line reads the
environment: settings are passed in.

One module holds the settings of one idea; `settings.py` makes one class of them all.
"""

from __future__ import annotations

from kausa.settings.settings import Settings
from kausa.settings.surroundings import default_cache_folder, default_state_folder
from kausa.settings.watching import DEFAULT_CLUSTER_NAME

__all__ = ["DEFAULT_CLUSTER_NAME", "Settings", "default_cache_folder", "default_state_folder"]
