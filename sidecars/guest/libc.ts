import { dlopen, type Pointer, ptr, read } from "bun:ffi"

/** The few C calls that Bun has no name for. Returned by `openLibc`, so that nobody pays for them who does not ask. */
export interface Libc {
  /** File descriptor, or minus errno. */
  socket(family: number, type: number, protocol: number): number
  /** 0, or minus errno. */
  connect(fd: number, address: Uint8Array): number
  close(fd: number): void
  /** Result, or minus errno. */
  unshare(flags: number): number
  syscall(number: number, a: number, b: Uint8Array | null): number
  prctl(option: number, value: number): number
  setLimit(resource: number, value: number): number
  ioctl(fd: number, command: number, value: number): number
}

/** Opens the C library of this process: glibc's name first, then musl's. */
export function openLibc(): Libc {
  const { symbols } = openFirst(["libc.so.6", "libc.so"])
  const checked = (result: number | bigint): number => {
    const value = Number(result)
    if (value !== -1) return value
    const location = symbols.__errno_location()
    return location === null ? -1 : -read.i32(location, 0)
  }
  return {
    socket: (family, type, protocol) => checked(symbols.socket(family, type, protocol)),
    connect: (fd, address) => checked(symbols.connect(fd, ptr(address), address.length)),
    close: (fd) => void symbols.close(fd),
    unshare: (flags) => checked(symbols.unshare(flags)),
    syscall: (number, a, b) => checked(symbols.syscall(number, a, b === null ? null : ptr(b))),
    prctl: (option, value) => checked(symbols.prctl(option, value, 0, 0, 0)),
    setLimit: (resource, value) =>
      checked(symbols.setrlimit(resource, ptr(new BigUint64Array([BigInt(value), BigInt(value)])))),
    ioctl: (fd, command, value) => checked(symbols.ioctl(fd, command, value as Pointer)),
  }
}

function openFirst(names: readonly string[]) {
  let failure: unknown
  for (const name of names) {
    try {
      return dlopen(name, {
        __errno_location: { args: [], returns: "ptr" },
        socket: { args: ["i32", "i32", "i32"], returns: "i32" },
        connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
        close: { args: ["i32"], returns: "i32" },
        unshare: { args: ["i32"], returns: "i32" },
        syscall: { args: ["i64", "i64", "ptr"], returns: "i64" },
        prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
        setrlimit: { args: ["i32", "ptr"], returns: "i32" },
        ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
      })
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
