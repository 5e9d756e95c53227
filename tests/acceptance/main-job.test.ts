/** What Parley is for: two people register, talk over REST and sockets through the SDK, and one of them, who loses the connection, misses nothing. */
import { type Message, Parley } from '@parley/sdk'
import { connect, type Realtime, type RealtimeEvents } from '@parley/sdk/realtime'
import t, { type Test } from 'tap'
import { auditReceived, readAll, recordMessages } from '../helpers/ledger.ts'
import { type Installation, install, until } from '../helpers/process.ts'
import { startProxy } from '../helpers/proxy.ts'

t.setTimeout(180_000)

/** Alice reaches the server directly, Bob through a network that can be cut. */
async function gather(t: Test, installation: Installation) {
  await installation.start()
  const network = await startProxy(installation.url)
  const alice = await installation.signUp('alice')
  const bob = await installation.signUp('bob')
  const bobApi = new Parley({ baseUrl: network.url, ...bob.api.tokens })
  const sockets = { alice: connect(alice.api), bob: connect(bobApi) }
  t.teardown(async () => {
    for (const socket of Object.values(sockets)) socket.close()
    await network.close()
  })
  await Promise.all(Object.values(sockets).map((socket) => socket.ready()))
  return { network, alice: { ...alice, socket: sockets.alice }, bob: { ...bob, api: bobApi, socket: sockets.bob } }
}

function next<T extends keyof RealtimeEvents>(socket: Realtime, type: T, fits: (event: RealtimeEvents[T]) => boolean = () => true): Promise<RealtimeEvents[T]> {
  return new Promise((resolve) => {
    const stop = socket.on(type, (event) => {
      if (!fits(event)) return
      stop()
      resolve(event)
    })
  })
}

const count = (length: number, name: string): string[] => Array.from({ length }, (_, index) => `${name} ${index + 1}`)

t.test('two people talk over REST and sockets, and one of them loses the network and closes the application in between', async (t) => {
  const installation = await install(t)
  const { network, alice, bob } = await gather(t, installation)
  const atAlice = recordMessages(alice.socket)
  const atBob = recordMessages(bob.socket)
  let conversationId = ''

  await t.test('both open the same conversation', async (t) => {
    const met = next(bob.socket, 'member.joined')
    const [first, second] = await Promise.all([
      alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] }),
      bob.api.conversations.create({ type: 'direct', memberIds: [alice.id] }),
    ])
    conversationId = first.conversation.id
    t.equal(second.conversation.id, conversationId)
    t.equal((await met).conversationId, conversationId, 'and whoever is connected learns of it')
  })

  await t.test('typing, messages and read marks reach the other one', async (t) => {
    const typing = next(bob.socket, 'typing')
    t.ok(await alice.socket.setTyping(conversationId, true))
    t.match(await typing, { data: { conversationId, userId: alice.id, typing: true } })

    const arrival = next(bob.socket, 'message.created')
    const { message } = await alice.api.conversations.sendMessage(conversationId, { content: 'Over REST' })
    t.same((await arrival).data.message, message)
    t.match(await bob.api.conversations.get(conversationId), { conversation: { unreadCount: 1, lastMessage: message } })

    const read = next(alice.socket, 'read')
    await bob.socket.markRead(conversationId, message.seq)
    t.match(await read, { data: { userId: bob.id, readSeq: message.seq } })
    t.match(await bob.api.conversations.get(conversationId), { conversation: { unreadCount: 0 } })

    const answer = await bob.socket.sendMessage(conversationId, { content: 'Over the socket' })
    t.equal(answer.seq, message.seq + 1)
    await until(() => atAlice.of(conversationId).length === 2)
    t.same(atAlice.of(conversationId), [message, answer], 'to all connections of both')
  })

  await t.test('of 200 messages, with the network cut three times in the middle, each one arrives once and in order', async (t) => {
    const before = atBob.of(conversationId).length
    const cuts = [40, 90, 140]
    let acknowledged = 0
    const cutting = (async () => {
      for (const at of cuts) {
        await until(() => atBob.of(conversationId).length >= before + at)
        await network.cut()
        const missing = acknowledged
        await until(() => acknowledged >= Math.min(missing + 25, 200))
        await network.restore()
        bob.socket.reconnect()
      }
    })()
    const sent = await Promise.all(
      count(200, 'Page').map(async (content) => {
        const message = await alice.socket.sendMessage(conversationId, { content })
        acknowledged++
        return message
      }),
    )
    await cutting
    t.same(
      sent.map(({ seq }) => seq),
      count(200, '').map((_, index) => before + index + 1),
      'they are numbered in the order in which they were written',
    )
    await until(() => atBob.of(conversationId).length >= before + 200)
    t.same(auditReceived(atBob.of(conversationId).slice(before), sent), [])
    t.same(auditReceived(await readAll(bob.api, conversationId), atBob.of(conversationId)), [])
  })

  await t.test('what is written without a network waits, and is sent once and in order when there is one', async (t) => {
    await network.cut()
    const waiting = count(20, 'From the tunnel').map((content) => bob.socket.sendMessage(conversationId, { content }))
    await alice.api.conversations.sendMessage(conversationId, { content: 'Are you there?' })
    await network.restore()
    bob.socket.reconnect()
    const sent = await Promise.all(waiting)
    t.same(auditReceived(await readAll(alice.api, conversationId).then((all) => all.slice(-20)), sent), [])
    await until(() => atAlice.of(conversationId).at(-1)?.id === sent.at(-1)?.id)
    t.same(auditReceived(atAlice.of(conversationId), await readAll(alice.api, conversationId)), [])
  })

  await t.test('an application that is closed and opened again goes on where it stopped, over the socket and over REST alike', async (t) => {
    await bob.socket.ready()
    await until(() => atBob.of(conversationId).length === atAlice.of(conversationId).length)
    const { cursors } = bob.socket
    bob.socket.close()
    const sent = await Promise.all(count(30, 'While away').map((content) => alice.socket.sendMessage(conversationId, { content })))

    const { changes, hasMore } = await bob.api.sync.pull({ cursors })
    const pulled = changes.flatMap((change): Message[] => (change.type === 'message.created' ? [change.data.message] : []))
    t.same(auditReceived(pulled, sent), [])
    t.equal(hasMore, false)

    const again = connect(bob.api, { cursors })
    t.teardown(() => again.close())
    const received = recordMessages(again)
    await again.ready()
    t.same(auditReceived(received.of(conversationId), sent), [])
  })
})

t.test('when the server is stopped and started again, both go on by themselves', async (t) => {
  const installation = await install(t)
  const { alice, bob } = await gather(t, installation)
  const atBob = recordMessages(bob.socket)
  const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  await alice.socket.sendMessage(conversation.id, { content: 'Before' })
  await installation.stop()
  const during = alice.socket.sendMessage(conversation.id, { content: 'During' })
  await installation.start()
  await during
  await alice.api.conversations.sendMessage(conversation.id, { content: 'After' })
  await until(() => atBob.of(conversation.id).length >= 3)
  t.same(
    atBob.of(conversation.id).map(({ content }) => content),
    ['Before', 'During', 'After'],
  )
})
