import type { DemoReport } from "../bottle/demo/demo.ts"
import { wrapText } from "./wrap.ts"

/** What the kernel says when not a packet could be sent. */
const noWay = ["ENETUNREACH", "ENETDOWN", "EPERM", "EACCES", "EAFNOSUPPORT"]

/** One line of the demo: what was tried, and whether it came out as promised. */
export interface DemoFinding {
  name: string
  ok: boolean
  text: string
  /** Printed under it. */
  more?: string
}

/** Judge a demo by what was seen on both sides; nothing here is assumed. */
export function judgeDemo(report: DemoReport): DemoFinding[] {
  const { ready, token, upstreamSaw } = report
  const [held, allowed, refused, direct] = ["token", "allowed", "refused", "direct"].map((step) =>
    report.sightings.find((sighting) => sighting.step === step),
  )
  const failed = ready.probes.filter((probe) => !probe.ok)
  const findings: DemoFinding[] = [
    {
      name: "fence",
      ok: failed.length === 0 && ready.probes.length > 0,
      text: `${ready.probes.length - failed.length} of ${ready.probes.length} probes, from inside and outside, hold`,
    },
  ]
  if (allowed?.step === "allowed") {
    findings.push({
      name: "allowed",
      ok: allowed.status === 200,
      text: `GET https://api.demo.example/v1/hello: ${allowed.status}`,
    })
    const sawReal = upstreamSaw.length === 1 && upstreamSaw[0] === `Bearer ${token}`
    findings.push({ name: "token", ok: sawReal, text: `the upstream got the real one: Bearer ${token.slice(0, 14)}…` })
  }
  if (held?.step === "token") {
    findings.push({ name: "agent", ok: held.holds !== token, text: `the agent holds only: ${held.holds}` })
  }
  if (allowed?.step === "allowed") {
    const leaked = allowed.body.includes(token)
    findings.push({
      name: "echo",
      ok: !leaked,
      text: `echoed back it reads: ${shorten(allowed.body.split(": ").at(-1) ?? "")}`,
    })
  }
  if (refused?.step === "refused") {
    const { reason, remedy } = readRefusal(refused.body)
    findings.push({
      name: "refused",
      ok: refused.status === 403,
      text: `${refused.url}: ${refused.status || "no tunnel"} ${reason}`,
      more: remedy,
    })
  }
  if (direct?.step === "direct") {
    const ok = noWay.includes(direct.error)
    findings.push({
      name: "direct",
      ok,
      text: `TCP to ${direct.address}: ${direct.error || "CONNECTED"}`,
    })
  }
  findings.push({
    name: "gone",
    ok: report.settled?.kept === false,
    text: report.settled?.kept === false ? "bottle ended, nothing left behind" : "state was kept",
  })
  return complete(findings)
}

/** A step without a sighting is a failure, not a line that is missing. */
function complete(findings: DemoFinding[]): DemoFinding[] {
  const wanted = ["fence", "allowed", "token", "agent", "echo", "refused", "direct", "gone"]
  return wanted.map(
    (name) => findings.find((each) => each.name === name) ?? { name, ok: false, text: "the agent reported nothing" },
  )
}

/** About ten lines of at most 80 columns. */
export function demoLines(report: DemoReport, findings: readonly DemoFinding[]): string[] {
  const lines = [`bottle demo: a scripted agent in ${report.slug} (${report.backend})`]
  for (const { name, ok, text, more } of findings) {
    lines.push(...wrapText(` ${ok ? "✓" : "✗"} ${name.padEnd(8)} ${text}`, indent))
    if (more) lines.push(...wrapText(`${" ".repeat(indent)}${more}`, indent))
  }
  const good = findings.every((finding) => finding.ok)
  const up = `up in ${Math.round(report.ready.milliseconds)} ms`
  return [
    ...lines,
    good ? `${up}; next: bottle init, then bottle start` : `something did not hold: bottle logs ${report.slug}`,
  ]
}

/** Where the text of a line begins. */
const indent = 12

function readRefusal(body: string): { reason: string; remedy: string } {
  try {
    const { error } = JSON.parse(body) as { error: { gate: string; message: string; remedy: string } }
    return { reason: `by ${error.gate}`, remedy: error.remedy }
  } catch {
    return { reason: shorten(body), remedy: "" }
  }
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
