// Longer than 300 lines because it is a table: one entry after the other, with nothing to split it by.
import { type Vector, vectors } from "../../support/breakout/vector.ts"

/** Around the proxy by way of the machine: its kernel, its processes, its sockets and files. */

/** Another kernel or machine may lack what these need. */
const x86 = { mayLack: true } as const

const kernel = vectors(
  { gate: "seccomp", leak: "said", lang: "py" },
  ["AF_VSOCK", "own", `opens(40, socket.SOCK_STREAM, 0)`, x86],
  ["AF_PACKET", "own", `opens(socket.AF_PACKET, socket.SOCK_RAW, 0x0300)`],
  ["AF_ALG", "own", `opens(38, socket.SOCK_SEQPACKET, 0)`, x86],
  ["AF_NETLINK for the audit or the firewall", "9", `opens(socket.AF_NETLINK, socket.SOCK_RAW, 12)`, x86],
  ["AF_BLUETOOTH", "own", `opens(31, socket.SOCK_RAW, 1)`, x86],
  ["AF_XDP", "own", `opens(44, socket.SOCK_RAW, 0)`, x86],
  ["AF_TIPC", "own", `opens(30, socket.SOCK_DGRAM, 0)`, x86],
  ["SCTP", "own", `opens(socket.AF_INET, socket.SOCK_STREAM, 132)`, x86],
  [
    "io_uring",
    "own",
    `
if syscall(425, 4, ctypes.create_string_buffer(256)) >= 0: leak("io_uring")`,
    x86,
  ],
  [
    "bpf",
    "own",
    `
attr = struct.pack("IIIII", 2, 4, 8, 1, 0) + b"\\0" * 100
if syscall(321, 0, attr, len(attr)) >= 0: leak("bpf")`,
    x86,
  ],
  [
    "the kernel's keyrings",
    "own",
    `
if syscall(248, b"user\\0", b"bottle-breakout\\0", B, len(B), -1) > 0: leak("add_key")
if syscall(250, 0, -3, 0) > 0: leak("keyctl")`,
    x86,
  ],
  ["userfaultfd", "own", `if syscall(323, 1) >= 0: leak("userfaultfd")`, x86],
  [
    "perf events",
    "own",
    `
if syscall(298, struct.pack("II", 1, 120) + b"\\0" * 120, 0, -1, -1, 0) >= 0: leak("perf_event_open")`,
    x86,
  ],
  [
    "a new user namespace",
    "21",
    `
if syscall(272, 0x10000000) >= 0: leak("unshare")`,
  ],
  [
    "a new user namespace by clone",
    "21",
    `
pid = syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
if pid == 0: os._exit(0)
if pid > 0: leak("clone")`,
    x86,
  ],
  [
    "a new namespace by clone3",
    "21",
    `
args = struct.pack("QQQQQQQQ", 0x10000000, 0, 0, 0, 17, 0, 0, 0)
pid = syscall(435, args, len(args))
if pid == 0: os._exit(0)
if pid > 0: leak("clone3")`,
    x86,
  ],
  [
    "mounting",
    "21",
    `
os.makedirs("/tmp/m", exist_ok=True)
if libc.unshare(0x00020000) == 0 and libc.mount(b"none", b"/tmp/m", b"tmpfs", 0, None) == 0: leak("mount")`,
  ],
  [
    "the new mount calls",
    "21",
    `
if syscall(430, b"tmpfs\\0", 0) >= 0: leak("fsopen")
if syscall(428, -100, b"/\\0", 1) >= 0: leak("open_tree")`,
    x86,
  ],
  [
    "chroot and pivot_root",
    "21",
    `
if os.fork() == 0:
    try: os.chroot("/tmp"); leak("chroot")
    except OSError as e: print(e)
    os._exit(0)
os.wait()`,
  ],
  [
    "open_by_handle_at",
    "own",
    `
if syscall(303, -100, b"/usr\\0", ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + b"\\0" * 128), ctypes.byref(ctypes.c_int()), 0) == -22: print("-")
if syscall(304, -100, ctypes.create_string_buffer(struct.pack("Ii", 8, 1) + b"\\0" * 128), 0) not in (-1, -38): leak("open_by_handle_at")`,
    x86,
  ],
  [
    "32-bit system calls",
    "own",
    `
import mmap
code = bytes.fromhex("53b867010000bb28000000b90100000031d2cd805bc3")
m = mmap.mmap(-1, 4096, prot=7); m.write(code)
fd = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()
if fd >= 0: leak("int 0x80 gave AF_VSOCK")`,
    x86,
  ],
  [
    "x32 system calls",
    "own",
    `
if syscall(0x40000000 | 41, 2, 1, 0) >= 0: leak("x32")`,
    x86,
  ],
  ["loading a module", "own", `if syscall(313, 0, b"\\0", 0) not in (-1, -38): leak("finit_module")`, x86],
  [
    "typing into the terminal",
    "own",
    `
import fcntl, pty, termios
pid, fd = pty.fork()
if pid == 0:
    try: fcntl.ioctl(0, termios.TIOCSTI, b"x"); os.write(1, b"PUSHED")
    except OSError as e: os.write(1, str(e).encode())
    os._exit(0)
time.sleep(0.3); out = os.read(fd, 999); print(out)
if b"PUSHED" in out: leak("TIOCSTI")`,
    x86,
  ],
  [
    "typing into the terminal with a widened request",
    "own",
    `
import pty, termios
pid, fd = pty.fork()
if pid == 0:
    r = syscall(16, 0, (1 << 32) | termios.TIOCSTI, b"x"); os.write(1, b"PUSHED" if r >= 0 else str(r).encode())
    os._exit(0)
time.sleep(0.3); out = os.read(fd, 999); print(out)
if b"PUSHED" in out: leak("TIOCSTI")`,
    x86,
  ],
  [
    "the console's selection",
    "own",
    `
import fcntl, pty
pid, fd = pty.fork()
if pid == 0:
    try: fcntl.ioctl(0, 0x541c, b"\\x02" + b"\\0" * 16); os.write(1, b"PUSHED")
    except OSError as e: os.write(1, str(e).encode())
    os._exit(0)
time.sleep(0.3)
if b"PUSHED" in os.read(fd, 999): leak("TIOCLINUX")`,
    x86,
  ],
)

const settings = vectors(
  { gate: "user namespace", leak: "said", lang: "sh" },
  [
    "writing core_pattern",
    "own",
    `v=$(cat /proc/sys/kernel/core_pattern); printf '%s\\n' "$v" > /proc/sys/kernel/core_pattern && echo LEAK`,
  ],
  [
    "writing any kernel setting",
    "own",
    `for f in /proc/sys/vm/overcommit_memory /proc/sys/kernel/printk /proc/sys/fs/pipe-max-size; do v=$(cat $f); (printf '%s\\n' "$v" > $f) 2>/dev/null && echo LEAK $f; done`,
  ],
  [
    "writing a setting of the network",
    "9",
    `v=$(cat /proc/sys/net/ipv4/ip_forward); printf '%s\\n' "$v" > /proc/sys/net/ipv4/ip_forward && echo LEAK`,
  ],
  ["the kernel's emergency keys", "own", `test -w /proc/sysrq-trigger && echo LEAK`, { mayLack: true }],
  ["writing /sys", "own", `find /sys -maxdepth 3 -type f -writable 2>/dev/null | head -1 | grep . && echo LEAK`],
  [
    "a network interface of one's own",
    "9",
    `ip link add bbx type dummy 2>/dev/null && echo LEAK && ip link del bbx; python3 -c '
import socket
s=socket.socket(socket.AF_NETLINK,socket.SOCK_RAW,0); s.close()'`,
    { unshown: "a dummy interface needs a module" },
  ],
  ["a tunnel device", "own", `python3 -c 'open("/dev/net/tun","r+b",0); print("LEAK")'`],
  [
    "the machine's memory and disks",
    "own",
    `for d in /dev/mem /dev/kmem /dev/vda /dev/sda /dev/kvm /dev/fuse /dev/vsock /dev/kmsg; do (: < $d) 2>/dev/null && echo LEAK $d; done`,
  ],
  ["the kernel's log", "own", `dmesg 2>/dev/null | grep -q . && echo LEAK`],
)

/** The harness plants a process on the host with a secret in its environment and memory: $DECOY_PID, $DECOY_WORD. */
const others = vectors(
  { gate: "pid namespace", leak: "said", lang: "py" },
  [
    "a secret in another's environment",
    "own",
    `
import glob
for f in glob.glob("/proc/[0-9]*/environ"):
    try:
        if os.environ["DECOY_WORD"].encode() in open(f, "rb").read().split(b"DECOY_WORD=")[0]: leak(f)
    except OSError: pass`,
  ],
  [
    "a secret on another's command line",
    "own",
    `
import glob
for f in glob.glob("/proc/[0-9]*/cmdline"):
    try: text = open(f, "rb").read()
    except OSError: continue
    if b"decoy-on-the-" + b"host" in text and b"import" not in text: leak(f)`,
  ],
  [
    "signals to the host's processes",
    "own",
    `
try: os.kill(int(os.environ["DECOY_PID"]), 0); leak("kill")
except OSError as e: print(e)`,
  ],
  [
    "tracing the host's processes",
    "own",
    `
pid = int(os.environ["DECOY_PID"])
if syscall(101, 0x4206, pid, 0, 0) >= 0: leak("ptrace"); syscall(101, 17, pid, 0, 0)`,
  ],
  [
    "reading the host's memory",
    "own",
    `
pid = int(os.environ["DECOY_PID"])
try: open(f"/proc/{pid}/mem", "rb").close(); leak("mem")
except OSError as e: print(e)`,
  ],
  [
    "the host's files through another's root",
    "21",
    `
pid = os.environ["DECOY_PID"]
for way in ("root", "cwd", "fd"):
    try: print(os.listdir(f"/proc/{pid}/{way}")[:1]); leak(way)
    except OSError as e: print(e)`,
  ],
  [
    "another's namespaces",
    "21",
    `
try: fd = os.open("/proc/%s/ns/net" % os.environ["DECOY_PID"], os.O_RDONLY)
except OSError as e: print(e); sys.exit(0)
if libc.setns(fd, 0) == 0: leak("setns")`,
  ],
  [
    "pidfd to the host's processes",
    "own",
    `
if syscall(434, int(os.environ["DECOY_PID"]), 0) >= 0: leak("pidfd_open")`,
  ],
  [
    "a Unix socket by abstract name",
    "own",
    `
s = socket.socket(socket.AF_UNIX); s.connect("\\0bottle-breakout-host"); s.sendall(B); leak("abstract")`,
  ],
  [
    "System V memory of the host",
    "own",
    `
if libc.shmget(int(os.environ["DECOY_SHM"], 0), 0, 0) >= 0: leak("shmget")`,
  ],
)

const files = vectors(
  { gate: "mounts", leak: "said", lang: "sh" },
  ["the operator's home", "own", `cat "$HOST_HOME/.ssh/id_ed25519" && echo LEAK`],
  ["the operator's state root", "11", `ls "$HOST_BOT_HOME" | grep . && echo LEAK`],
  ["the keeper's and sidecars' runtime directory", "11", `ls "$HOST_RUNTIME" && echo LEAK`],
  [
    "any socket of the host",
    "7",
    `for s in "$HOST_SOCKET" /var/run/docker.sock /run/docker.sock /run/dbus/system_bus_socket /run/systemd/private; do test -S "$s" && echo "LEAK $s"; done`,
  ],
  [
    "tmux' and ssh-agent's sockets",
    "24",
    `echo "$SSH_AUTH_SOCK$TMUX"; ls -d /tmp/tmux-* /tmp/ssh-* "$HOST_TMUX" 2>/dev/null | grep . && echo LEAK`,
  ],
  [
    "the control channel and the keeper",
    "11",
    `find / -xdev -type s 2>/dev/null | grep -v -e '/run/bottle/net/egress.sock$' -e '/run/bottle/guest/s$' | grep -e keeper -e ctl -e control -e decoy && echo LEAK`,
  ],
  [
    "every socket in sight",
    "11",
    `find / -type s -not -path '/proc/*' 2>/dev/null | grep -v -e '^/run/bottle/net/egress.sock$' -e '^/run/bottle/net/supervise.sock$' -e '^/run/bottle/guest/s$' -e "^$HERE" | grep . && echo LEAK`,
  ],
  ["files of other people", "own", `cat /etc/shadow /etc/sudoers 2>/dev/null | grep . && echo LEAK`],
  ["the host's user names", "own", `grep -c . /etc/passwd; grep "$DECOY_USER" /etc/passwd && echo LEAK`],
  [
    "the host's name and addresses",
    "own",
    `cat /etc/hosts /etc/hostname /etc/resolv.conf 2>/dev/null; grep -q 198.18.0.2 /etc/resolv.conf && echo LEAK`,
  ],
  [
    "the host's mounts",
    "own",
    `grep -F "$HOST_DIR" /proc/self/mountinfo && echo LEAK`,
    {
      unshown: "outside nothing is bound",
      limit: "a bind mount tells where on its file system it lies: the agent learns the path of the state directory",
    },
  ],
  [
    "writing where programs are",
    "own",
    `for d in /usr/bin /usr/local/bin /etc /opt /bin /lib /run/bottle/net /usr/lib; do (: > $d/bb-probe) 2>/dev/null && rm $d/bb-probe && echo "LEAK $d"; done`,
  ],
  [
    "remounting what is read-only",
    "21",
    `mount -o remount,rw /usr && echo LEAK; umount -l /usr/bin && echo LEAK`,
    { unshown: "outside it would change this machine" },
  ],
  [
    "replacing the binary or a sidecar's socket",
    "11",
    `(: >> /run/bottle/bottle) && echo LEAK; rm -f /run/bottle/net/egress.sock && echo LEAK; mv /run/bottle/net /tmp/n && echo LEAK`,
    { unshown: "there is none outside" },
  ],
  [
    "memory through descriptors of the first process",
    "own",
    `for f in /proc/1/fd/* /proc/self/fd/*; do readlink $f; done | grep -e '^/' | grep -F "$HOST_DIR" && echo LEAK`,
    { unshown: "the first process of the host is another's" },
  ],
)

const slots = vectors(
  { gate: "mounts", leak: "secret", lang: "sh", unshown: "outside no slot is there to hunt" },
  ["the slot in the environment", "own", `env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'`],
  [
    "the slot in a file",
    "own",
    `grep -rasl "$SLOT_HEAD" /run /tmp /home /etc /var /dev/shm "$HOME" . 2>/dev/null | grep -v vectors.json | xargs -r cat | head -c 100000`,
  ],
  [
    "the slot in a descriptor",
    "own",
    `for f in /proc/[0-9]*/fd/*; do timeout 0.2 head -c 4096 "$f" 2>/dev/null; done | head -c 100000`,
  ],
  [
    "the slot in the first process' memory",
    "own",
    `python3 - <<'X'
import re
for pid in ("1",):
    try:
        maps = open(f"/proc/{pid}/maps").read(); mem = open(f"/proc/{pid}/mem", "rb")
    except OSError as e: print(e); continue
    import os
    head = os.environ["SLOT_HEAD"].encode()
    for line in maps.splitlines():
        a, b = (int(x, 16) for x in line.split()[0].split("-"))
        if b - a > 1 << 26 or "r" not in line.split()[1]: continue
        try: mem.seek(a); data = mem.read(b - a)
        except (OSError, ValueError, OverflowError): continue
        at = data.find(head)
        if at >= 0: print(data[at:at + 100])
X`,
  ],
  [
    "the CA's key",
    "own",
    `find / -xdev -type f -size -64k \\( -name '*.key' -o -name '*.pem' -o -path '/run/*' \\) 2>/dev/null | xargs -r grep -l 'PRIVATE KEY' 2>/dev/null | grep -v '^/usr/' | grep . && echo LEAK`,
  ],
)

const weight = vectors(
  { gate: "limits", leak: "said", lang: "py", alone: true, unshown: "this machine would feel it" },
  [
    "a fork bomb",
    "own",
    `
count = 0
try:
    while count < 3000:
        if os.fork() == 0: time.sleep(30); os._exit(0)
        count += 1
except OSError as e: print(e)
print(count, flush=True)
if count >= 3000: leak("no limit on processes")
os.killpg(0, 9)`,
  ],
  [
    "the host's runtime directory filled",
    "own",
    `
size = 0
try: os.chmod("/run/bottle/guest", 0o700)
except OSError as e: print(e)
try:
    with open("/run/bottle/guest/fill", "wb") as f:
        for _ in range(64): f.write(b"x" * 1048576); f.flush(); size += 1
    leak(size, "MB beside limits.disk, where the host keeps its sockets")
except OSError as e: print(e)
finally:
    try: os.unlink("/run/bottle/guest/fill")
    except OSError: pass`,
  ],
  [
    "all connections of the proxy held",
    "own",
    `
held = []
try:
    for _ in range(1500):
        s = socket.create_connection(PROXY, 1); s.sendall(b"GET "); held.append(s)
except OSError as e: print(e)
print(len(held))`,
  ],
)

export const machine: readonly Vector[] = [...kernel, ...settings, ...others, ...files, ...slots, ...weight]
