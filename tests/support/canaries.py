"""Words that stand nowhere else, put where secrets are, and looked for everywhere: as they are and in base64."""
import base64
import pathlib
import secrets
import threading


def in_base64(text):
    """The text within other text, in base64: what does not depend on its neighbours, at each of the three places."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + text).rstrip(b"=")
        # The first characters share bits with what stands before, the last may with what follows.
        start = (0, 2, 3)[shift]
        yield coded[start:len(coded) - (1 if (len(text) + shift) % 3 else 0)]


def forms(word):
    """A login is base64 in JSON, and that is base64 in a Secret."""
    plain = word.encode()
    once = list(in_base64(plain))
    return [plain, *once, *(twice for one in once for twice in in_base64(one))]


class Canaries:
    """Words by the name of where they were put."""

    def __init__(self, *names):
        self.words = {name: "canary" + secrets.token_hex(16) for name in names}
        self.forms = {name: forms(word) for name, word in self.words.items()}

    def __getitem__(self, name):
        return self.words[name]

    def found(self, data):
        return {name for name, all_forms in self.forms.items() if any(form in data for form in all_forms)}


class Arguments:
    """Watches the arguments of all processes for as long as it lives."""

    def __init__(self, canaries):
        self.canaries = canaries
        self.found = set()
        self.looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        while not self._over.wait(0.02):
            self.looks += 1
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    text = path.read_bytes()
                except OSError:
                    continue
                self.found |= {(name, text) for name in self.canaries.found(text)}

    def end(self):
        self._over.set()
        self._thread.join()
        return self.found


class Environments:
    """The environments of processes that are no part of a job."""

    def __init__(self, canaries, job):
        """`job`: ids of its containers whose processes may have what its scripts export."""
        self.canaries = canaries
        self.job = job

    def found(self):
        """(canary, process) and how many were looked at."""
        found, looked_at = set(), 0
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                program = (folder / "exe").readlink().name
                # A driver is given the job's variables by the runner.
                if program.startswith("berth-") and program != "berth-agent":
                    continue
                if any(one in (folder / "cgroup").read_text() for one in self.job):
                    continue
                text = (folder / "environ").read_bytes()
            except OSError:
                continue
            looked_at += 1
            found |= {(name, program) for name in self.canaries.found(text)}
        return found, looked_at
