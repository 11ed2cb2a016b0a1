import { writeFileSync } from "node:fs"
import { backend } from "./test-bottle.ts"

/** A keeper that starts a bottle, writes down what it must, and is then killed by the test. */
const [spec = "", record = ""] = process.argv.slice(2)
await backend.launch(JSON.parse(spec), async (value) => writeFileSync(record, JSON.stringify(value)))
console.log("launched")
setInterval(() => {}, 1000)
