/** Readers that ask without a pause: each has a connection, and one request under way. */
import type { Target } from '../target.ts'
import { type HttpConnection, openHttpConnections } from './http-connection.ts'
import { repeat } from './repeat.ts'
import type { Load } from './slices.ts'

interface Options {
  readers: number
  /** The next request. */
  ask(): string
  /** Holds the first answer against what it should be. @throws when it is something else */
  check(body: string): void
}

export async function openReadBench({ side, server }: Target, { readers, ask, check }: Options) {
  const connections = await openHttpConnections(server.port, readers)
  let checked = false

  const readOne = async (connection: HttpConnection): Promise<void> => {
    const { status, body } = await connection.request(ask())
    if (status !== 200) throw new Error(`${side} answered a read with ${status}: ${body}`)
    if (!checked) check(body)
    checked = true
  }

  const load: Load = async (seconds) => {
    const latencies = await repeat(connections, seconds, readOne)
    return { done: latencies.length, latencies }
  }

  return {
    server,
    load,
    close() {
      for (const connection of connections) connection.close()
    },
  }
}
