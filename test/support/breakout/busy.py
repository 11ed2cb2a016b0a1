"""An agent that makes every kind of request once: permitted, echoed, refused; then waits for a line."""
import os, subprocess, sys

hosts = ["https://listed.example/public/ok", "https://keyed.example/echo/body", "https://open.example/x"]
hosts += [f"https://listed.example/public/echo/{how}" for how in ("body", "header", "base64", "gzip", "error", "trailer")]
hosts += ["https://evil.example/", "https://listed.example/secret", "http://listed.example/", "https://metadata.example/"]
for url in hosts:
    done = subprocess.run(["curl", "-sS", "-i", "--compressed", "-m5", url], capture_output=True)
    open("seen", "ab").write(done.stdout + done.stderr)
print("DONE", flush=True)
try:
    import time
    time.sleep(60)
except KeyboardInterrupt:
    pass
