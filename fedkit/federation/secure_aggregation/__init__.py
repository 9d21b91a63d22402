"""Sums of updates of which nobody sees a part: pairwise masks that cancel, after Bonawitz et al., "Practical Secure Aggregation
for Privacy-Preserving Machine Learning", CCS 2017 (doi 10.1145/3133956.3133982), in the variant against an active coordinator.

    fixed_point   floats as integers of a ring, with a range that all sites know
    shamir        a secret in shares, any `threshold` of which give it back
    agreement     X25519, HKDF-SHA256, ChaCha20 and its AEAD: two sites agree on a mask, and talk past the coordinator
    keys          what a site publishes for all rounds of a request, and what it keeps
    masking       the site's side: mask once a round, give up one kind of share a round
    unmasking     the coordinator's side: the sum, and who sent a wrong share

Pure: no I/O, no torch. What must outlive a crash is plain data, kept by the site.
"""
