/** Processes that are killed: what they have acknowledged reaches the sockets of the others, and all goes on when they are back. */
import { connect } from '@parley/sdk/realtime'
import t from 'tap'
import { createTestDatabase } from '../helpers/database.ts'
import { until as eventually, install } from '../helpers/process.ts'
import { buses } from './buses.ts'
import { range } from './people.ts'

for (const { name, skip, prepare } of buses) {
  t.test(`two real processes over ${name}`, { skip }, async (t) => {
    const bus = await prepare(t)
    const database = await createTestDatabase()
    const [one, two] = [await install(t), await install(t)] as const
    const env = { DATABASE_URL: database.url, JWT_SECRET: 'a secret that both of them know, long enough', DATA_DIR: one.dataDir, ...bus.env }
    t.teardown(() => database.drop())
    const first = await one.start({ env })
    await two.start({ env })
    const [alice, bob] = [await one.signUp('alice'), await two.signUp('bob')]
    const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id] })
    const live = connect(bob.api)
    t.teardown(() => live.close())
    const contents: string[] = []
    live.on('message.created', ({ data }) => contents.push(data.message.content))
    await live.ready()
    const sendOne = (content: string) => alice.api.conversations.sendMessage(conversation.id, { content })

    t.test('who is there is known to both', async () => {
      const heard = new Promise<void>((resolve) => {
        live.on('presence.changed', ({ data }) => data.userId === alice.id && data.status === 'online' && resolve())
      })
      const ofAlice = connect(alice.api)
      await ofAlice.ready()
      await heard
      ofAlice.close()
    })

    t.test('everything acknowledged by one that is killed reaches the sockets of the other, in order and once', async (t) => {
      const acknowledged: string[] = []
      let stop = false
      const senders = range(0, 3).map(async (sender) => {
        for (let number = 0; !stop; number++) {
          await sendOne(`${sender}/${number}`).then(({ message }) => acknowledged.push(message.content))
        }
      })
      const allEnded = Promise.allSettled(senders)
      await eventually(() => acknowledged.length > 200)
      await first.kill()
      stop = true
      await allEnded
      await eventually(() => acknowledged.every((content) => contents.includes(content)))
      t.equal(new Set(contents).size, contents.length)
      for (const sender of ['0', '1', '2', '3']) {
        const own = contents.filter((content) => content.startsWith(`${sender}/`)).map((content) => Number(content.split('/')[1]))
        t.same(own, range(0, own.length - 1))
      }
    })

    t.test('and so does what it says when it is back', async () => {
      await one.start({ env })
      await sendOne('back')
      await eventually(() => contents.includes('back'))
    })
  })
}
