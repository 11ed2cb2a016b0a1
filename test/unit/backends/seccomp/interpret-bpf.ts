/** A classic BPF machine with the instructions that a seccomp filter may use: enough to run ours in a test. */

export interface SeccompData {
  nr: number
  arch: number
  args?: readonly bigint[]
}

export function runFilter(program: Uint8Array, data: SeccompData): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const input = new DataView(new ArrayBuffer(64))
  input.setUint32(0, data.nr >>> 0, true)
  input.setUint32(4, data.arch, true)
  ;(data.args ?? []).forEach((arg, index) => {
    input.setBigUint64(16 + index * 8, arg, true)
  })
  let accumulator = 0
  for (let at = 0; ; at++) {
    if (at * 8 >= program.length) throw new Error("the program ran past its end")
    const jt = code.getUint8(at * 8 + 2)
    const jf = code.getUint8(at * 8 + 3)
    const k = code.getUint32(at * 8 + 4, true)
    const branch = (taken: boolean) => {
      at += taken ? jt : jf
    }
    switch (code.getUint16(at * 8, true)) {
      case 0x20:
        accumulator = input.getUint32(k, true)
        break
      case 0x05:
        at += k
        break
      case 0x15:
        branch(accumulator === k)
        break
      case 0x35:
        branch(accumulator >= k)
        break
      case 0x45:
        branch((accumulator & k) !== 0)
        break
      case 0x06:
        return k
      default:
        throw new Error(`unknown instruction at ${at}`)
    }
  }
}
