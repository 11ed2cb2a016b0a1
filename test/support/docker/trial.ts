import { busyboxTree, importImage, makeEngine } from "./engine.ts"

/**
 * Why no engine can run a container here although it is installed (a machine that is a container itself, say), or
 * undefined. Takes about three seconds. For `requirePart("dockerd")` and busybox.
 */
export async function whyNoEngine(): Promise<string | undefined> {
  const { engine, dir, up, down } = makeEngine()
  try {
    await up()
    await importImage(engine, await busyboxTree(dir), "trial:1")
    await engine.docker("run", "--rm", "--network", "none", "trial:1", "/bin/sh", "-c", "true")
    return undefined
  } catch (error) {
    const words = Error.isError(error) ? error.message : String(error)
    return `dockerd runs no container here: ${words.trim().replaceAll("\n", " ").slice(-300)}`
  } finally {
    await down()
  }
}
