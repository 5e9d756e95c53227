/** Stands between a server and its database, and loses the notifications that a test names: all else goes through. */
import type { Test } from 'tap'
import { standBetween } from './database-proxy.ts'

export async function startLossyProxy(t: Pick<Test, 'teardown'>, databaseUrl: string) {
  let lost: string | undefined
  let losses = 0

  const isLost = (message: Buffer): boolean => {
    const loses = lost !== undefined && message[0] === notification && message.includes(lost)
    if (loses) losses += 1
    return loses
  }

  const { url } = await standBetween(t, databaseUrl, (client, database) => {
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
  return {
    url,
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
