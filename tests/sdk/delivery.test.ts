/**
 * Whatever a server and a network do to the changes on their way, and whatever is subscribed to meanwhile, each is emitted once and in order;
 * and each message sent is stored once and in order.
 */
import { type MessageCreatedEvent, Parley } from '@parley/sdk'
import { connect, type Realtime } from '@parley/sdk/realtime'
import fc from 'fast-check'
import t from 'tap'
import type { Answer } from './http-server.ts'
import { type ClientFrame, type Peer, startSockets } from './socket-server.ts'
import { createTestRuntime } from './test-runtime.ts'

/** What happens to a change on its way: `late` comes after the next one, `twice` again as well. */
type Fate = 'sent' | 'lost' | 'twice' | 'late'
type Step =
  | { do: 'change'; conversation: string; row: number; fate: Fate }
  | { do: 'cut' }
  | { do: 'settle' }
  | { do: 'restart' }
  | { do: 'say'; conversation: string }
  | { do: 'subscribe' | 'unsubscribe' | 'subscribeAll'; conversation: string }

const conversations = ['c1', 'c2', 'c3']
const conversation = fc.constantFrom(...conversations)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      conversation,
      row: fc.nat(4),
      fate: fc.constantFrom<Fate>('sent', 'sent', 'lost', 'twice', 'late'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('say' as const), conversation }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('subscribe' as const, 'unsubscribe' as const, 'subscribeAll' as const), conversation }) },
)
const scenario = fc.record({
  steps: fc.array(step, { minLength: 5, maxLength: 60 }),
  resumeLimit: fc.integer({ min: 1, max: 8 }),
  pageSize: fc.integer({ min: 1, max: 3 }),
})

t.test('with every change kept, each is emitted once and in order', async (t) => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ steps, resumeLimit, pageSize }) => {
      const { emitted, server, said } = await run(steps, createServer({ resumeLimit, pageSize, keepsEvery: true }))
      for (const id of conversations) {
        same(
          emitted.get(id) ?? [],
          server.log(id).map(({ changeSeq }) => changeSeq),
        )
        same(server.messages(id), said.get(id) ?? [])
      }
    }),
    { numRuns: 60 },
  )
  t.pass()
})

t.test('with the last change of each thing kept, numbers rise and the last of each thing is emitted', async (t) => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ steps, resumeLimit, pageSize }) => {
      const { emitted, server } = await run(steps, createServer({ resumeLimit, pageSize, keepsEvery: false }))
      for (const id of conversations) {
        const numbers = emitted.get(id) ?? []
        same(
          numbers,
          [...new Set(numbers)].sort((one, other) => one - other),
        )
        for (const { changeSeq } of server.present(id, 0)) if (!numbers.includes(changeSeq)) throw new Error(`${id}/${changeSeq} is missing`)
      }
    }),
    { numRuns: 60 },
  )
  t.pass()
})

async function run(steps: Step[], server: ReturnType<typeof createServer>) {
  const stop: (() => void)[] = []
  const { baseUrl } = await startSockets({ teardown: (handler) => stop.push(handler) }, server)
  const runtime = createTestRuntime()
  const api = new Parley({ baseUrl, accessToken: 'token', runtime })
  const emitted = new Map<string, number[]>()
  const said = new Map<string, string[]>()
  const start = (cursors: Record<string, number>): Realtime => {
    const realtime = connect(api, { cursors })
    realtime.on('change', ({ conversationId: id, changeSeq }) => emitted.set(id, [...(emitted.get(id) ?? []), changeSeq]))
    return realtime
  }
  const sends: Promise<unknown>[] = []
  let realtime = start({})
  for (const [index, step] of steps.entries()) {
    if (step.do === 'change') server.change(step.conversation, `row-${step.row}`, step.fate)
    else if (step.do === 'cut') server.cut()
    else if (step.do === 'say') {
      said.set(step.conversation, [...(said.get(step.conversation) ?? []), `said-${index}`])
      sends.push(realtime.sendMessage(step.conversation, { content: `said-${index}` }))
    } else if (step.do === 'settle') await realtime.ready()
    // What is not answered when it is restarted counts no more.
    else if (step.do === 'subscribeAll') realtime.subscribeAll().catch(() => {})
    else if (step.do !== 'restart') realtime[step.do]([step.conversation]).catch(() => {})
    else {
      await Promise.all(sends)
      const { cursors } = realtime
      realtime.close()
      realtime = start(cursors)
    }
    if (index % 3 === 0) await new Promise(setImmediate)
  }
  await Promise.all(sends)
  await realtime.subscribeAll()
  // What was lost at the very end is found at the next reconnection.
  await realtime.ready()
  server.cut()
  const isDone = () => realtime.state === 'ready' && conversations.every((id) => (realtime.cursors[id] ?? 0) === server.position(id))
  while (!isDone()) await new Promise(setImmediate)
  realtime.close()
  for (const end of stop) end()
  return { emitted, said, server }
}

/** A server that speaks the protocol and delivers what is live as badly as it is told. */
function createServer({ resumeLimit, pageSize, keepsEvery }: { resumeLimit: number; pageSize: number; keepsEvery: boolean }) {
  const logs = new Map<string, (MessageCreatedEvent & { row: string })[]>(conversations.map((id) => [id, []]))
  const stored = new Map<string, MessageCreatedEvent & { row: string }>()
  const late: MessageCreatedEvent[] = []
  let peer: Peer | undefined
  /** What the connection gets; undefined: all. */
  let wanted: Set<string> | undefined
  let commands = 0

  const log = (id: string) => logs.get(id) ?? []
  const position = (id: string) => log(id).length
  const positions = (ids: Iterable<string> = conversations) => Object.fromEntries([...ids].map((id) => [id, position(id)]))
  /** What is left of the changes after a cursor, each linked to the one before. */
  const present = (id: string, cursor: number): MessageCreatedEvent[] => {
    const kept = log(id).filter(
      (change, index, all) => change.changeSeq > cursor && (keepsEvery || !all.slice(index + 1).some(({ row }) => row === change.row)),
    )
    return kept.map((change, index) => ({ ...change, previousChangeSeq: kept[index - 1]?.changeSeq ?? cursor }))
  }

  const append = (id: string, row: string, content: string): MessageCreatedEvent & { row: string } => {
    const changeSeq = position(id) + 1
    const message = {
      id: row,
      conversationId: id,
      seq: changeSeq,
      changeSeq,
      senderId: 'u1',
      type: 'text' as const,
      content,
      clientId: null,
      metadata: {},
      replyTo: null,
      mentions: [],
      attachments: [],
      reactions: [],
      createdAt: '',
      editedAt: null,
      deletedAt: null,
    }
    const change = { type: 'message.created' as const, conversationId: id, changeSeq, row, data: { message } }
    log(id).push(change)
    return change
  }

  const send = (change: MessageCreatedEvent): void => {
    if (wanted?.has(change.conversationId) ?? true) peer?.send(change)
  }

  const deliver = (change: MessageCreatedEvent, fate: Fate): void => {
    if (fate === 'late') late.push(change)
    if (fate === 'sent' || fate === 'twice') send(change)
    if (fate === 'twice') send(change)
    if (fate !== 'late') for (const older of late.splice(0)) send(older)
  }

  const narrow = (to: Peer, { id, type, data }: ClientFrame): void => {
    const ids = data.conversationIds as string[] | undefined
    if (ids === undefined) wanted = undefined
    else if (type === 'subscribe') wanted = new Set([...(wanted ?? []), ...ids])
    else wanted = new Set([...(wanted ?? conversations)].filter((one) => !ids.includes(one)))
    to.send({ type: 'ack', id, data: type === 'subscribe' ? { positions: positions(ids) } : undefined })
  }

  const resume = (to: Peer, cursors: Record<string, number>): void => {
    for (const [id, cursor] of Object.entries(cursors)) {
      const missed = present(id, cursor)
      if (missed.length > resumeLimit)
        to.send({ type: 'gap', data: { conversationId: id, fromChangeSeq: cursor, changeSeq: position(id), missed: missed.length } })
      else for (const change of missed) to.send(change)
    }
    to.send({ type: 'ready', data: { cursors: Object.fromEntries(Object.keys(cursors).map((id) => [id, position(id)])) } })
  }

  /** Some commands are refused for the moment, some answers get lost with their connection. */
  const store = (from: Peer, { id, data }: ClientFrame): void => {
    const known = stored.get(String(data.clientId))
    if (!known && commands++ % 3 === 0) {
      const error = { code: 'unavailable', message: 'Later', requestId: null, timestamp: '' }
      return from.send({ type: 'error', id, error })
    }
    const change = known ?? append(String(data.conversationId), `message-${stored.size}`, String(data.content))
    stored.set(String(data.clientId), change)
    if (!known) deliver(change, 'sent')
    if (!known && stored.size % 2 === 0) from.socket.terminate()
    else from.send({ type: 'ack', id, data: { message: change.data.message } })
  }

  return {
    log,
    position,
    present,
    messages: (id: string) =>
      log(id)
        .filter(({ row }) => row.startsWith('message-'))
        .map(({ data }) => data.message.content),
    change: (id: string, row: string, fate: Fate) => deliver(append(id, row, ''), fate),
    cut: () => peer?.socket.terminate(),
    onConnection(next: Peer) {
      peer = next
      wanted = next.path.includes('subscribe=none') ? new Set() : undefined
      next.hello(positions(wanted))
    },
    onFrame(from: Peer, frame: ClientFrame) {
      if (frame.type === 'resume') resume(from, frame.data.cursors as Record<string, number>)
      else if (frame.type === 'conversations.sendMessage') store(from, frame)
      else if (from === peer) narrow(from, frame)
    },
    rest(_path: string, body: Record<string, unknown>): Answer {
      const cursors = { ...(body.cursors as Record<string, number>) }
      const changes = Object.entries(cursors)
        .flatMap(([id, cursor]) => present(id, cursor))
        .slice(0, pageSize)
      for (const { conversationId, changeSeq } of changes) cursors[conversationId] = changeSeq
      const hasMore = Object.entries(cursors).some(([id, cursor]) => present(id, cursor).length > 0)
      if (!hasMore) for (const id of Object.keys(cursors)) cursors[id] = position(id)
      return { body: { changes, cursors, positions: positions(), gone: [], hasMore } }
    },
  }
}

function same(actual: unknown[], expected: unknown[]): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
}
