"""A stand-in for everything of an operator's that an attack looks for: memory, sockets, a process with a secret."""
import ctypes, os, socket, sys, time

_, path, key = sys.argv[:3]
kept = []
for name in (path, "\0bottle-breakout-host"):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.bind(name)
    except OSError:
        continue  # The abstract name is one for each namespace, and an earlier decoy has it.
    s.listen()
    kept.append(s)
shm = ctypes.CDLL(None).shmget(int(key, 0), 4096, 0o1666)
print(os.getpid(), flush=True)
try:
    time.sleep(600)
finally:
    ctypes.CDLL(None).shmctl(shm, 0, None)
