/**
 * Whatever people do, in whatever order and at the same time, and wherever their connections break: what a client has folded from
 * changes is what is stored. The runs are the same every time; a failure names its seed and its path.
 */
import { ConflictError, ForbiddenError, NotFoundError, ValidationError } from '@parley/sdk'
import fc from 'fast-check'
import t from 'tap'
import { createTestDatabase } from '../helpers/database.ts'
import { startServer, type TestServer } from '../helpers/server.ts'
import { applyChange, createFollower, type Folded, type Follower, plain, readState } from './follower.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

const peopleCount = 4
const seed = 20_261_120
const settings = { seed, numRuns: 40, endOnFailure: true }
/** On a slow machine the rest of the runs is left out. */
const secondsPerProperty = 8

const who = fc.nat({ max: peopleCount - 1 })
const where = fc.record({ conversation: fc.nat({ max: 1 }), server: fc.nat({ max: 1 }) })

/** Of the messages that there are. */
const seq = fc.nat({ max: 8 })

const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('send'), who, where }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('reply'), who, where, seq }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('edit'), who, where, seq, content: fc.constantFrom('hi', 'bye', 'well') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete'), who, where, seq }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('react', 'unreact'), who, where, seq, emoji: fc.constantFrom('👍', '🎉') }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('mark'), who, where, upTo: fc.nat({ max: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('rename'), who, where, title: fc.constantFrom('Breakfast', 'Lunch', 'Dinner') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove'), who, where, whom: who }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('add'), who, where, whom: who }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('promote'), who, where, whom: who, role: fc.constantFrom('owner', 'admin', 'member') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('reconnect'), who }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('stale') }) },
)

type Act = typeof act extends fc.Arbitrary<infer A> ? A : never

/** What stands together happens at once. */
const story = fc.array(fc.array(act, { minLength: 1, maxLength: 8 }), { minLength: 5, maxLength: 25 })

interface World {
  /** Each person's own clients, one for each server. */
  apis: Person['api'][][]
  people: Person[]
  conversations: string[]
  followers: Follower[]
  servers: readonly TestServer[]
}

async function play(world: World, step: Act): Promise<void> {
  const { apis, people, conversations, followers, servers } = world
  if (step.type === 'stale') return servers[0]?.app.topics.publishStale()
  if (step.type === 'reconnect') {
    followers[step.who]?.cut()
    return followers[step.who]?.connect()
  }
  const api = apis[step.who]?.[step.where.server % servers.length]?.conversations
  if (api === undefined) throw new Error('Nobody is there to act')
  const id = conversations[step.where.conversation] ?? ''
  const idOf = (index: number) => people[index]?.id ?? ''
  if (step.type === 'send') await api.sendMessage(id, { content: 'hello' })
  else if (step.type === 'mark') await api.markRead(id, { seq: step.upTo })
  else if ('seq' in step) await playOnMessage(world, step)
  else if (step.type === 'rename') await api.update(id, { title: step.title })
  else if (step.type === 'remove') await api.removeMember(id, idOf(step.whom))
  else if (step.type === 'add') await api.addMembers(id, { userIds: [idOf(step.whom)] })
  else await api.updateMember(id, idOf(step.whom), { role: step.role })
}

/** On a message that may be there. */
async function playOnMessage({ apis, conversations, servers }: World, step: Extract<Act, { seq: number }>): Promise<void> {
  const api = apis[step.who]?.[step.where.server % servers.length]
  const id = conversations[step.where.conversation] ?? ''
  if (api === undefined) throw new Error('Nobody is there to act')
  const { items } = await api.messages.list(id, { limit: 20 })
  const message = items.find(({ seq }) => seq === step.seq)
  if (message === undefined) return
  if (step.type === 'reply') await api.conversations.sendMessage(id, { content: 'to that', replyTo: message.id })
  else if (step.type === 'edit') await api.messages.update(message.id, { content: step.content })
  else if (step.type === 'delete') await api.messages.delete(message.id)
  else if (step.type === 'react') await api.messages.addReaction(message.id, step.emoji)
  else await api.messages.removeReaction(message.id, step.emoji)
}

/** What is not allowed is refused, as is an answer to what was deleted meanwhile, and that is all. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ValidationError) return error.details.every(({ field }) => field === 'body.replyTo')
  return error instanceof NotFoundError || error instanceof ForbiddenError || error instanceof ConflictError
}

async function playAll(world: World, steps: Act[][]): Promise<void> {
  for (const together of steps) {
    const outcomes = await Promise.allSettled(together.map((step) => play(world, step)))
    for (const outcome of outcomes) if (outcome.status === 'rejected' && !isRefusal(outcome.reason)) throw outcome.reason
  }
}

/** Two conversations of everybody, and everybody listening. */
async function begin(servers: readonly TestServer[], people: Person[]): Promise<World> {
  const [first, ...others] = people as [Person, ...Person[]]
  const create = () => first.api.conversations.create({ type: 'group', memberIds: others.map(({ id }) => id), title: 'Lunch' })
  const created = [await create(), await create()]
  const followers = people.map((person, index) => createFollower(servers[index % servers.length]?.url ?? '', person))
  await Promise.all(followers.map((follower) => follower.connect()))
  const apis = people.map(({ accessToken }) => servers.map((server) => server.client({ accessToken })))
  return { apis, people, conversations: created.map(({ conversation }) => conversation.id), followers, servers }
}

const only = (positions: Record<string, number>, ids: string[]) => Object.fromEntries(Object.entries(positions).filter(([id]) => ids.includes(id)))

/** Everybody's folded state against a fresh read. */
async function compare({ people, conversations, followers }: World): Promise<void> {
  for (const [index, { api }] of people.entries()) {
    const follower = followers[index]
    if (follower === undefined) continue
    const { positions } = await api.sync.pull({})
    await follower.reach(positions)
    equal(follower.complaints, [], 'what the follower complains of')
    const own = only(positions, conversations)
    equal([...follower.conversations.keys()].filter((id) => conversations.includes(id)).sort(), Object.keys(own).sort(), 'the conversations')
    for (const id of Object.keys(own)) {
      const held = follower.conversations.get(id)
      equal(held && plain(held.state), await readState(api, id), `the state of person ${index}`)
      equal(
        held?.applied,
        [...new Set(held?.applied)].sort((a, b) => a - b),
        'each change once and in order',
      )
    }
  }
}

/** @returns the predicate that does nothing any more when the time is up. */
function inTime<Args extends unknown[]>(act: (...args: Args) => Promise<void>): (...args: Args) => Promise<void> {
  const end = Date.now() + secondsPerProperty * 1_000
  return async (...args) => {
    if (Date.now() < end) await act(...args)
  }
}

function equal(found: unknown, wanted: unknown, what: string): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${what}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`)
}

t.test('properties', async (t) => {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  const servers = [await startServer(t, { databaseUrl: database.url }), await startServer(t, { databaseUrl: database.url })] as const
  const newPeople = () => Promise.all(Array.from({ length: peopleCount }, () => servers[0].signUp()))

  t.test('on one server, what everybody folded live is what is stored', async () => {
    await fc.assert(
      fc.asyncProperty(
        story,
        inTime(async (steps) => {
          const world = await begin([servers[0]], await newPeople())
          await playAll(world, steps)
          await compare(world)
          for (const follower of world.followers) follower.cut()
        }),
      ),
      settings,
    )
  })

  t.test('on two servers, what everybody folded live is what is stored', async () => {
    await fc.assert(
      fc.asyncProperty(
        story,
        inTime(async (steps) => {
          const world = await begin(servers, await newPeople())
          await playAll(world, steps)
          await compare(world)
          for (const follower of world.followers) follower.cut()
        }),
      ),
      settings,
    )
  })

  t.test('on two servers, what everybody folded is what is stored, after the next resume', async () => {
    await fc.assert(
      fc.asyncProperty(
        story,
        inTime(async (steps) => {
          const world = await begin(servers, await newPeople())
          await playAll(world, steps)
          for (const follower of world.followers) follower.cut()
          await Promise.all(world.followers.map((follower) => follower.connect()))
          await compare(world)
          for (const follower of world.followers) follower.cut()
        }),
      ),
      settings,
    )
  })

  t.test('sync.pull in small pages, also while things go on, leads to the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        story,
        story,
        fc.integer({ min: 1, max: 9 }),
        inTime(async (before, meanwhile, limit) => {
          const world = await begin(servers, await newPeople())
          await playAll(world, before.slice(0, 8))
          const person = world.people[3] as Person
          const states = new Map<string, Folded>()
          let cursors: Record<string, number> = {}
          for (const follower of world.followers) follower.cut()
          await world.followers[3]?.connect()
          await world.followers[3]?.reach((await person.api.sync.pull({})).positions)
          for (const [id, { cursor, state }] of world.followers[3]?.conversations ?? []) {
            cursors[id] = cursor
            states.set(id, state)
          }
          world.followers[3]?.cut()

          let over = false
          const going = playAll(world, meanwhile.slice(0, 8)).then(() => {
            over = true
          })
          const seen = new Set<string>()
          for (let hasMore = true; hasMore || !over; ) {
            const page = await person.api.sync.pull({ cursors, limit })
            for (const change of page.changes) {
              const number = `${change.conversationId} ${change.changeSeq}`
              if (seen.has(number) || change.changeSeq <= (cursors[change.conversationId] ?? 0)) throw new Error(`${number} came twice`)
              seen.add(number)
              applyChange(states.get(change.conversationId) as Folded, change)
            }
            for (const id of page.gone) states.delete(id)
            ;({ cursors, hasMore } = page)
          }
          await going
          const rest = await person.api.sync.pull({ cursors, limit: 1_000 })
          for (const change of rest.changes) applyChange(states.get(change.conversationId) as Folded, change)
          for (const id of rest.gone) states.delete(id)
          for (const [id, state] of states) equal(plain(state), await readState(person.api, id), 'what was pulled')
          for (const follower of world.followers) follower.cut()
        }),
      ),
      settings,
    )
  })
})
