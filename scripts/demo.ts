/**
 * Two people, a conversation, and a connection that is lost in the middle of 200 messages: the main job of Parley, done through the
 * SDK as an application would, and then proved. Ends with 0 when every message has arrived once and in order.
 */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { type DebugEvent, type Message, Parley, ParleyError } from '@parley/sdk'
import { connect, type Realtime, type RealtimeEvents } from '@parley/sdk/realtime'
import { examine } from './demo/proof.ts'
import { DemoError, openServer, type Server } from './demo/server.ts'
import { does, finding, happens, heading, result, says } from './demo/transcript.ts'
import { createTunnel, type Tunnel } from './demo/tunnel.ts'

interface Person {
  name: string
  id: string
  api: Parley
  realtime: Realtime
}

const total = 200
const tunnelBegins = 60
/** Counted in messages that are acknowledged meanwhile. */
const tunnelLength = 80
/** A server with limits lets a user send 100 messages a minute. */
const patienceMilliseconds = 10 * 60_000
/** For what is acknowledged to arrive at somebody who is connected. */
const arrivalMilliseconds = 30_000

async function play({ url, origin, isOwn }: Server): Promise<boolean> {
  heading(`Parley at ${url} (${origin})`)
  if (!isOwn) happens('Server', 'is somebody else’s: where it limits how much one sends, the SDK waits until it may go on, and this takes minutes')

  heading('1. Two people register')
  const tunnel = createTunnel()
  const alice = await signUp(url, 'Alice')
  const bob = await signUp(url, 'Bob', tunnel)

  heading('2. They talk')
  const conversationId = await talk(alice, bob)

  heading(`3. Alice writes ${total} messages, and Bob’s train enters a tunnel`)
  const { acknowledged, received } = await tellEverything({ alice, bob, conversationId, tunnel })

  heading('4. The proof')
  const stored: Message[] = []
  for await (const message of bob.api.messages.list(conversationId, { limit: 100 })) stored.unshift(message)
  const findings = examine({ sent: story, acknowledged, received, stored: stored.slice(-total) })
  for (const { holds, text } of findings) finding(holds, text)
  const holds = findings.every((each) => each.holds)
  const arrived = Math.min(received.length, total)
  result(holds, holds ? `${arrived} of ${total} messages arrived, in order, none twice.` : 'This should not have happened.')
  for (const { realtime } of [alice, bob]) realtime.close()
  return holds
}

async function signUp(baseUrl: string, name: string, tunnel?: Tunnel): Promise<Person> {
  const api = new Parley({ baseUrl, debug: (event) => tellOfLimits(name, event) })
  const email = `${name.toLowerCase()}-${crypto.randomUUID().slice(0, 8)}@example.com`
  await api.auth.register({ email, displayName: name })
  does(name, `registers as ${email}`)
  const { user } = await api.auth.verifyEmail({ email, code: '000000' })
  does(name, 'enters the code from the mail, 000000 in development, and is signed in')
  const realtime = connect(api, tunnel && { WebSocket: tunnel.WebSocket })
  realtime.on('state', ({ state }) => {
    if (state === 'connecting') happens(`${name}’s socket`, 'is lost; the SDK tries to get another one')
    if (state === 'ready') happens(`${name}’s socket`, 'is connected and up to date')
  })
  await realtime.ready()
  return { name, id: user.id, api, realtime }
}

function tellOfLimits(name: string, event: DebugEvent): void {
  if (event.type !== 'retry' || event.error.code !== 'rate_limit_exceeded') return
  happens('Server', `has had enough of ${event.operation} for now; ${name}’s SDK waits ${Math.ceil(event.delayMilliseconds / 1000)} s`)
}

/** A few words, over REST and over the sockets. */
async function talk(alice: Person, bob: Person): Promise<string> {
  const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  does('Alice', 'opens a conversation with Bob')

  const typing = next(bob.realtime, 'typing')
  await alice.realtime.setTyping(conversation.id, true)
  await typing
  does('Bob', 'sees that Alice is typing …')
  await say(alice, bob, conversation.id, 'Are you on the train already?')
  await say(bob, alice, conversation.id, 'Yes! Window seat, mountains, bad coffee.')
  await say(alice, bob, conversation.id, 'Then I have something for you to read.')
  return conversation.id
}

/** One speaks, the other one reads it, and the first one sees that. */
async function say(speaker: Person, listener: Person, conversationId: string, content: string): Promise<void> {
  const arrival = next(listener.realtime, 'message.created')
  const { message } = await speaker.api.conversations.sendMessage(conversationId, { content })
  await arrival
  says(speaker.name, content, message.seq)
  const read = next(speaker.realtime, 'read')
  await listener.realtime.markRead(conversationId, message.seq)
  const { data } = await read
  does(speaker.name, `sees that ${listener.name} has read up to #${data.readSeq}`)
}

/** Alice does not wait for anything: her SDK keeps what is not acknowledged, and sends it in her order. */
async function tellEverything({ alice, bob, conversationId, tunnel }: { alice: Person; bob: Person; conversationId: string; tunnel: Tunnel }) {
  const received: Message[] = []
  const acknowledged: Message[] = []
  const complete = Promise.withResolvers<void>()
  let tunnelEnds = Infinity
  const leaveIfDue = (): void => {
    if (acknowledged.length < tunnelEnds) return
    tunnelEnds = Infinity
    tunnel.leave()
    happens('Bob’s train', 'is out again')
    bob.realtime.reconnect()
  }

  bob.realtime.on('state', ({ state }) => {
    if (state === 'resuming') happens('Bob’s socket', `is connected again, and asks for the ${acknowledged.length - received.length} messages that went by`)
  })
  bob.realtime.on('message.created', ({ data: { message } }) => {
    received.push(message)
    if (received.length % 40 === 0) does('Bob', `has “${message.content}”, the ${received.length}th that came`)
    if (received.length === tunnelBegins) {
      tunnel.enter()
      happens('Bob’s train', `enters the tunnel: ${received.length} messages have arrived, and the socket is cut`)
      tunnelEnds = Math.min(acknowledged.length + tunnelLength, total)
      leaveIfDue()
    }
    if (received.length >= total) complete.resolve()
  })

  does('Alice', `writes ${total} messages without waiting for anything`)
  const earlier = tunnel.counts[0] ?? 0
  const endWatch = watchForSilence(alice, acknowledged)
  await Promise.all(
    story.map(async (content) => {
      acknowledged.push(await alice.realtime.sendMessage(conversationId, { content }))
      if (acknowledged.length % 50 === 0) does('Alice', `has the server’s word for ${acknowledged.length}`)
      leaveIfDue()
    }),
  )
  await Promise.race([complete.promise, pause(arrivalMilliseconds)])
  endWatch()
  const [beforeTunnel = 0, afterTunnel = 0] = tunnel.counts
  happens('Bob’s socket', `${beforeTunnel - earlier} messages came over the connection that was cut, ${afterTunnel} over the next`)
  return { acknowledged, received }
}

/** A limit shows as silence: the SDK tries again, with growing pauses. Each silence is told once. */
function watchForSilence(alice: Person, acknowledged: Message[]): () => void {
  let before = 0
  let toldAt = 0
  const timer = setInterval(() => {
    const { length } = acknowledged
    const isSilent = length === before && length > toldAt && alice.realtime.state === 'ready'
    before = length
    if (!isSilent) return
    toldAt = length
    happens('Server', `takes so many messages a minute from one person, and no more: ${length} so far. Alice’s SDK goes on as soon as it may …`)
  }, 2_000)
  return () => clearInterval(timer)
}

/** The next event of a kind. */
function next<T extends keyof RealtimeEvents>(realtime: Realtime, type: T): Promise<RealtimeEvents[T]> {
  return new Promise((resolve) => {
    const stop = realtime.on(type, (event) => {
      stop()
      resolve(event)
    })
  })
}

const story = Array.from({ length: total }, (_, index) => `Page ${index + 1}`)

/** @returns the exit code. */
async function run(): Promise<number> {
  let stopServer = async (): Promise<void> => undefined
  const interruption = Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal))).then(() => {
    throw new DemoError('Interrupted.')
  })
  const timeout = pause(patienceMilliseconds, undefined, { ref: false }).then(() => {
    throw new DemoError(`Something is missing after ${patienceMilliseconds / 60_000} minutes.`)
  })
  const demo = async (): Promise<boolean> => play(await openServer(process.env.PARLEY_URL, (stop) => (stopServer = stop)))
  try {
    return (await Promise.race([demo(), interruption, timeout])) ? 0 : 1
  } catch (error) {
    const isTold = error instanceof DemoError || error instanceof ParleyError
    process.stderr.write(`\n${isTold ? error.message : error instanceof Error ? error.stack : error}\n`)
    return 1
  } finally {
    await stopServer()
  }
}

process.exit(await run())
