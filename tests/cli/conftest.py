"""What the commands are tried on."""

from ledger_node import node_url

__all__ = ["node_url"]
