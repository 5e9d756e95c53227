/** The floor's statements through the floor's pool, without HTTP: what the database allows, one statement at a time. */
import type { PoolLoad } from '../floor.ts'
import type { Target } from '../target.ts'
import { content, type World } from '../world.ts'
import type { Load } from './slices.ts'

export function createPoolLoad({ server }: Target, { conversations }: World, statement: PoolLoad['statement'], parallel: number) {
  const load: Load = async (seconds) => {
    const body: PoolLoad = { statement, parallel, seconds, groups: conversations, content }
    const response = await fetch(`http://127.0.0.1:${server.port}/pool-alone`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`The pool failed: ${await response.text()}`)
    const latencies = (await response.json()) as number[]
    return { done: latencies.length, latencies }
  }
  return { server, load }
}
