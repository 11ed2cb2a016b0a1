import { makeMessage, readAsEgress } from "./messages.ts"
import { expectSame, expectTrue, type Property } from "./property.ts"

/** What one client sends cannot end up as anything but what was read: no line, no second message hides in it. */
export const httpProperties: readonly Property[] = [
  {
    name: "a request reads the same however its bytes are cut",
    short: 3000,
    async check(random) {
      const bytes = makeMessage(random)
      const whole = await readAsEgress([bytes])
      expectSame("cut", await readAsEgress(random.slices(bytes)), whole)
      return typeof whole === "object"
    },
  },
  {
    name: "what is read of a request can be written again without a second reading",
    short: 3000,
    async check(random) {
      const read = await readAsEgress([makeMessage(random)])
      if (typeof read === "string") return false
      const { head, body } = read
      const fields = head.headers.filter(([name]) => !/^(?:content-length|transfer-encoding)$/i.test(name))
      for (const text of [head.method, head.target, ...head.headers.flat()]) {
        expectTrue(`a control character in ${JSON.stringify(text)}`, !/[\0-\x08\x0a-\x1f\x7f]/.test(text))
      }
      const framed = body === "" ? fields : [...fields, ["Content-Length", String(body.length)]]
      const text = `${head.method} ${head.target} HTTP/1.${head.minor}\r\n${framed.map(([n, v]) => `${n}: ${v}\r\n`).join("")}\r\n${body}`
      const again = await readAsEgress([Buffer.from(text, "latin1")])
      expectTrue("it is not read again", typeof again === "object")
      if (typeof again !== "object") return false
      expectSame("head", again.head, { ...head, headers: framed })
      expectSame("body", again.body, body)
      expectSame("length", again.length, text.length)
      return true
    },
  },
]
