"""The ledger: signed statements, smart contracts, and a chain that is embedded or a node's. Holds digests only.

typed, keys, transactions   what is signed, and with what
contracts, events, names    what stands on chain, read back
rows, merkle                the rows of a journal, and the root that is anchored
store, evm                  the embedded chain: its file, its rules
provider, answers, serve    it answers as a node does, in this process and to others
chain, node, blocks         the seam to a chain, embedded or a node's, and its blocks as bytes
opening, status             which chain a folder's ledger is on; how it stands
deployment, recorder        where the contracts are; how acts get there and records come back
name_file                   the names that its processes know
registry, permits, budgets  the acts of admin, authority, and on privacy budgets (signed in `spending`)
ledger                      all acts together
succession                  from one deployment of the contracts to the next

    from fedkit.ledger.keys import Keyring
    from fedkit.ledger.ledger import open_ledger

Nothing is imported here: `typed` and `rows` need no chain, and an auditor needs no EVM.
"""

import sys

#: Python's recursion limit before py-evm: importing that raises it twelvefold for the whole process, after which deeply nested
#: JSON from outside overflows the C stack (a crash) where it was an error. `store` and `evm` put it back.
RECURSION_LIMIT = sys.getrecursionlimit()
