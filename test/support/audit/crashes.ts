import { writeFileSync } from "node:fs"
import { edit, lines, type Tampering, write } from "./tamper.ts"

/** What a crash leaves, and nothing else: a warning. */
export const crashes: readonly Tampering[] = [
  { name: "nothing", says: /^$/, tamper: () => undefined },
  {
    name: "a torn line",
    says: /6 bytes of a line that a killed keeper did not finish/,
    tamper: (place) => writeFileSync(place.log("a-11111"), `${lines(place, "a-11111").join("\n")}\n{"torn`),
  },
  {
    name: "a torn head line",
    says: /6 bytes of a line that a killed keeper did not finish/,
    tamper: (place) => writeFileSync(place.log("head"), `${lines(place, "head").join("\n")}\n{"torn`),
  },
  {
    name: "a line that did not get its head",
    says: /entry 5 is signed but not in the head yet/,
    tamper: edit("head", (all) => all.slice(0, 14)),
  },
  {
    name: "a first line that did not get its head",
    says: /entry 1 is signed but not in the head yet/,
    tamper: async (place) => {
      const before = lines(place, "head")
      await place.write("d-44444", "start")
      write(place, "head", before)
    },
  },
  { name: "a log without a line", says: /^$/, tamper: (place) => writeFileSync(place.log("d-44444"), "") },
]
