import { type Act, act as reallyAct } from "./act.ts"
import { BottleLog } from "./bottle-log.ts"
import { openKey, publishKey } from "./key.ts"
import type { AuditEntry, AuditFact, AuditLog } from "./types.ts"

export interface AuditDeps {
  /** The directories of the logs and of the key (DESIGN §7); made on first use. */
  paths: { audit: string; keys: string }
  now?: () => Date
  act?: Act
}

export interface AuditPen extends AuditLog {
  /** Give the log up once what was begun is written; a later `append` opens it again. */
  close(): Promise<void>
}

/**
 * The pen of a bottle's audit (SECURITY 26, 28). Opening it touches nothing; the first `append` makes the key and the
 * log, or goes on with the log there is, under whichever keeper.
 *
 * An entry is made in this order: (1) the line, signed by itself, is written to `<slug>.jsonl` and synced; (2) a line
 * that names its number and hash is signed, written to `head.jsonl` and synced; (3) `append` resolves. So
 * after a crash at any instruction:
 *
 * - before (1) is whole, the log ends without a line feed. Nobody was told of that entry. Who writes next moves the
 *   torn bytes aside and says so in an entry; until then `verify` warns.
 * - between (1) and (2) the log is one line ahead of its head. The line's own signature tells it from one that
 *   somebody appended. Who writes next enters its head; until then `verify` warns. Two lines ahead no crash leaves,
 *   because every line has its head before the next is written: `verify` finds that the head was cut.
 * - while (2) is written, `head.jsonl` ends without a line feed, and the log is one line ahead.
 *
 * The head is never ahead of the log, and neither file is ever replaced or shortened below a whole line that has a
 * head. So a log that is shorter than its head says, a line that differs, a gap, and a head line without its log are
 * never a crash. Tampering that leaves exactly what a crash leaves is a cut of the head's very last line: the entry
 * it was for is still there, signed.
 *
 * Every head line hangs on the one before, and is written only after that one's signature was checked. One valid
 * signature at the end therefore vouches for all of both files. What it cannot show is a return of the whole folder to
 * an earlier state: for that, keep the last hash that `verify` prints somewhere else.
 */
export function openAudit(deps: AuditDeps, slug: string): AuditPen {
  const { paths, now = () => new Date(), act = reallyAct } = deps
  let log: BottleLog | undefined
  let published = false
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work)
    queue = done.catch(() => undefined)
    return done
  }
  const write = async (fact: AuditFact): Promise<AuditEntry> => {
    log ??= await BottleLog.open({ audit: paths.audit, key: await openKey(paths.keys, act), act, now }, slug)
    try {
      const entry = await log.append(fact)
      // The entry is made, whatever becomes of this: the next writer does it again.
      if (!published) await publishKey(paths.keys, act).catch(() => undefined)
      published = true
      return entry
    } catch (error) {
      const failed = log
      log = undefined
      await failed.abandon()
      throw error
    }
  }
  return {
    append: (fact) => inTurn(() => write(fact)),
    close: () =>
      inTurn(async () => {
        const open = log
        log = undefined
        await open?.close()
      }),
  }
}
