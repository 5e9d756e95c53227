import pg from 'pg'
import type { Carrier } from './link.ts'

/** A notification has less than 8,000 bytes. */
const maximumBytes = 7_999

/** NOTIFY and LISTEN, on a connection of its own: a pool that is busy delays nothing. */
export const createPostgresCarrier = (pool: pg.Pool, channel: string): Carrier => ({
  maximumBytes,
  isOver: () => pool.ending,

  async open({ payload, lost }, signal) {
    // Notifications do not outlive a crash anyway, so they need not wait for the disk.
    const client = new pg.Client({ ...pool.options, options: `${pool.options.options ?? ''} -c synchronous_commit=off` })
    const close = () => client.end().catch(() => undefined)
    client.on('error', lost)
    client.on('end', lost)
    client.on('notification', (notification) => payload(notification.payload ?? ''))
    signal.addEventListener('abort', close, { once: true })
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
    } catch (error) {
      await Promise.race([close(), new Promise((resolve) => setTimeout(resolve, 1_000).unref())])
      throw error
    } finally {
      signal.removeEventListener('abort', close)
    }
    const notify = { name: 'notify', text: 'select pg_notify($1, payload) from unnest($2::text[]) payload' }
    return { send: (payloads) => client.query({ ...notify, values: [channel, payloads] }), close }
  },
})
