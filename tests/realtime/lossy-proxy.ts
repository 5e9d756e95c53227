/** Stands between a server and its database, and loses the notifications that a test names: all else goes through. */
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export async function startLossyProxy(t: Pick<Test, 'teardown'>, databaseUrl: string) {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let lost: string | undefined
  let losses = 0

  const isLost = (message: Buffer): boolean => {
    const loses = lost !== undefined && message[0] === notification && message.includes(lost)
    if (loses) losses += 1
    return loses
  }

  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname)
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        database.destroy()
      })
    }
    client.pipe(database)
    let rest = Buffer.alloc(0)
    database.on('data', (data) => {
      rest = Buffer.concat([rest, data])
      for (let length = lengthOf(rest); length !== undefined; length = lengthOf(rest)) {
        const message = rest.subarray(0, length)
        rest = rest.subarray(length)
        if (!isLost(message)) client.write(message)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  const address = server.address()
  const url = new URL(databaseUrl)
  url.port = String(typeof address === 'object' ? address?.port : undefined)
  return {
    url: url.href,
    /** Notifications with this text; undefined loses none. */
    lose(text: string | undefined): void {
      lost = text
    },
    get losses(): number {
      return losses
    },
  }
}

/** The type of a NotificationResponse in PostgreSQL's protocol. */
const notification = 'A'.charCodeAt(0)

/** Of the first message, a type and four bytes of length before the rest; undefined while it is not complete. */
function lengthOf(data: Buffer): number | undefined {
  const length = data.length < 5 ? Number.POSITIVE_INFINITY : 1 + data.readUInt32BE(1)
  return length <= data.length ? length : undefined
}
