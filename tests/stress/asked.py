"""A command, and what its answers are checked against."""


class Asked:
    """A command. `refused` are conditions and response codes that are no fault; `expunges` says whether those may be told."""

    def __init__(self, text, literal=None, *, expunges=True, refused=(), done=None, opens=None, length=0, rows=None, lists=None):
        self.text, self.literal, self.expunges, self.refused, self.done = text, literal, expunges, refused, done
        self.opens, self.length, self.rows, self.lists = opens, length, rows, lists
        self.flagged, self.numbers, self.answered = set(), [], None

    @property
    def verb(self):
        """Its name, for those who count."""
        words = self.text.split(" ")
        return " ".join(words[:2]).upper() if words[0].upper() == "UID" else words[0].upper()
