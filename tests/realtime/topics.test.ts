/** What is told inside the process reaches everybody who listens, whatever one of them does. */
import pino from 'pino'
import t from 'tap'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import type { Change } from '../../src/topics.ts'
import { startServer } from '../helpers/server.ts'

t.test('a listener that throws stops neither the request nor the sends nor the other listeners, and the log says so', async (t) => {
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => void lines.push(line) })
  const server = await startServer(t, { log })
  const alice = await server.signUp()
  const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [] })
  const id = conversation.id as ConversationId
  const { topics } = server.app
  const fail = () => {
    throw new Error('a listener of no use')
  }
  topics.subscribe('conversation', id, fail)
  topics.onStale(fail)
  const heard: string[] = []
  topics.subscribe('conversation', id, (event) => heard.push(event.type))
  topics.onStale(() => heard.push('stale'))

  const { status } = await server.request('PATCH', `/v1/conversations/${id}`, { token: alice.accessToken, body: { title: 'Renamed' } })
  t.equal(status, 200)
  for (const content of ['one', 'two']) await alice.api.conversations.sendMessage(id, { content })
  topics.publishStale()
  t.same(heard, ['conversation.updated', 'message.created', 'message.created', 'stale'] satisfies (Change['type'] | 'stale')[])
  t.equal(lines.filter((line) => line.includes('a listener of no use')).length, 4)
})
