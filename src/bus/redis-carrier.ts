import { createClient } from 'redis'
import type { Carrier } from './link.ts'

interface Options {
  url: string
  /** Tells this installation from others on the same Redis. */
  readScope(): Promise<string>
}

/** What Redis takes in one piece without being held up. */
const maximumBytes = 262_144
const connectTimeoutMilliseconds = 5_000

/** Publishing and subscribing, of Redis, Valkey and what else speaks their protocol. Nothing is kept there. */
export const createRedisCarrier = ({ url, readScope }: Options): Carrier => ({
  maximumBytes,
  isOver: () => false,

  async open({ payload, lost }, signal) {
    const channel = `parley:${await readScope()}:live`
    // Whoever opens it opens another one when it is lost; what is said meanwhile need not be kept.
    const options = { url, disableOfflineQueue: true, socket: { reconnectStrategy: false, connectTimeout: connectTimeoutMilliseconds } } as const
    // A connection that listens says nothing else, in the protocol that every version speaks.
    const clients = [createClient({ ...options, RESP: 2 }), createClient({ ...options, RESP: 2 })] as const
    const [listening, speaking] = clients
    const close = async (): Promise<void> => {
      for (const client of clients) if (client.isOpen) client.destroy()
    }
    for (const client of clients) client.on('error', lost).on('end', lost)
    signal.addEventListener('abort', close, { once: true })
    try {
      await Promise.all(clients.map((client) => client.connect()))
      await listening.subscribe(channel, payload)
    } catch (error) {
      await close()
      throw error
    } finally {
      signal.removeEventListener('abort', close)
    }
    return { send: (payloads) => Promise.all(payloads.map((text) => speaking.publish(channel, text))), close }
  },
})
