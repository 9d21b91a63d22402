"""One reader a format of clinical corpora, all giving `Note`."""
