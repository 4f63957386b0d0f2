"""What the operating system says of a file, and what helps."""

from __future__ import annotations

import errno

_REMEDIES = {
    "free some space": (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)),
    "allow more open files with `ulimit -n` or lower --concurrency": (errno.EMFILE, errno.ENFILE),
    "the server of this shared folder does not know it any more": (getattr(errno, "ESTALE", None),),
    "this symbolic link is not followed": (errno.ELOOP,),
}


def told(error: OSError) -> str:
    """Return what the system said and, where it is known, what helps."""
    reason = error.strerror or str(error) or type(error).__name__
    remedy = next((text for text, codes in _REMEDIES.items() if error.errno in codes), "")
    return f"{reason} ({remedy})" if error.errno and remedy else reason
