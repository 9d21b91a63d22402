"""Notes as text with spans: corpora on disk, readers, synthetic notes and mock twins. Pure: no network, no model."""
