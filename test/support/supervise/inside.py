"""Tries from inside a bottle everything about supervise that is not asking; prints one JSON object."""
import json, os, socket, urllib.request

seen = {}


def attempt(name, act):
    try:
        seen[name] = act()
    except Exception as error:
        seen[name] = type(error).__name__


def ask(name, arguments):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    request = urllib.request.Request("http://127.0.0.1:9100/mcp", json.dumps(body).encode(), headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return answer.read().decode()


def through_proxy(first):
    with socket.create_connection(("127.0.0.1", 9099), timeout=30) as proxy:
        proxy.sendall(first.encode())
        return proxy.recv(100).decode("latin1").split(" ")[1]


config = "/etc/bot-bottle/current-config"
net = "/run/bottle/net"
attempt("routes", lambda: open(config + "/routes.yaml").read())
attempt("allowlist", lambda: open(config + "/allowlist").read())
attempt("write", lambda: open(config + "/routes.yaml", "w") and "WRITTEN")
attempt("plant", lambda: os.symlink("/etc/passwd", config + "/x") or "PLANTED")
attempt("swap", lambda: os.rename(config, "/etc/bot-bottle/other") or "MOVED")
attempt("steal", lambda: os.unlink(net + "/supervise.sock") or "REMOVED")
attempt("squat", lambda: socket.socket(socket.AF_UNIX).bind(net + "/other.sock") or "BOUND")
attempt("control", lambda: [name for name in os.listdir("/run/bottle") if name in ("ctl", "config", "keeper.sock")])
attempt("tunnel", lambda: through_proxy("CONNECT 127.0.0.1:9100 HTTP/1.1\r\nHost: 127.0.0.1:9100\r\n\r\n"))
attempt("absolute", lambda: through_proxy("GET http://127.0.0.1:9100/mcp HTTP/1.1\r\nHost: 127.0.0.1:9100\r\n\r\n"))
attempt("list", lambda: ask("list-egress-routes", {}))
attempt("stop", lambda: ask("stop", {}))
print(json.dumps(seen))
