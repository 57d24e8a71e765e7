"""What every `VectorStore` promises, as tests: a backend subclasses and supplies `new_store`.

    class TestMyStore(StoreContract):
        @pytest.fixture
        async def new_store(self) -> AsyncIterator[NewStore]:
            ...  # stores over the same, at first empty, place; this test's own
            yield make
            ...  # whatever is left there is removed

`new_store()` makes a store that is not open yet; the suite opens and closes what it makes, never
two over the same place at once. Nothing here knows a backend; oracles are computed by hand. Each
module is one part of the promise.
"""

from __future__ import annotations

from support.store_contract.backups import Backups
from support.store_contract.candidates import Candidates
from support.store_contract.changing import Changing
from support.store_contract.filter_cases import CONDITIONS
from support.store_contract.filtering import Filtering
from support.store_contract.generations import Generations
from support.store_contract.opening import Opening
from support.store_contract.points import Points
from support.store_contract.refusals import Refusals
from support.store_contract.shorthand import (
    OTHER_SCHEMA,
    SCHEMA,
    SECONDS,
    NewStore,
    change,
    count,
    everything,
    id_of,
    ids,
    names_in,
    point,
    search,
    vector,
    words,
    write,
)
from support.store_contract.walking import Walking

__all__ = [
    "CONDITIONS",
    "OTHER_SCHEMA",
    "SCHEMA",
    "SECONDS",
    "NewStore",
    "StoreContract",
    "change",
    "count",
    "everything",
    "id_of",
    "ids",
    "names_in",
    "point",
    "search",
    "vector",
    "words",
    "write",
]


class StoreContract(
    Opening, Points, Refusals, Filtering, Candidates, Walking, Changing, Generations, Backups
):
    """Run for a backend by subclassing; see the package."""
