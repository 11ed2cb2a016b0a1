/** Labels and names of everything that a bottle has in an engine: a later process finds it by them alone. */

export const slugLabel = "bot-bottle.slug"
export const roleLabel = "bot-bottle.role"

export type ContainerRole = "agent" | "sidecars"
/** `trees` is never started: home and workspace are read and written through it. */
export type NamedRole = ContainerRole | "trees"
/** `filled` is empty: that it exists says that home and workspace are complete and newer than the host's copy. */
export type VolumeRole = "net" | "config" | "home" | "workspace" | "filled"

export const containerName = (slug: string, role: NamedRole): string => `bot-bottle-${slug}-${role}`
/** A container that is never started: through it the trees of a bottle are read while it runs or rests. */
export const lookName = (slug: string): string => `bot-bottle-${slug}-look`
export const volumeName = (slug: string, role: VolumeRole): string => `bot-bottle-${slug}-${role}`
/** Images of a frozen bottle's agent; the tags are of no meaning. */
export const frozenRepository = (slug: string): string => `bot-bottle-frozen-${slug}`
export const labelsFor = (slug: string, role: NamedRole | VolumeRole | "look"): Record<string, string> => ({
  [slugLabel]: slug,
  [roleLabel]: role,
})

/**
 * Whether a container found by label is ours: an image can carry any label (SECURITY 4), but no image names a
 * container.
 */
export function isOwnContainer(slug: string, names: readonly string[]): boolean {
  const own = (["agent", "sidecars", "trees"] as const).map((role) => `/${containerName(slug, role)}`)
  return names.some((name) => own.includes(name) || name.startsWith(`/${lookName(slug)}-`))
}

/** Paths that both containers have. */
export const places = {
  net: "/run/bottle/net",
  control: "/run/bottle/ctl",
  /** On the sidecars' side only: the agent has it at `inside.config`. */
  config: "/run/bottle/config",
  guest: "/run/bottle/guest",
  run: "/run/bottle",
  /** Home and workspace as the sidecars' side sees them: to be measured, never written. */
  trees: "/run/bottle/trees",
} as const

/** Runtimes by these names are gVisor: `runsc`, and variants such as `runsc-kvm`, as its documentation has them. */
export const isGvisor = (runtime: string | undefined): boolean => /^runsc(?:-|$)/.test(runtime ?? "")

/** Users inside: the agent's, and the supervisor's, whose sidecars become users of their own. */
export const agentUser = "1000:1000"
export const supervisorUser = "0:0"
