import { closeSync, existsSync, openSync, readFileSync, readSync, realpathSync, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { BottleError } from "../../../lib/errors.ts"
import { insideBin, insideLoader, type Relocation, type Rewrite, relocate } from "./relocate.ts"

/** A file of the image, with what is changed in it on the way. */
export interface ImagePart {
  /** Inside, without the leading slash. */
  path: string
  source: string
  size: number
  mode: number
  rewrites: readonly Rewrite[]
}

/** The binary, its loader and its libraries, all below `insideBin`. Throws `BottleError` where they cannot be had. */
export function binaryParts(binary: string, libraryDirs: readonly string[] = mappedDirs()): ImagePart[] {
  const { loader, needed, rewrites } = lookInto(binary)
  const loaderFile = realpathSync(loader)
  // The loader is a library too, and known to itself by the name it has everywhere else.
  const libraries = needed.filter((name) => name !== basename(loader))
  const dirs = [...libraryDirs, dirname(loaderFile)]
  return [
    part(`${insideBin}/bottle`, binary, rewrites),
    part(insideLoader, loaderFile),
    ...libraries.map((name) => part(`${insideBin}/${name}`, findLibrary(name, dirs))),
  ]
}

function lookInto(binary: string): Relocation {
  const fd = openSync(binary, "r")
  try {
    return relocate((offset, length) => {
      const bytes = Buffer.alloc(length)
      readSync(fd, bytes, 0, length, offset)
      return bytes
    })
  } catch (error) {
    throw new BottleError(`${binary} cannot be taken into a container: ${(error as Error).message}`, {
      code: "docker-binary",
      exit: "missingPart",
      hint: "the docker backend needs a Linux build of bottle that is linked against glibc",
    })
  } finally {
    closeSync(fd)
  }
}

function part(inside: string, source: string, rewrites: readonly Rewrite[] = []): ImagePart {
  return { path: inside.slice(1), source, size: statSync(source).size, mode: 0o755, rewrites }
}

function findLibrary(name: string, dirs: readonly string[]): string {
  const dir = dirs.find((each) => existsSync(join(each, name)))
  if (dir !== undefined) return join(dir, name)
  throw new BottleError(`the library ${name} was not found`, { code: "docker-binary", exit: "missingPart" })
}

/** Where this process has its own libraries from. */
function mappedDirs(): string[] {
  const paths = readFileSync("/proc/self/maps", "utf8").match(/\/\S*\/(?:libc|libm|ld-)[^/\s]*\.so\S*$/gm) ?? []
  return [...new Set(paths.map((path) => dirname(path)))]
}
