/**
 * Every change to a disk that the audit makes goes through one of these, with a name for the step. The real one just
 * acts; a test's ends the process before or after the step, or makes it fail.
 */
export type Act = <T>(step: string, act: () => Promise<T>) => Promise<T>

export const act: Act = (_step, change) => change()
