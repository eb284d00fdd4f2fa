"""lrscout in a training script.

A script that lrscout launches needs nothing of this. To tell it the validation loss,
add one line: `lrscout.on_eval(f)` or `lrscout.report(valid_loss=...)`. Both do nothing
when the script runs by itself. `Task` is for programs that speak the protocol
themselves (docs/external.md).
"""

from .client import Task
from .session import on_eval, report

__all__ = ["Task", "on_eval", "report", "__version__"]
__version__ = "0.1.0"
