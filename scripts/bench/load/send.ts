import type { Ledger } from '../ledger.ts'
import type { Target } from '../target.ts'
import type { Group } from '../world.ts'
import type { HttpConnection } from './http-connection.ts'
import { pick } from './repeat.ts'

interface Sent {
  message: { id: string }
}

let sent = 0

/** Sends one message of some member and notes the acknowledgement. */
export async function sendOne(connection: HttpConnection, target: Target, groups: readonly Group[], ledger: Ledger): Promise<void> {
  const group = pick(groups)
  sent += 1
  const clientId = `bench-${sent}`
  const { status, body } = await connection.request(target.send(group, pick(group.members), clientId))
  if (status !== 201) throw new Error(`${target.side} answered a message with ${status}: ${body}`)
  const { message } = JSON.parse(body) as Sent
  ledger.acknowledge(clientId, message.id)
}
