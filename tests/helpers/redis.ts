/** A Redis of a test's own, on a port of its own, that is started, stopped and cut as the test says. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createClient } from 'redis'
import type { Test } from 'tap'
import { findFreePort, until } from './process.ts'

/** Why tests that need it are left out; false where it is installed. */
export const redisIsMissing = spawnSync('redis-server', ['--version']).error !== undefined && 'redis-server is not installed'

export async function prepareRedis(t: Pick<Test, 'teardown'>) {
  const port = await findFreePort()
  const url = `redis://127.0.0.1:${port}`
  let child: ChildProcess | undefined

  const ask = async (command: string[]): Promise<unknown> => {
    const client = createClient({ url, socket: { reconnectStrategy: false } })
    client.on('error', () => undefined)
    await client.connect()
    return client.sendCommand(command).finally(() => client.destroy())
  }
  const stop = async (): Promise<void> => {
    if (child === undefined) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    child = undefined
  }
  t.teardown(stop)

  return {
    url,
    stop,
    async start(): Promise<void> {
      const options = { bind: '127.0.0.1', port: String(port), save: '', appendonly: 'no' }
      child = spawn(
        'redis-server',
        Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
        { stdio: 'ignore' },
      )
      await until(() =>
        ask(['PING']).then(
          () => true,
          () => false,
        ),
      )
    },
    /** It accepts connections and answers nothing any more. */
    freeze(): void {
      child?.kill('SIGSTOP')
    },
    thaw(): void {
      child?.kill('SIGCONT')
    },
    /** Those that listen, and those that speak. */
    async cutAll(): Promise<void> {
      await ask(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
      await ask(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    },
  }
}
