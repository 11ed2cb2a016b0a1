/** A Dockerfile is compiled in as its text: imported with `with { type: "text" }`. */
declare module "*.dockerfile" {
  const text: string
  export default text
}
