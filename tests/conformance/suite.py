"""A file of unittest cases, run on a backend."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import engine_api  # noqa: E402
import kubernetes_api  # noqa: E402
import leave_out  # noqa: E402


def run(make, use, arguments):
    """The exit status. `make` gives the backend, `use` tells the cases of it; `arguments` are unittest's."""
    try:
        backend = make()
    except engine_api.NoEngine as error:
        return leave_out.leave_out(error)
    except kubernetes_api.NoCluster as error:
        return leave_out.leave_out(error, "kubernetes")
    use(backend)
    try:
        program = unittest.main(argv=[sys.argv[0], *arguments], exit=False, verbosity=2)
    finally:
        backend.close()
    return 0 if program.result.wasSuccessful() else 1
