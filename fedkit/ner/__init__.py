"""Named entity recognition with torch: encoding, models, training, metrics, and what approved requests call."""
