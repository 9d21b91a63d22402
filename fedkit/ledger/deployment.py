"""Where a ledger stands: which chain, which contracts. Deployed once; found again, or named as another one, ever after."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from fedkit.errors import LedgerError
from fedkit.ledger.chain import Chain
from fedkit.ledger.contracts import NAMES, contract
from fedkit.ledger.keys import Keyring
from fedkit.ledger.transactions import contract_address
from fedkit.ledger.typed import LedgerDomain
from fedkit.storage import write_new

#: Gas allowed to one transaction; what is not used costs nothing.
GAS = 12_000_000
#: The address that is nobody's.
NOBODY = "0x" + "00" * 20


@dataclass(frozen=True)
class Deployment:
    """genesis: hash of the chain's block 0 (0x…). nonce: of the deployer's first of the three transactions, which gives the
    addresses of the contracts before they are there. contracts: name → address. predecessor: the Registry of the deployment
    that this one took over from, or `NOBODY`."""

    chain_id: int
    genesis: str
    deployer: str
    nonce: int
    contracts: Mapping[str, str]
    predecessor: str = NOBODY

    @property
    def domain(self) -> LedgerDomain:
        """What statements are signed for: this chain and its Registry."""
        return LedgerDomain(self.chain_id, self.contracts["Registry"])


def arguments(name: str, of: Deployment) -> tuple[str, ...]:
    """What the constructor of a contract is given: the Registry its admin and predecessor, the others those they call."""
    if name == "Registry":
        return of.deployer, of.predecessor
    return of.contracts["Registry"], of.contracts["Rounds" if name == "Requests" else "Requests"]


def find_or_deploy(
    chain: Chain, keys: Keyring, file: Path, admin: str, *, predecessor: str = NOBODY, other_code: bool = False
) -> Deployment:
    """The deployment that `file` names, or a new one by the key of `admin`, written to `file` before it is sent.

    So a crash at any moment leaves nothing to clean up: opening again deploys what is missing, at the same addresses.
    predecessor: the Registry that a new one takes over from; see `succession`.
    other_code:  take contracts of another version of fedkit, to hand over from them.
    Raises LedgerError if the chain is another one than the file's, has lost the contracts, or has others in their place.
    """
    stored = read_deployment(file)
    if stored is None:
        if predecessor == NOBODY and (head := chain.head().number) and _is_embedded(chain):
            raise LedgerError(
                "the chain is there, but not the note of its contracts",
                expected=f"{file.name} beside a chain of {head} blocks",
                got="no file",
                help="restore it from a backup, or take another folder",
            )
        deployer = keys.create(admin)
        nonce = chain.nonce(deployer)
        contracts = {name: contract_address(deployer, nonce + i) for i, name in enumerate(NAMES)}
        stored = Deployment(chain.chain_id, chain.genesis, deployer, nonce, contracts, predecessor)
        if not write_new(file, json.dumps(asdict(stored), indent=1).encode()):  # another process was a moment faster
            stored = read_deployment(file) or stored
    if (stored.chain_id, stored.genesis) != (chain.chain_id, chain.genesis):
        raise LedgerError(
            "this is another chain than the one this folder belongs to",
            expected=f"chain {stored.chain_id}, genesis {stored.genesis}",
            got=f"chain {chain.chain_id}, genesis {chain.genesis}",
            help="give the URL or restore the file of the first chain, or take another folder",
        )
    if missing := missing_contracts(chain, stored):
        if not can_go_on(chain, stored):
            raise LedgerError(
                "the contracts are not on the chain",
                expected=f"{', '.join(missing)} at the addresses of {file.name}",
                got="no code there",
                help="the chain was set back or replaced; restore its backup",
            )
        # Another process may do so at this moment: it sends the same bytes, which count once.
        _deploy(chain, keys, stored, missing, admin)
    if not other_code:
        _check_code(chain, stored, file)
    return stored


def missing_contracts(chain: Chain, planned: Deployment) -> list[str]:
    """Names of the contracts of a deployment that are not on the chain, in the order in which they are created."""
    return [name for name in NAMES if not chain.code(planned.contracts[name])]


def can_go_on(chain: Chain, planned: Deployment) -> bool:
    """Whether the deployer's next transactions put what is missing at the addresses that were planned."""
    while True:
        nonce, missing = chain.nonce(planned.deployer), missing_contracts(chain, planned)
        if chain.nonce(planned.deployer) == nonce:  # else another process put one there between the two questions
            return not missing or nonce == planned.nonce + len(NAMES) - len(missing)


def _check_code(chain: Chain, found: Deployment, file: Path) -> None:
    """Raises LedgerError if other contracts stand at the addresses, whose answers would mean nothing."""
    strange = [name for name in NAMES if not is_code_of(name, chain.code(found.contracts[name]))]
    if strange:
        raise LedgerError(
            "other contracts stand where the ledger's should",
            expected=f"the code of {', '.join(strange)} that comes with fedkit, at the addresses of {file.name}",
            got="other code",
            help="use the fedkit that deployed them; or open the ledger with other_code=True and hand over to new ones: "
            "fedkit.ledger.succession.succeed",
        )


def is_code_of(name: str, code: bytes) -> bool:
    """Whether the code on chain is that of the contract, whatever its immutables (solc leaves `PUSH32 0` for each) are."""
    creation = contract(
        name
    ).bytecode  # that of the constructor, the contract's, and at most two words that the first one needs
    start = creation.find(code[:32])
    if len(code) < 32 or not 0 <= len(creation) - start - len(code) <= 64:
        return False
    gap = b"\x7f" + bytes(32)
    parts = creation[start : start + len(code)].split(gap)
    return re.fullmatch(b"\x7f.{32}".join(map(re.escape, parts)), code, re.DOTALL) is not None


def _deploy(chain: Chain, keys: Keyring, planned: Deployment, missing: list[str], admin: str) -> None:
    raws = []
    for name in missing:
        data = contract(name).creation(*arguments(name, planned))
        nonce = planned.nonce + NAMES.index(name)
        raws.append(keys.sign_transaction(admin, chain_id=chain.chain_id, nonce=nonce, to=None, data=data, gas=GAS))
    chain.send(raws)


def read_deployment(file: Path) -> Deployment | None:
    """The deployment that a file notes, or None if there is no file. Raises LedgerError if it holds something else."""
    try:
        row = json.loads(file.read_bytes())
        found = Deployment(**row)
        planned = {name: contract_address(found.deployer, found.nonce + i) for i, name in enumerate(NAMES)}
        if found.contracts != planned:
            raise LedgerError(
                f"{file.name} names other contracts than were deployed",
                expected=f"{', '.join(NAMES)}, where transaction {found.nonce} of {found.deployer} and the next put them",
                got="another name or address",
                help="restore it from a backup",
            )
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError, OSError):
        raise LedgerError(
            f"{file.name} cannot be read", expected="the note of a deployment", help="restore it from a backup"
        ) from None
    return found


def _is_embedded(chain: Chain) -> bool:
    from fedkit.ledger.chain import EmbeddedChain

    return isinstance(chain, EmbeddedChain)
