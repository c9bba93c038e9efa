"""A terminal that answers what it is asked: terminal.py ANSWER COMMAND...

It runs the command in a pseudo-terminal of 90 columns, answers ESC [ c with ANSWER (nothing when it is
empty), and writes what the command has written to stdout. It says on stderr whether the terminal was
left as it was found, and ends as the command does.
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time

answer, command = sys.argv[1].encode("latin-1"), sys.argv[2:]
# The side of the command stays open here, so that its settings can be asked for at the end.
terminal, side = pty.openpty()
fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
before = termios.tcgetattr(side)
process = subprocess.Popen(
    command, stdin=side, stdout=side, stderr=side, start_new_session=True,
    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
)
os.set_blocking(terminal, False)
written, is_asked = b"", False
while True:
    has_ended = process.poll() is not None
    try:
        while piece := os.read(terminal, 65536):
            written += piece
    except BlockingIOError:
        pass
    if answer and not is_asked and b"\x1b[c" in written:
        is_asked = True
        os.write(terminal, answer)
    if has_ended:
        break
    time.sleep(0.01)
print("as before" if termios.tcgetattr(side) == before else "altered", file=sys.stderr)
sys.stdout.buffer.write(written)
sys.stdout.flush()
sys.exit(process.returncode)
