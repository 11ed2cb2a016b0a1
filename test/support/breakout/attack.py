"""What attacks have in common. Runs inside a bottle and outside; needs Python 3.9 and nothing else."""
import base64, ctypes, gzip, os, socket, ssl, struct, subprocess, sys, threading, time

CANARY = os.environ.get("CANARY", "")
PROXY = ("127.0.0.1", 9099)
B = CANARY.encode()
# How many times longer than usual everything takes at the moment: `runner.py` measures it.
PACE = float(os.environ.get("PACE", "1"))


def leak(*why):
    print("LEAK", *why, flush=True)


def read(stream, idle=0.7, limit=200000):
    """All that comes until it stops coming."""
    stream.settimeout(idle * PACE)
    got = b""
    try:
        while len(got) < limit:
            part = stream.recv(65536)
            if not part:
                break
            got += part
    except (OSError, ssl.SSLError):
        pass
    return got


def show(data):
    sys.stdout.buffer.write(data + b"\n")
    sys.stdout.flush()


def tcp(host, port, data=None):
    """Send the canary straight to an address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(1 * PACE)
        s.connect((host, port))
        s.sendall(data or b"GET /" + B + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        show(read(s, 0.3))


def udp(host, port, connected=False, data=None):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        data = data or B
        if connected:
            s.connect((host, port))
            s.send(data)
        else:
            s.sendto(data, (host, port))


def raw(data, idle=0.7):
    """Bytes to the proxy, as they are; what it says."""
    with socket.create_connection(PROXY, 2 * PACE) as s:
        s.sendall(data)
        got = read(s, idle)
        show(got)
        return got


def tunnel(authority="listed.example:443", sni="listed.example", alpn=None, head=None):
    """CONNECT, then TLS without any checks. `sni` None sends none, False speaks no TLS."""
    s = socket.create_connection(PROXY, 2 * PACE)
    s.settimeout(3 * PACE)
    if isinstance(authority, str):
        authority = authority.encode()
    s.sendall(head or b"CONNECT " + authority + b" HTTP/1.1\r\nHost: " + authority + b"\r\n\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = s.recv(1)
        if not part:
            break
        answer += part
    if b" 200" not in answer.split(b"\r\n")[0]:
        show(answer + read(s, 0.3))
        sys.exit(0)
    if sni is False:
        return s
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    return context.wrap_socket(s, server_hostname=sni)


def ask(data, idle=0.7, **how):
    """Bytes into a tunnel; what comes back."""
    with tunnel(**how) as s:
        s.sendall(data.encode() if isinstance(data, str) else data)
        got = read(s, idle)
        show(got)
        return got


def get(path, *headers, host="listed.example", method="GET"):
    return ask("\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]), authority=f"{host}:443", sni=host)


libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def syscall(number, *arguments):
    """The result, or minus the error."""
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *wide)
    return -ctypes.get_errno() if result < 0 else result


def opens(*arguments):
    """Whether a socket of this kind can be had."""
    try:
        socket.socket(*arguments).close()
        leak("socket", arguments)
    except OSError as error:
        print(error)
