"""Every benchmark that runs in minutes, one after another: `make bench`."""

import subprocess
import sys

MODULES = (
    "rating_update",
    "rating_post",
    "worker_start",
    "submit_to_start",
    "service_vs_loop",
    "portability",
    "safety",
)


def main() -> None:
    """Run each in a process of its own; exit 1 if one failed."""
    failed = []
    for module in MODULES:
        print(f"\n== python -m benchmarks.{module}", flush=True)
        if subprocess.call([sys.executable, "-m", f"benchmarks.{module}"]):
            failed.append(module)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
