/**
 * Whatever people do, in whatever order and at the same time, and wherever their connections break: what a client has folded from
 * changes is what is stored. What is done is the same every time, though not how it falls together; a failure names its seed and its path.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Change, ConflictError, ForbiddenError, NotFoundError, ValidationError } from '@parley/sdk'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../helpers/database.ts'
import { startServer, type TestServer } from '../helpers/server.ts'
import { applyChange, type Folded, foldedOf, plain, readState } from './fold.ts'
import { createFollower, type Follower } from './follower.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

const peopleCount = 4
const seed = 20_261_120
const settings = { seed, numRuns: 40, endOnFailure: true }
/** On a slow machine the runs beyond these are left out when this time is up. */
const secondsPerProperty = 8
const leastRuns = 5

t.setTimeout(300_000)

const who = fc.nat({ max: peopleCount - 1 })
const where = fc.record({ conversation: fc.nat({ max: 1 }), server: fc.nat({ max: 1 }) })

/** Of the messages that there are. */
const seq = fc.integer({ min: 1, max: 6 })

/** Mostly nobody is kept from writing. */
const setting = fc.oneof(
  fc.record({ title: fc.constantFrom('Breakfast', 'Lunch', 'Dinner') }),
  fc.record({ summary: fc.constantFrom('Who brings what', null) }),
  fc.record({ tags: fc.subarray(['food', 'today']) }),
  fc.record({ metadata: fc.dictionary(fc.constant('table'), fc.constantFrom('four', 'six')) }),
  fc.record({ historyVisibility: fc.constantFrom('all' as const, 'sinceJoined' as const) }),
  fc.record({ status: fc.constantFrom('active' as const, 'active' as const, 'active' as const, 'closed' as const, 'archived' as const) }),
)

const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('send'), who, where }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('reply'), who, where, seq }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('edit'), who, where, seq, content: fc.constantFrom('hi', 'bye', 'well') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete'), who, where, seq }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('react', 'unreact'), who, where, seq, emoji: fc.constantFrom('👍', '🎉') }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('mark'), who, where, upTo: fc.nat({ max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('mark these'), who, where, seqs: fc.uniqueArray(seq, { minLength: 1, maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('deliver'), who, where, upTo: fc.nat({ max: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('arrange'), who, where, arrangement: fc.record({ muted: fc.boolean(), pinned: fc.boolean() }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('set'), who, where, setting }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove'), who, where, whom: who }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('add'), who, where, whom: who }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('promote'), who, where, whom: who, role: fc.constantFrom('owner', 'admin', 'member') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('reconnect'), who, startsEmpty: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('subscribe', 'unsubscribe'), who, where }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('subscribe to all'), who }) },
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
  if (!('where' in step)) return playOnSocket(followers[step.who], step)
  const id = conversations[step.where.conversation] ?? ''
  if (step.type === 'subscribe' || step.type === 'unsubscribe') return void (await followers[step.who]?.[step.type]([id]))
  if ('seq' in step || 'seqs' in step) return playOnMessages(world, step)
  const api = apis[step.who]?.[step.where.server % servers.length]?.conversations
  if (api === undefined) throw new Error('Nobody is there to act')
  const idOf = (index: number) => people[index]?.id ?? ''
  if (step.type === 'send') await api.sendMessage(id, { content: 'hello' })
  else if (step.type === 'mark') await api.markRead(id, { seq: step.upTo })
  else if (step.type === 'deliver') await api.markDelivered(id, { seq: step.upTo })
  else if (step.type === 'arrange') await api.updateMembership(id, step.arrangement)
  else if (step.type === 'set') await api.update(id, step.setting)
  else if (step.type === 'remove') await api.removeMember(id, idOf(step.whom))
  else if (step.type === 'add') await api.addMembers(id, { userIds: [idOf(step.whom)] })
  else if (step.type === 'promote') await api.updateMember(id, idOf(step.whom), { role: step.role })
}

async function playOnSocket(follower: Follower | undefined, step: Extract<Act, { type: 'reconnect' | 'subscribe to all' }>): Promise<void> {
  if (step.type === 'subscribe to all') return follower?.subscribeAll()
  follower?.cut()
  await follower?.connect(step)
}

/** On messages that may be there. */
async function playOnMessages({ apis, conversations, servers }: World, step: Extract<Act, { seq: number } | { seqs: number[] }>): Promise<void> {
  const api = apis[step.who]?.[step.where.server % servers.length]
  const id = conversations[step.where.conversation] ?? ''
  if (api === undefined) throw new Error('Nobody is there to act')
  const { items } = await api.messages.list(id, { limit: 20 })
  const [message, ...others] = items.filter(({ seq }) => ('seqs' in step ? step.seqs.includes(seq) : seq === step.seq))
  if (message === undefined) return
  if (step.type === 'mark these') await api.messages.markRead({ messageIds: [message, ...others].map(({ id }) => id) })
  else if (step.type === 'reply') await api.conversations.sendMessage(id, { content: 'to that', replyTo: message.id })
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

/** Two conversations of everybody, in which something has been said, and everybody listening. In the second one the last person came after that and does not see it. */
async function begin(servers: readonly TestServer[], people: Person[]): Promise<World> {
  const [first, ...others] = people as [Person, ...Person[]]
  const create = async (historyVisibility: 'all' | 'sinceJoined'): Promise<string> => {
    const [late, ...early] = others.map(({ id }) => id).reverse()
    const { conversation } = await first.api.conversations.create({ type: 'group', memberIds: early, title: 'Lunch', historyVisibility })
    for (const content of ['one', 'two', 'three']) await first.api.conversations.sendMessage(conversation.id, { content })
    await first.api.conversations.addMembers(conversation.id, { userIds: [late ?? ''] })
    return conversation.id
  }
  const conversations = [await create('all'), await create('sinceJoined')]
  const followers = people.map((person, index) => createFollower(servers[index % servers.length]?.url ?? '', person))
  await Promise.all(followers.map((follower) => follower.connect()))
  const apis = people.map(({ accessToken }) => servers.map((server) => server.client({ accessToken })))
  return { apis, people, conversations, followers, servers }
}

const only = (positions: Record<string, number>, ids: string[]) => Object.fromEntries(Object.entries(positions).filter(([id]) => ids.includes(id)))

/** Everybody's folded state against a fresh read. */
async function compare({ people, conversations, followers }: World): Promise<void> {
  for (const [index, { api }] of people.entries()) {
    const follower = followers[index]
    if (follower === undefined) continue
    if (follower.isNarrow) await follower.subscribeAll()
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

function equal(found: unknown, wanted: unknown, what: string): void {
  const different = differences(found, wanted)
  if (different.length > 0) throw new Error(`${what}: ${different.join('; ')}`)
}

/** Where they are different, in words. */
function differences(found: unknown, wanted: unknown, path = 'it'): string[] {
  if (isDeepStrictEqual(found, wanted)) return []
  if (!isObject(found) || !isObject(wanted)) return [`${path} is ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`]
  const names = new Set([...Object.keys(found), ...Object.keys(wanted)])
  return [...names].flatMap((name) => differences(found[name], wanted[name], `${path}.${name}`))
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Runs it with one thing that is made up after another, in time. */
async function hold<Args extends [unknown, ...unknown[]]>(
  t: Test,
  arbitraries: { [Place in keyof Args]: fc.Arbitrary<Args[Place]> },
  run: (...args: Args) => Promise<void>,
): Promise<void> {
  const end = Date.now() + secondsPerProperty * 1_000
  let runs = 0
  const inTime = async (...args: Args): Promise<void> => {
    if (runs >= leastRuns && Date.now() > end) return
    runs += 1
    await run(...args)
  }
  await fc.assert(fc.asyncProperty(...arbitraries, inTime), settings)
  t.pass(`${runs} runs of ${settings.numRuns}`)
}

/** What somebody pulls, page by page, and folds. */
function createPuller({ api, id: ownId }: Person, limit: number) {
  const held = new Map<string, { cursor: number; state: Folded }>()
  const seen = new Set<string>()
  let cursors: Record<string, number> = {}

  const load = async (id: string): Promise<void> => {
    const { conversation } = await api.conversations.get(id)
    const state = foldedOf(conversation, ownId)
    for await (const message of api.messages.list(id, { limit: 100 })) state.messages.set(message.seq, message)
    held.set(id, { cursor: conversation.changeSeq, state })
  }

  const apply = async (change: Change): Promise<void> => {
    const { conversationId: id, changeSeq } = change
    const number = `${id} ${changeSeq}`
    if (seen.has(number) || changeSeq <= (cursors[id] ?? 0)) throw new Error(`${number} came twice`)
    seen.add(number)
    const one = held.get(id)
    if (one === undefined || changeSeq <= one.cursor) return
    // Whoever comes back begins as one who was never there, or is gone again by now.
    if (change.type === 'member.joined' && change.data.member.user.id === ownId) return load(id).catch(ignoreNotFound)
    one.cursor = changeSeq
    applyChange(one.state, change)
  }

  return {
    held,

    async begin(ids: string[]): Promise<void> {
      for (const id of ids) await load(id).catch(ignoreNotFound)
      cursors = Object.fromEntries([...held].map(([id, { cursor }]) => [id, cursor]))
    },

    /** @returns whether there is more. */
    async pull(): Promise<boolean> {
      const page = await api.sync.pull({ cursors, limit })
      for (const change of page.changes) await apply(change)
      for (const id of page.gone) held.delete(id)
      cursors = page.cursors
      return page.hasMore
    },
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error
}

t.test('properties', async (t) => {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  const servers = [await startServer(t, { databaseUrl: database.url }), await startServer(t, { databaseUrl: database.url })] as const
  const newPeople = () => Promise.all(Array.from({ length: peopleCount }, () => servers[0].signUp()))
  const end = ({ followers }: World): void => {
    for (const follower of followers) follower.cut()
  }

  t.test('on one server, what everybody folded live is what is stored', (t) =>
    hold(t, [story], async (steps) => {
      const world = await begin([servers[0]], await newPeople())
      await playAll(world, steps)
      await compare(world)
      end(world)
    }),
  )

  t.test('on two servers, what everybody folded live is what is stored', (t) =>
    hold(t, [story], async (steps) => {
      const world = await begin(servers, await newPeople())
      await playAll(world, steps)
      await compare(world)
      end(world)
    }),
  )

  t.test('on two servers, what everybody folded is what is stored, after the next resume', (t) =>
    hold(t, [story], async (steps) => {
      const world = await begin(servers, await newPeople())
      await playAll(world, steps)
      end(world)
      await Promise.all(world.followers.map((follower) => follower.connect()))
      await compare(world)
      end(world)
    }),
  )

  t.test('sync.pull in small pages, also while things go on, leads to the same', (t) =>
    hold(t, [story, story, fc.integer({ min: 1, max: 9 })], async (before, meanwhile, limit) => {
      const world = await begin(servers, await newPeople())
      await playAll(world, before.slice(0, 8))
      const whoPulls = 3
      const person = world.people[whoPulls] as Person
      const puller = createPuller(person, limit)
      await puller.begin(world.conversations)

      let isOver = false
      const going = playAll(world, meanwhile.slice(0, 8)).finally(() => {
        isOver = true
      })
      for (let hasMore = true; hasMore || !isOver; ) hasMore = await puller.pull()
      await going
      while (await puller.pull());
      const removals = [...before.slice(0, 8), ...meanwhile.slice(0, 8)].flat().filter((step) => step.type === 'remove' && step.whom === whoPulls)
      for (const [place, id] of world.conversations.entries()) {
        const wasRemoved = removals.some((step) => 'where' in step && step.where.conversation === place)
        if (!wasRemoved) equal(puller.held.has(id), true, 'what nobody took away is still there')
      }
      for (const [id, { state }] of puller.held) equal(plain(state), await readState(person.api, id), 'what was pulled')
      end(world)
    }),
  )
})
