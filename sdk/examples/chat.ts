/**
 * Two people meet: they register, one writes over REST, the other answers over the socket. Run it against a server in
 * development, where the code 000000 always works: `node examples/chat.ts http://localhost:3000`
 */
import { argv } from 'node:process'
import { Parley } from '@parley/sdk'
import { connect } from '@parley/sdk/realtime'

const baseUrl = argv[2] ?? 'http://localhost:3000'

const alice = await signUp('Alice')
const bob = await signUp('Bob')

const realtime = connect(bob.api)
await realtime.ready()
const answered = new Promise<void>((resolve) => {
  realtime.on('message.created', async ({ conversationId, data: { message } }) => {
    console.log(`Bob reads: ${message.content}`)
    if (message.senderId === bob.user.id) return resolve()
    await realtime.markRead(conversationId, message.seq)
    await realtime.sendMessage(conversationId, { content: 'At noon, gladly!' })
  })
})

const { message } = await alice.api.messages.send({ recipientId: bob.user.id, content: 'Shall we have lunch?' })
await answered
for await (const { seq, content } of alice.api.messages.list(message.conversationId)) console.log(`${seq}. ${content}`)
realtime.close()

async function signUp(displayName: string) {
  const api = new Parley({ baseUrl })
  const email = `${displayName.toLowerCase()}-${crypto.randomUUID()}@example.com`
  await api.auth.register({ email, displayName })
  const { user } = await api.auth.verifyEmail({ email, code: '000000' })
  return { api, user }
}
