"""A suite that finds no engine is left out, unless this run must not leave it out."""
import os


def leave_out(why, suite="docker"):
    """The exit status: 125 (a skip for CTest), or 1 when BERTH_REQUIRE (scripts/test --require) names the suite."""
    required = suite in os.environ.get("BERTH_REQUIRE", "").split()
    print(f"{'FAILED' if required else 'SKIPPED'}: {why}", flush=True)
    return 1 if required else 125
