"""Logs of servers that were killed, to be damaged."""

from pathlib import Path

from attrs import define

PAGE = 4096
FRAME = 24 + PAGE
SECTOR = 512


@define
class Log:
    """The log of a server that was killed, to be damaged."""

    path: Path

    @property
    def file(self):
        """Give its path."""
        return self.path.with_name(f"{self.path.name}-wal")

    def commits(self):
        """Give, for each commit, where its first frame begins and where its last one ends."""
        content, found, begin = self.file.read_bytes(), [], 32
        salts = content[16:24]
        for at in range(32, len(content) - FRAME + 1, FRAME):
            size, frame_salts = content[at + 4 : at + 8], content[at + 8 : at + 16]
            if frame_salts != salts:
                break
            if any(size):
                found.append((begin, at + FRAME))
                begin = at + FRAME
        return found

    def tail(self):
        """Give from where on damage looks as if the power had been cut.

        That is the last commit, and the frame before it where its header lies in two sectors: what
        one of them says proves nothing without the other.
        """
        begin, _ = self.commits()[-1]
        before = begin - FRAME
        return begin if before % SECTOR <= SECTOR - 24 else before

    def flip(self, at, bit=1):
        """Flip a bit of it."""
        content = bytearray(self.file.read_bytes())
        content[at] ^= bit
        self.file.write_bytes(content)

    def fill(self, at, content):
        """Write over a part of it."""
        whole = bytearray(self.file.read_bytes())
        whole[at : at + len(content)] = content
        self.file.write_bytes(whole)
