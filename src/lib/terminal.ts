import type { Readable, Writable } from "node:stream"
import { safeText } from "../ui/safe-text.ts"
import { BottleError } from "./errors.ts"

/** Questions to the person at the terminal. Each throws `BottleError`: exit 2 without a terminal, 130 when cancelled. */
export interface Terminal {
  readonly interactive: boolean
  /** Ask for a value that is never shown while typed. `what` names it in the error, e.g. `GITHUB_TOKEN`. */
  askSecret(question: string, what: string): Promise<string>
  /** Ask yes or no; anything but a yes is no. `otherwise` is the hint without a terminal, e.g. `pass --yes`. */
  confirm(question: string, otherwise: string): Promise<boolean>
}

/**
 * The terminal of this process, or of a test. `interactive` is whether both ends are a terminal: clack would hang or
 * print into a pipe (FACTS 27). The streams are opened only for a question.
 */
export function createTerminal(interactive: boolean, open: () => { input: Readable; output: Writable }): Terminal {
  return {
    interactive,
    async askSecret(question, what) {
      if (!interactive)
        throw noTerminal(`${what} must be asked for`, "run this in a terminal, or give the value another way")
      const { password, isCancel } = await import("@clack/prompts")
      const answer = await password({ message: safeText(question), mask: "", ...open() })
      if (isCancel(answer)) throw cancelled()
      return answer ?? ""
    },
    async confirm(question, otherwise) {
      if (!interactive) throw noTerminal("this needs your confirmation", otherwise)
      const { confirm, isCancel } = await import("@clack/prompts")
      const answer = await confirm({ message: safeText(question), initialValue: false, ...open() })
      if (isCancel(answer)) throw cancelled()
      return answer
    },
  }
}

/** The person backed out of a question: exit 130, nothing was done. */
export function cancelled(): BottleError {
  return new BottleError("cancelled", { code: "cancelled", exit: "cancelled" })
}

function noTerminal(message: string, hint: string): BottleError {
  return new BottleError(`${message}, and there is no terminal`, { code: "no-terminal", exit: "usage", hint })
}
