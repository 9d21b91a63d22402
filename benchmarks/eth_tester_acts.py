"""The acts of `ledger_acts.py --against` on eth-tester, with web3 as its manual shows it. Runs in an environment of its own.

    .venv-bench-ledger/bin/python benchmarks/eth_tester_acts.py --acts 300

Prints one JSON object: seconds (CPU) for the acts and for reading their logs back, together and apart.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

REGISTRY = Path(__file__).resolve().parent.parent / "contracts" / "build" / "Registry.json"
NOBODY = "0x" + "00" * 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--acts", type=int, default=300)
    options = parser.parse_args()
    web3 = Web3(EthereumTesterProvider(EthereumTester(PyEVMBackend())))
    admin = web3.eth.accounts[0]
    built = json.loads(REGISTRY.read_text("utf-8"))
    creation = web3.eth.contract(abi=built["abi"], bytecode=built["bytecode"]).constructor(admin, NOBODY)
    made = web3.eth.wait_for_transaction_receipt(creation.transact({"from": admin}))
    registry = web3.eth.contract(address=made["contractAddress"], abi=built["abi"])
    role = registry.functions.RESEARCHER().call()
    began = time.process_time()
    for number in range(options.acts):
        sent = registry.functions.grantRole(role, Web3.to_checksum_address(f"0x{number + 1:040x}")).transact({"from": admin})
        if web3.eth.wait_for_transaction_receipt(sent)["status"] != 1:
            raise RuntimeError("an act was refused")
    acted = time.process_time()
    logs = registry.events.RoleGranted().get_logs(from_block=made["blockNumber"] + 1)
    read = time.process_time()
    if len(logs) != options.acts:
        raise RuntimeError(f"{len(logs)} logs of {options.acts} acts")
    print(json.dumps({"seconds": read - began, "acts": acted - began, "logs": read - acted}))


if __name__ == "__main__":
    main()
