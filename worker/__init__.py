"""Everything that needs torch: the processes that paint.

Idle OpenMP threads must sleep, not spin: beside a busy neighbour, spinning made a picture of seconds take
minutes. OpenMP reads this once, when torch is first imported, so it is set before all else of this package.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
