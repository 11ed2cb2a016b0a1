/** Put in by the build (scripts/build.ts); absent when run from source. */
declare const BOTTLE_VERSION: string

/** The version in package.json, or `0.0.0-source` when not built. */
export const version: string = typeof BOTTLE_VERSION === "string" ? BOTTLE_VERSION : "0.0.0-source"
