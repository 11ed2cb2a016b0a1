/** How a client reaches the origin. */
export interface Path {
  /** Absent: directly. */
  proxy?: { unix: string } | { port: number }
  /** Port of the origin on 127.0.0.1, named `localhost`. */
  origin: number
  /** PEM of the authority that signs what the client sees: the origin's, or the proxy's. */
  ca: string
}

/** One TLS connection to the origin, directly or through CONNECT; verified, always with a full handshake. */
export class Link {
  onData: (chunk: Buffer) => void = () => {}
  onDrain: () => void = () => {}
  onClose: () => void = () => {}
  #socket: Bun.Socket<undefined> | undefined

  static async open(path: Path): Promise<Link> {
    const link = new Link()
    await link.#dial(path)
    return link
  }

  /** Bytes taken; the rest goes after `onDrain`. */
  write(bytes: Uint8Array): number {
    return this.#socket?.write(bytes) ?? -1
  }

  close(): void {
    this.onClose = () => {}
    this.#socket?.end()
  }

  #dial(path: Path): Promise<void> {
    return new Promise((resolve, reject) => {
      const secure = (socket: Bun.Socket<undefined>) => {
        this.#socket = socket.upgradeTLS<undefined>({
          data: undefined,
          tls: { serverName: "localhost", ca: path.ca, rejectUnauthorized: true },
          socket: {
            handshake: (_, success, error) =>
              success && error === null ? resolve() : reject(new Error(`no TLS: ${error?.message ?? "refused"}`)),
            data: (_, chunk) => this.onData(chunk),
            drain: () => this.onDrain(),
            close: () => {
              reject(new Error("closed during the handshake"))
              this.onClose()
            },
            error() {},
          },
        })[1]
      }
      let answer: string | undefined = ""
      const handlers: Bun.SocketHandler<undefined> = {
        open(socket) {
          if (path.proxy === undefined) return secure(socket)
          socket.write(`CONNECT localhost:${path.origin} HTTP/1.1\r\nHost: localhost:${path.origin}\r\n\r\n`)
        },
        data(socket, chunk) {
          // After the upgrade the bytes of the handshake come by here too.
          if (path.proxy === undefined || answer === undefined) return
          answer += chunk.toString("latin1")
          if (!answer.includes("\r\n\r\n")) return
          if (!/^HTTP\/1\.[01] 200 /.test(answer)) return reject(new Error(`CONNECT: ${answer}`))
          answer = undefined
          secure(socket)
        },
        close: () => reject(new Error("closed")),
        connectError: (_, error) => reject(error),
        error() {},
      }
      const { proxy, origin } = path
      const dialled =
        proxy !== undefined && "unix" in proxy
          ? Bun.connect<undefined>({ unix: proxy.unix, socket: handlers })
          : Bun.connect<undefined>({ hostname: "127.0.0.1", port: proxy?.port ?? origin, socket: handlers })
      dialled.catch(reject)
    })
  }
}
