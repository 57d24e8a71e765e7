"""What collections and aliases are called in a server.

kausa_failures                                   alias: the generation in use
kausa_failures__bge-small-07db__384__v2          a generation, named for its schema
kausa_failures__bge-small-07db__384__v2__r6f1c   the same, as a backup brought it back
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from kausa.memory.schema import slug
from kausa.memory.store import COLLECTIONS, Collection, Schema

__all__ = ["Names"]


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one installation."""

    prefix: str

    def alias(self, collection: Collection) -> str:
        """Leads to the generation in use."""
        return f"{self.prefix}_{collection}"

    def of(self, collection: Collection, schema: Schema) -> str:
        """Of a generation's collection, as it is first made."""
        return f"{self.alias(collection)}__{slug(schema)}"

    def restored(self, schema: Schema) -> dict[Collection, str]:
        """Names that nobody has, beside those of the same generation."""
        mark = secrets.token_hex(4)
        return {each: f"{self.of(each, schema)}__r{mark}" for each in COLLECTIONS}

    def belongs(self, name: str, *, collection: Collection, schema: Schema) -> bool:
        """Whether a collection of this name is one of the generation's."""
        first = self.of(collection, schema)
        return name == first or name.startswith(f"{first}__r")

    def collection(self, name: str) -> Collection | None:
        """What a collection of this name keeps; None where it is not ours."""
        for each in COLLECTIONS:
            if name.startswith(f"{self.alias(each)}__"):
                return each
        return None
