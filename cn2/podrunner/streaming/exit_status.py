"""An exit status in the form in which kubectl learns of it: a Status on the error stream."""

from __future__ import annotations

import json
from typing import Any

from cn2.podrunner.streaming.session import ExitStatus


def encode_status(status: ExitStatus) -> bytes:
    """The Status of remotecommand v4 and v5: kubectl exits with the code in its causes."""
    body: dict[str, Any] = {"metadata": {}, "status": "Success"}
    if status.message:
        body |= {
            "status": "Failure",
            "message": status.message,
            "reason": "InternalError",
            "details": {"causes": [{"message": status.message}]},
            "code": 500,
        }
    elif status.code:
        body |= {
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: exit status {status.code}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(status.code)}]},
        }
    return json.dumps(body).encode()
