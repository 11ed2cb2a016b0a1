import { dlopen, FFIType, ptr } from "bun:ffi"
import { appendFileSync } from "node:fs"

/**
 * `bun sniff.ts LOG`: write down every packet on every interface of this network namespace that opens something or
 * carries something without a connection: TCP SYN, UDP, ICMP echo, any other protocol. A packet is a leak even when nothing answers.
 */

const log = process.argv[2] ?? ""
const libc = dlopen("libc.so.6", {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  recvfrom: {
    args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.ptr, FFIType.ptr],
    returns: FFIType.i64,
  },
}).symbols

const [packetFamily, rawSocket, allProtocols] = [17, 3, 0x0300]
const fd = libc.socket(packetFamily, rawSocket, allProtocols)
if (fd < 0) throw new Error("no packet socket")
const frame = Buffer.alloc(65_536)
const from = Buffer.alloc(20)
const fromLength = new Uint32Array(1)
write({ kind: "ready" })

for (;;) {
  fromLength[0] = from.length
  const size = Number(libc.recvfrom(fd, ptr(frame), frame.length, 0, ptr(from), ptr(fromLength)))
  if (size < 0) continue
  const outgoing = from[10] === 4
  const event = outgoing ? readPacket(frame.readUInt16BE(12), frame.subarray(14, size)) : undefined
  if (event !== undefined) write(event)
}

function readPacket(type: number, packet: Buffer): object | undefined {
  if (type === 0x0806) return undefined
  if (type === 0x0800) {
    const head = ((packet[0] ?? 0) & 15) * 4
    return readPayload(packet[9] ?? 0, [...packet.subarray(16, 20)].join("."), packet.subarray(head))
  }
  if (type === 0x86dd) {
    const words = Array.from({ length: 8 }, (_, index) => packet.readUInt16BE(24 + index * 2).toString(16))
    return readPayload(packet[6] ?? 0, words.join(":"), packet.subarray(40))
  }
  return { kind: "packet", proto: `ethertype ${type.toString(16)}`, data: packet.toString("base64") }
}

function readPayload(proto: number, to: string, payload: Buffer): object | undefined {
  const data = payload.subarray(0, 2048).toString("base64")
  const port = payload.length >= 4 ? payload.readUInt16BE(2) : 0
  if (proto === 6) {
    const flags = payload[13] ?? 0
    return (flags & 0x12) === 0x02 ? { kind: "packet", proto: "tcp", to, port, data } : undefined
  }
  if (proto === 17) return { kind: "packet", proto: "udp", to, port, data }
  // Neighbours and routers talk without anyone's doing; so do errors about packets already seen.
  if (proto === 58) return payload[0] === 128 ? { kind: "packet", proto: "icmp6", to, port: 0, data } : undefined
  if (proto === 1) return payload[0] === 8 ? { kind: "packet", proto: "icmp", to, port: 0, data } : undefined
  if (proto === 0 || proto === 2) return undefined
  return { kind: "packet", proto: `ip ${proto}`, to, port: 0, data }
}

function write(event: object): void {
  appendFileSync(log, `${JSON.stringify(event)}\n`)
}
