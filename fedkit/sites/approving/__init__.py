"""How requests come to a decision beyond one steward's word: standing approvals, a second approval, whose turn it is."""
