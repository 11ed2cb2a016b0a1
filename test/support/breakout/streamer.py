"""An agent that holds a stream open, tells when it breaks, and asks again until it is answered. Verifies TLS with what its bottle gave it."""
import http.client, os, ssl, sys, time

deadline = time.monotonic() + float(sys.argv[1])


def connect():
    c = http.client.HTTPSConnection("127.0.0.1", 9099, timeout=5, context=ssl.create_default_context())
    c.set_tunnel("listed.example", 443)
    return c


def status(path):
    try:
        c = connect()
        c.request("GET", path)
        return c.getresponse().status
    except (OSError, http.client.HTTPException, ssl.SSLError):
        return 0


def say(*words):
    print(*words, flush=True)


def stream():
    c = connect()
    c.request("GET", "/public/stream")
    answer = c.getresponse()
    say("STREAM", answer.status)
    try:
        while True:
            line = answer.readline()
            if not line:
                break
            if b"tick 3\n" in line:
                say("TICKING")
    except (OSError, http.client.HTTPException):
        pass
    say("BROKEN")


while time.monotonic() < deadline:
    try:
        stream()
    except (OSError, http.client.HTTPException, ssl.SSLError):
        time.sleep(0.02)
        continue
    start = time.monotonic()
    while status("/public/again") != 200 and time.monotonic() < deadline:
        time.sleep(0.01)
    say("BACK", round((time.monotonic() - start) * 1000))
    say("FORBIDDEN", status("/secret/again"))
