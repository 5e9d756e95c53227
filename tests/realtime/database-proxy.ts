/**
 * Stands between a server and its database, so that what happens rarely happens when a test says so: an answer that comes late, and
 * one that never comes though the statement was carried out.
 */
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

interface Hold {
  /** Part of the statement, or its name. */
  statement: string
  caught(connection: Held): void
}

interface Held {
  /** Sends the answer on. */
  release(): void
  /** Breaks the connection; the answer is lost. */
  cut(): void
}

export type DatabaseProxy = Awaited<ReturnType<typeof startDatabaseProxy>>

export async function startDatabaseProxy(t: Pick<Test, 'teardown'>, databaseUrl: string) {
  let holds: Hold[] = []
  let refused: string | undefined

  const { url, cutAll } = await standBetween(t, databaseUrl, (client, database) => {
    let hold: Hold | undefined
    let late: Buffer[] | undefined
    client.on('data', (data) => {
      if (refused !== undefined && data.includes(refused)) return void client.destroy()
      hold ??= holds.find(({ statement }) => data.includes(statement))
      holds = holds.filter((other) => other !== hold)
      database.write(data)
    })
    database.on('data', (data) => {
      if (hold !== undefined) {
        late = []
        hold.caught({
          release: () => {
            for (const part of late ?? []) client.write(part)
            late = undefined
          },
          cut: () => client.destroy(),
        })
        hold = undefined
      }
      if (late === undefined) client.write(data)
      else late.push(data)
    })
  })
  return {
    url,

    /** @returns a promise of the next statement like this, carried out, its answer held back. */
    hold: (statement: string): Promise<Held> => new Promise((caught) => holds.push({ statement, caught })),

    /** From now on, breaks every connection over which this is said. */
    refuse(statement: string): void {
      refused = statement
    },

    /** Breaks every connection. What is under way in the database goes on. */
    cutAll,
  }
}

/** @param relay has what both of them say go to the other one, or not. When one goes, so does the other. */
export async function standBetween(t: Pick<Test, 'teardown'>, databaseUrl: string, relay: (client: Socket, database: Socket) => void) {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy()
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
    relay(client, database)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    cutAll()
    server.close()
  })
  const address = server.address()
  const url = new URL(databaseUrl)
  url.port = String(typeof address === 'object' ? address?.port : undefined)
  return { url: url.href, cutAll }
}
