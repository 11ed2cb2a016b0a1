import { version } from "../../lib/version.ts"
import { safeJson } from "../../ui/safe-text.ts"
import type { AuditEntry } from "../types.ts"
import { hasFailed, type Weight, weigh } from "./weight.ts"

/** The version of the schema that this follows. */
const schema = "1.3.0"
const category = { uid: 3, name: "Identity & Access Management" } as const
/** Entity Management: a managed entity, here a bottle with its policy, was made, changed or removed. */
const eventClass = { uid: 3004, name: "Entity Management" } as const
const other = 99

/** `activity_id` of the class, and its caption there; what it has no word for is 99 with our own. */
const activities: Readonly<Record<string, readonly [id: number, name: string]>> = {
  start: [1, "Create"],
  proof: [2, "Read"],
  approve: [3, "Update"],
  modify: [3, "Update"],
  undo: [3, "Update"],
  "operator-edit": [3, "Update"],
  destroy: [4, "Delete"],
  end: [11, "Deactivate"],
  stop: [11, "Deactivate"],
  closed: [11, "Deactivate"],
  resume: [13, "Resume"],
}

const severities: Readonly<Record<Weight, readonly [id: number, name: string]>> = {
  routine: [1, "Informational"],
  decision: [2, "Low"],
  refusal: [3, "Medium"],
  failure: [4, "High"],
}

/** One event of the Open Cybersecurity Schema Framework, class 3004, as one line of JSON. */
export function ocsfLine(entry: AuditEntry): string {
  const { operator_action: action, bottle_slug: slug, component } = entry
  const [activity, activityName] = Object.hasOwn(activities, action)
    ? (activities[action] ?? [other, action])
    : [other, action]
  const [severity, severityName] = severities[weigh(entry)]
  const failed = hasFailed(entry)
  const event = {
    activity_id: activity,
    activity_name: activityName,
    category_uid: category.uid,
    category_name: category.name,
    class_uid: eventClass.uid,
    class_name: eventClass.name,
    type_uid: eventClass.uid * 100 + activity,
    type_name: `${eventClass.name}: ${activityName}`,
    time: Date.parse(entry.timestamp),
    severity_id: severity,
    severity: severityName,
    status_id: failed ? 2 : 1,
    status: failed ? "Failure" : "Success",
    message: `${component} ${action} of bottle ${slug}`,
    ...(entry.operator_notes === "" ? {} : { comment: entry.operator_notes }),
    actor: { app_name: "bot-bottle" },
    entity: { name: slug, uid: slug, type: "bottle" },
    metadata: {
      version: schema,
      product: { name: "bot-bottle", vendor_name: "bot-bottle", version },
      uid: entry.hash,
      sequence: entry.seq,
      event_code: `${component}:${action}`,
      log_name: "audit",
      original_time: entry.timestamp,
    },
    unmapped: {
      component,
      operator_action: action,
      justification: entry.justification,
      diff: entry.diff,
      ...(entry.detail === undefined ? {} : { detail: entry.detail }),
      prev_hash: entry.prev_hash,
      hash: entry.hash,
    },
  }
  return safeJson(event, 0)
}
