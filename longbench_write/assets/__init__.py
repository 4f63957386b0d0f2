"""The official files, fetched once, checked by sha256 and cached."""
