import freeze from "./freeze.ts"

/** The word that Docker's users look for. */
export default { ...freeze, meta: { name: "commit", description: "The same as freeze" } }
