import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import type { ApiKeyId, ConversationId, UserId } from '../../openapi/shared/ids.ts'
import { personalData } from '../../src/features/accounts/personal-data.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { tinyPng } from '../helpers/form.ts'
import { type Options, startServer, type TestServer } from '../helpers/server.ts'
import { createTestClock, day, eventually, minute, repeat } from './auth-client.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

/** A server whose clock can be put ahead. */
async function start(t: Pick<Test, 'teardown'>, options: Options = {}) {
  const clock = createTestClock()
  const server = await startServer(t, { clock, ...options })
  const { pool } = server.database

  const deleteMe = ({ accessToken, email }: Pick<Person, 'accessToken' | 'email'>, body: object = {}) =>
    server.request('DELETE', '/v1/users/me', { token: accessToken, body: { confirmEmail: email, ...body } })
  const signIn = (email: string) => server.request('POST', '/v1/auth/verify-email', { body: { email, code: '000000' } })

  return {
    ...server,
    clock,
    pool,
    deleteMe,
    signIn,
    me: (token: string) => server.request('GET', '/v1/users/me', { token }),
    eraseDue: () => server.app.services.erasure.eraseDue(),
    row: async (userId: UserId) => (await pool.query('select * from users where id = $1', [userId])).rows[0],
    eventTypes: async (userId: UserId) =>
      (await pool.query<{ type: string }>('select type from security_events where user_id = $1 order by id', [userId])).rows.map(({ type }) => type),
    mailTo: (email: string, subject: RegExp) =>
      eventually(async () => (await server.mails()).find((mail) => mail.to?.[0]?.address === email && subject.test(mail.subject ?? ''))),

    /** Has the deletion come to its end. */
    async leave(person: Person) {
      await deleteMe(person)
      clock.advance(30 * day)
      await server.app.services.erasure.eraseDue()
    },
  }
}

t.test('asking for the deletion of an account', async (t) => {
  const { signUp, clock, pool, deleteMe, signIn, me, row, eventTypes, mailTo, request, socket, eraseDue } = await start(t)

  t.test('schedules it 30 days ahead, ends sessions, sockets and API keys at once, and is told by mail and as a security event', async (t) => {
    const alice = await signUp()
    const { key } = await alice.api.apiKeys.create({ name: 'A program', scope: 'write' })
    const other = await signIn(alice.email)
    const open = await socket(alice.accessToken)
    const { updated_at: before } = await row(alice.id)
    const { status, json } = await deleteMe({ ...alice, email: alice.email.toUpperCase() }, { reason: 'No longer needed' })
    t.equal(status, 202)
    t.ok((await row(alice.id)).updated_at > before, 'as of a change of the account')
    t.ok(Math.abs(Date.parse(json.deletionAt) - clock.now().getTime() - 30 * day) < minute)
    await open.closed
    t.equal((await me(alice.accessToken)).status, 401)
    t.equal((await me(other.json.accessToken)).status, 401, 'on other devices')
    t.equal((await request('POST', '/v1/auth/refresh', { body: { refreshToken: other.json.refreshToken } })).status, 401)
    t.equal((await request('GET', '/v1/users/me', { headers: { 'x-api-key': key } })).status, 401, 'by a key')
    t.ok((await eventTypes(alice.id)).includes('deletion_scheduled'))
    t.match((await mailTo(alice.email, /is going to be deleted/)).text, new RegExp(new Date(json.deletionAt).toUTCString()))
  })

  t.test('needs the address of the account, in any letter case, and none of another', async (t) => {
    const [alice, bob] = [await signUp(), await signUp()]
    const { status, json } = await deleteMe({ ...alice, email: bob.email })
    t.same([status, json.error.code, json.error.details[0].field], [400, 'validation_error', 'body.confirmEmail'])
    t.equal((await me(alice.accessToken)).status, 200)
    t.equal((await row(alice.id)).deletion_at, null)
  })

  t.test('is for whoever has signed in: no credentials and an API key of whatever scope are not enough', async (t) => {
    const alice = await signUp()
    const { key } = await alice.api.apiKeys.create({ name: 'A program', scope: 'write' })
    t.equal((await deleteMe({ accessToken: '', email: alice.email })).json.error.code, 'unauthorized')
    t.equal((await deleteMe({ accessToken: key, email: alice.email })).json.error.code, 'insufficient_scope')
    t.equal((await row(alice.id)).deletion_at, null)
  })

  t.test('several times at once keeps the first date', async (t) => {
    const alice = await signUp()
    const answers = await repeat(5, () => deleteMe(alice))
    const dates = new Set(answers.filter(({ status }) => status === 202).map(({ json }) => json.deletionAt))
    t.equal(dates.size, 1)
    t.equal((await row(alice.id)).deletion_at.toISOString(), [...dates][0])
    t.equal((await eventTypes(alice.id)).filter((type) => type === 'deletion_scheduled').length, 1)
  })

  t.test('is undone by signing in before the day, in whatever way', async (t) => {
    const ways = { code: undefined, password: 'correct horse battery' }
    for (const [way, password] of Object.entries(ways)) {
      const email = `returning-by-${way}@example.com`
      await request('POST', '/v1/auth/register', { body: { email, ...(password && { password }) } })
      const code = await eventually(async () => /^\d{6}$/m.exec((await mailTo(email, /code/)).text ?? '')?.[0])
      const { json } = await request('POST', '/v1/auth/verify-email', { body: { email, code } })
      const alice = { id: json.user.id as UserId, email, accessToken: json.accessToken }
      await deleteMe(alice)
      clock.advance(29 * day)
      const back = password ? await request('POST', '/v1/auth/login', { body: { identifier: email, password } }) : await signIn(email)
      t.equal(back.status, 200, way)
      t.equal(back.json.user.deletionAt, null)
      clock.advance(2 * day)
      await eraseDue()
      t.equal((await row(alice.id)).erased_at, null, way)
      t.ok((await eventTypes(alice.id)).includes('deletion_cancelled'))
      t.ok(await mailTo(email, /stays/))
    }
  })

  t.test('is not undone by signing in after the day, though the account is not erased yet', async (t) => {
    const alice = await signUp()
    await deleteMe(alice)
    clock.advance(30 * day)
    const { status, json } = await signIn(alice.email)
    t.same([status, json.error.code], [403, 'account_suspended'])
    await eraseDue()
    t.not((await row(alice.id)).erased_at, null)
  })

  t.test('is not for the last administrator', async (t) => {
    const admin = await signUp()
    await pool.query("update users set role = 'admin' where id = $1", [admin.id])
    t.equal((await deleteMe(admin)).json.error.code, 'conflict')
    const second = await signUp()
    await pool.query("update users set role = 'admin' where id = $1", [second.id])
    const answers = await Promise.all([deleteMe(admin), deleteMe(second)])
    t.same(answers.map(({ status }) => status).sort(), [202, 409], 'of two at once one stays')
  })

  t.test('locks nobody else, so that it waits for no one who locks several accounts', async (t) => {
    const [alice, admin] = [await signUp(), await signUp()]
    await pool.query("update users set role = 'admin' where id = $1", [admin.id])
    const { client, letGo } = await hold(pool, 'select from users where id = $1 for no key update', [alice.id])
    const deletion = deleteMe(alice)
    await waiting(pool)
    await t.resolves(client.query('select from users where id = $1 for no key update nowait', [admin.id]))
    await letGo()
    t.equal((await deletion).status, 202)
  })
})

t.test('an erasure', async (t) => {
  t.test('leaves nothing of the person in any table of ours and in no file', async (t) => {
    const { signUp, pool, row, leave, request, dataDir } = await start(t)
    const [alice, bob] = [await signUp('alice.secret@example.com'), await signUp()]
    await fillAllTables(alice, bob, pool)
    const { avatar_key: firstKey } = await row(alice.id)
    await alice.api.users.setAvatar({ file: new Blob([tinyPng]) })
    const { avatar_key: avatarKey } = await row(alice.id)
    t.not(avatarKey, firstKey)
    t.equal((await request('GET', `/v1/avatars/${avatarKey}`)).status, 200)
    await leave(alice)

    const { id, email, erased_at: erasedAt, deletion_at: deletionAt, created_at, updated_at, ...rest } = await row(alice.id)
    t.equal(email, `${id}@deleted.invalid`)
    t.ok(erasedAt)
    t.equal(deletionAt, null, 'and nothing is left to be done')
    t.same(rest, await nobodysRow(pool), 'all other columns are as of somebody who never told anything')
    for (const [place, { erased }] of Object.entries(personalData)) {
      if (erased === true) t.equal(await countOf(pool, place, alice), 0, place)
    }
    t.equal(await countOf(pool, 'blocks.blocked_id', bob), 0, 'those whom they have blocked are free')
    t.equal(await eventually(async () => ((await request('GET', `/v1/avatars/${avatarKey}`)).status === 404 ? 404 : undefined)), 404, 'the picture too')
    const pictures = async () => (await readdir(dataDir, { recursive: true })).filter((name) => name.includes(firstKey) || name.includes(avatarKey))
    await eventually(async () => ((await pictures()).length === 0 ? true : undefined))
    const everything = await dump(pool)
    for (const trace of ['alice.secret', 'Alice Secret', '+15550001', 'sub-of-alice', '203.0.113.9']) t.notOk(everything.includes(trace), trace)
  })

  t.test('ends groups by the usual rules, and leaves direct conversations and messages as those of a deleted user', async (t) => {
    const { signUp, leave, socket, request } = await start(t)
    const [alice, bob, carol] = [await signUp(), await signUp(), await signUp()]
    const { conversation: group } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id, carol.id], title: 'Lunch' })
    await alice.api.conversations.updateMember(group.id, carol.id, { role: 'admin' })
    const { conversation: direct } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    await alice.api.conversations.sendMessage(direct.id, { content: 'Keep this' })
    const asBob = await socket((await bob.api.auth.verifyEmail({ email: bob.email, code: '000000' })).accessToken)
    asBob.send({ type: 'resume', data: { cursors: {} } })
    await asBob.frame(({ type }) => type === 'ready')
    const left = asBob.frame(({ type }) => type === 'member.left')
    const heir = asBob.frame(({ type, data }) => type === 'member.updated' && data.member.role === 'owner')
    await leave(alice)
    t.match(await left, { conversationId: group.id, data: { userId: alice.id } })
    t.equal((await heir).data.member.user.id, carol.id, 'the admin follows, and not who joined first')

    const token = (await bob.api.auth.verifyEmail({ email: bob.email, code: '000000' })).accessToken
    const { json } = await request('GET', `/v1/conversations/${direct.id}`, { token })
    const other = json.conversation.members.find(({ user }: { user: { id: string } }) => user.id === alice.id)
    t.match(other.user, { displayName: null, username: null, avatarUrl: null, deleted: true })
    t.equal(json.conversation.lastMessage.content, 'Keep this')
  })

  t.test('frees the address and the username for a new account, which is another one', async (t) => {
    const { signUp, leave, request } = await start(t)
    const alice = await signUp('alice@example.com')
    await alice.api.users.updateMe({ username: 'alice' })
    await leave(alice)
    const { status, json } = await request('POST', '/v1/auth/register', { body: { email: 'Alice@example.com', username: 'Alice' } })
    t.equal(status, 201)
    t.not(json.user.id, alice.id)
  })

  t.test('makes the access tokens that are still good unauthorized, after a restart as well', async (t) => {
    const { url: databaseUrl, drop } = await createTestDatabase()
    t.teardown(drop)
    const { signUp, me, pool, eraseDue, row } = await start(t, { databaseUrl })
    const alice = await signUp()
    await pool.query("update users set deletion_at = now() - interval '1 second' where id = $1", [alice.id])
    await eraseDue()
    t.ok((await row(alice.id)).erased_at)
    const restarted = await start(t, { databaseUrl })
    for (const server of [{ me }, restarted]) t.equal((await server.me(alice.accessToken)).json.error.code, 'unauthorized')
    t.equal((await restarted.request('GET', '/v1/conversations', { token: alice.accessToken })).status, 401, 'where the user is not read')
  })

  t.test('comes about by itself, by whichever server is up when it is due', async (t) => {
    const { url: databaseUrl, drop } = await createTestDatabase()
    t.teardown(drop)
    const first = await start(t, { databaseUrl })
    const alice = await first.signUp()
    await first.deleteMe(alice)
    await first.stop()
    const clock = createTestClock()
    clock.advance(31 * day)
    const later = await start(t, { databaseUrl, clock })
    const { deletion_at: left } = await eventually(async () => {
      const row = await later.row(alice.id)
      return row.erased_at !== null && row.deletion_at === null ? row : undefined
    })
    t.equal(left, null)
  })

  t.test('is completed when it was killed in between, and does no harm when done twice and by two at once', async (t) => {
    const { signUp, pool, row, deleteMe, clock, app } = await start(t, { env: { ERASED_USERS_MESSAGES: 'erase' } })
    const [alice, bob] = [await signUp(), await signUp()]
    const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id], title: 'Lunch' })
    for (const content of ['one', 'two', 'three']) await alice.api.conversations.sendMessage(conversation.id, { content })
    await deleteMe(alice)
    clock.advance(30 * day)
    // Fails after the person is gone, in the middle of the messages.
    await pool.query(`create function refuse() returns trigger language plpgsql as $$ begin raise 'killed'; end $$`)
    await pool.query(`create trigger refuse before update on messages for each row when (old.seq = 2) execute function refuse()`)
    await t.rejects(app.services.erasure.erase(alice.id))
    const half = await row(alice.id)
    t.ok(half.erased_at)
    t.ok(half.deletion_at, 'it is still to be done')
    await pool.query('drop trigger refuse on messages')

    await Promise.all(Array.from({ length: 3 }, () => app.services.erasure.eraseDue()))
    await app.services.erasure.erase(alice.id)
    t.equal((await row(alice.id)).deletion_at, null)
    const { rows } = await pool.query('select content, change_seq from messages where conversation_id = $1 order by seq', [conversation.id])
    t.same(
      rows.map(({ content }) => content),
      ['', '', ''],
    )
    await noHoles(t, pool, conversation.id)
    const { rows: owners } = await pool.query("select user_id from members where conversation_id = $1 and role = 'owner' and left_at is null", [
      conversation.id,
    ])
    t.same(owners, [{ user_id: bob.id }])
  })

  t.test('holds up nobody who writes to the user, and closes the direct conversations for both', async (t) => {
    const { signUp, pool, app, request } = await start(t)
    const [alice, bob] = [await signUp(), await signUp()]
    const { conversation } = await bob.api.conversations.create({ type: 'direct', memberIds: [alice.id] })
    const send = () => request('POST', `/v1/conversations/${conversation.id}/messages`, { token: bob.accessToken, body: { content: 'Hello' } })
    await pool.query("update users set deletion_at = now() - interval '1 second' where id = $1", [alice.id])
    const person = await hold(pool, 'select from known_devices where user_id = $1 for update', [alice.id])
    const erasure = app.services.erasure.erase(alice.id)
    await waiting(pool)
    t.equal((await send()).status, 201, 'the person is being erased')
    // As whoever writes there: first the conversation, then its members.
    const writer = await hold(pool, 'select from conversations where id = $1 for no key update', [conversation.id])
    await person.letGo()
    await waiting(pool)
    await t.resolves(writer.client.query('select from members where conversation_id = $1 for no key update nowait', [conversation.id]))
    await writer.letGo()
    await erasure
    t.equal((await send()).json.error.code, 'not_found')
    const { rows } = await pool.query('select blocked from members where conversation_id = $1', [conversation.id])
    t.same(rows, [{ blocked: true }, { blocked: true }])
  })

  t.test('leaves nobody in a conversation that is begun, or that they are added to, meanwhile', async (t) => {
    const { signUp, pool, app, request } = await start(t)
    const erase = async ({ id }: Person) => {
      await pool.query("update users set deletion_at = now() - interval '1 second' where id = $1", [id])
      await app.services.erasure.erase(id)
    }
    const openOf = async ({ id }: Person) => (await pool.query('select from members where user_id = $1 and left_at is null and not blocked', [id])).rows.length
    const bob = await signUp()
    const { conversation: group } = await bob.api.conversations.create({ type: 'group', memberIds: [], title: 'Lunch' })
    const post = (path: string, body: object) => request('POST', `/v1/conversations${path}`, { token: bob.accessToken, body })
    const acts: Record<string, (userId: UserId) => ReturnType<typeof request>> = {
      direct: (userId) => post('', { type: 'direct', memberIds: [userId] }),
      group: (userId) => post('', { type: 'group', memberIds: [userId], title: 'Dinner' }),
      added: (userId) => post(`/${group.id}/members`, { userIds: [userId] }),
    }
    for (const [name, act] of Object.entries(acts)) {
      const [alice, carol] = [await signUp(), await signUp()]
      // Has found that there is such a user.
      const before = await hold(pool, 'lock table conversations in exclusive mode')
      const late = act(alice.id)
      await waiting(pool)
      await erase(alice)
      await before.letGo()
      t.equal((await late).json.error.code, 'not_found', name)
      t.equal(await openOf(alice), 0, name)
      // Is about to write the membership.
      const within = await hold(pool, 'lock table members in share mode')
      const early = act(carol.id)
      await waiting(pool)
      const erasure = erase(carol)
      await Promise.race([waiting(pool, 2), erasure])
      await within.letGo()
      await erasure
      t.ok((await early).status < 300, name)
      t.equal(await openOf(carol), 0, name)
    }
    const before = await hold(pool, 'lock table conversations in exclusive mode')
    const own = post('', { type: 'group', memberIds: [], title: 'Of nobody' })
    await waiting(pool)
    // Who owns a group would have to wait to leave it.
    await pool.query('update users set erased_at = now() where id = $1', [bob.id])
    await before.letGo()
    t.ok((await own).status >= 400)
    t.equal((await pool.query("select from conversations where title = 'Of nobody'")).rows.length, 0)
  })

  t.test('that fails keeps no other from the sweep, however many fail', async (t) => {
    const { pool, row, signUp, eraseDue } = await start(t)
    const alice = await signUp()
    await pool.query(`create function refuse() returns trigger language plpgsql as $$ begin raise 'stuck'; end $$`)
    await pool.query(`create trigger refuse before update on users for each row when (old.email like 'stuck%') execute function refuse()`)
    await pool.query(`insert into users (id, email, deletion_at) select gen_random_uuid(), 'stuck' || n || '@example.com', now() - interval '1 day'
      from generate_series(1, 210) n`)
    await pool.query("update users set deletion_at = now() - interval '1 hour' where id = $1", [alice.id])
    await eraseDue()
    t.ok((await row(alice.id)).erased_at)
    t.equal((await pool.query("select count(*) from users where email like 'stuck%' and deletion_at is not null")).rows[0].count, 210, 'they stay due')
  })

  t.test('leaves of keys that ended lately what processes need to know that they did, and no more', async (t) => {
    const { url: databaseUrl, drop } = await createTestDatabase()
    t.teardown(drop)
    const { signUp, pool, app } = await start(t, { databaseUrl })
    const alice = await signUp()
    const { key, ...apiKey } = await alice.api.apiKeys.create({ name: 'Alice Secret', scope: 'read' })
    await pool.query("update users set deletion_at = now() - interval '1 second' where id = $1", [alice.id])
    await app.services.erasure.erase(alice.id)
    const { rows } = await pool.query('select name, hint, key_hash, last_used_at from api_keys where user_id = $1', [alice.id])
    t.match(rows, [{ name: '', hint: '', key_hash: apiKey.apiKey.id, last_used_at: null }])
    const another = await start(t, { databaseUrl })
    t.equal(another.app.services.revocations.has(apiKey.apiKey.id as ApiKeyId), true)
  })

  t.test('of many at once takes one connection each, also of people who have blocked and written to each other', async (t) => {
    const { signUp, pool, app, row } = await start(t, { maxConnections: 3 })
    const people = await Promise.all(Array.from({ length: 10 }, () => signUp()))
    const next = (index: number): UserId => people[(index + 1) % people.length]?.id as UserId
    for (const [index, { api }] of people.entries()) await api.conversations.create({ type: 'direct', memberIds: [next(index)] })
    for (const [index, { api }] of people.entries()) {
      await api.users.block(next(index))
      await api.users.block(next(index + people.length - 2))
    }
    await pool.query("update users set deletion_at = now() - interval '1 second'")
    await Promise.all(people.map(({ id }) => app.services.erasure.erase(id)))
    for (const { id } of people) t.match(await row(id), { erased_at: Date, deletion_at: null })
  })

  t.test('takes along what others were writing of the user meanwhile', async (t) => {
    const { signUp, pool, row, deleteMe, clock, app } = await start(t)
    const [alice, bob] = [await signUp(), await signUp()]
    await deleteMe(alice)
    clock.advance(30 * day)
    const { client } = await hold(pool, 'insert into blocks (blocker_id, blocked_id, created_at) values ($1, $2, now())', [bob.id, alice.id])
    const erased = app.services.erasure.erase(alice.id)
    await waiting(pool, 1)
    await client.query('commit')
    client.release()
    await erased
    t.ok((await row(alice.id)).erased_at)
    t.equal((await pool.query('select from blocks where blocked_id = $1', [alice.id])).rowCount, 0)
  })

  t.test('leaves alone who is not due', async (t) => {
    const { signUp, row, app, deleteMe } = await start(t)
    const [alice, bob] = [await signUp(), await signUp()]
    await deleteMe(bob)
    for (const { id } of [alice, bob]) await app.services.erasure.erase(id)
    t.same([(await row(alice.id)).erased_at, (await row(bob.id)).erased_at], [null, null])
  })
})

t.test('with ERASED_USERS_MESSAGES=erase every message of an erased user is emptied', async (t) => {
  const server = await start(t, { env: { ERASED_USERS_MESSAGES: 'erase' } })
  const { signUp, pool, request } = server
  const [alice, bob] = [await signUp(), await signUp()]
  const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  // More than are emptied at once, with some of another between them.
  const send = (person: Person, number: number) =>
    server.app.services.messages.send(actorOf(person), {
      conversationId: conversation.id as ConversationId,
      content: `${number}`,
      clientId: `${number}`,
      metadata: { number },
    })
  for (let number = 0; number < 450; number += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => send(alice, number + index)))
    await send(bob, number)
  }
  const { changeSeq: before } = (await bob.api.conversations.get(conversation.id)).conversation
  const socket = await server.socket(bob.accessToken)
  socket.send({ type: 'resume', data: { cursors: { [conversation.id]: before } } })
  await socket.frame(({ type }) => type === 'ready')
  // The clock that ends the account would end the socket as well.
  await pool.query("update users set deletion_at = now() - interval '1 second' where id = $1", [alice.id])
  await server.eraseDue()

  await t.test('which is told live, each with the next number', async (t) => {
    await socket.frame(({ changeSeq }) => changeSeq === before + 450)
    const heard = socket.frames.filter(({ type }) => type === 'message.deleted')
    t.same(
      heard.map(({ changeSeq }) => changeSeq),
      Array.from({ length: 450 }, (_, index) => before + 1 + index),
    )
    for (const { data } of [heard[0], heard.at(-1)].filter((frame) => frame !== undefined)) {
      t.match(data.message, { senderId: alice.id, content: '', clientId: null, metadata: {} })
      t.ok(data.message.deletedAt)
    }
  })

  await t.test('to whoever was away as well, by sync and by resume', async (t) => {
    const { json } = await request('POST', '/v1/sync', { token: bob.accessToken, body: { cursors: { [conversation.id]: before } } })
    t.equal(json.changes.length, 450)
    t.ok(
      json.changes.every(
        ({ type, data }: { type: string; data: { message: { content: string } } }) => type === 'message.deleted' && data.message.content === '',
      ),
    )
    const again = await server.socket(bob.accessToken)
    again.send({ type: 'resume', data: { cursors: { [conversation.id]: before } } })
    await again.frame(({ changeSeq, type }) => type === 'message.deleted' && changeSeq === before + 450)
  })

  await t.test('and those of others stay, as do the numbers', async (t) => {
    const { rows } = await pool.query(
      "select sender_id, count(*) filter (where content = '' and client_id is null and metadata::text = '{}' and deleted_at is not null) as emptied, count(*) from messages group by 1",
    )
    t.same(
      rows.sort((a, b) => b.count - a.count),
      [
        { sender_id: alice.id, emptied: 450, count: 450 },
        { sender_id: bob.id, emptied: 0, count: 9 },
      ],
    )
    await noHoles(t, pool, conversation.id)
  })
})

t.test('an export', async (t) => {
  const server = await start(t)
  const { signUp, pool, request } = server
  const exportOf = (token: string) => request('GET', '/v1/users/me/export', { token })

  t.test('holds everything that is kept about the user, no secret, and nothing of others', async (t) => {
    const [alice, bob] = [await signUp('alice.secret@example.com'), await signUp()]
    await fillAllTables(alice, bob, pool)
    const { status, headers, json, text } = await exportOf(alice.accessToken)
    t.equal(status, 200)
    t.equal(headers.get('content-disposition'), 'attachment; filename="parley-export.json"')
    t.equal(headers.get('cache-control'), 'no-store')
    t.match(json.user, { id: alice.id, email: alice.email, displayName: 'Alice Secret', phone: '+15550001' })
    for (const [place, { exported }] of Object.entries(personalData)) {
      if ('section' in exported) t.ok(json.sections[exported.section]?.length > 0, `${place} is in ${exported.section}`)
    }
    t.match(json.sections.messages, [{ content: 'Of Alice' }])
    t.match(json.sections.blockedUsers, [{ blockedId: bob.id }])
    t.match(json.sections.auditLog, [{ action: 'user.update', reason: 'Spelling', ip: null }], 'without where the administrator was')
    const { rows } = await pool.query<{ hash: string }>(
      'select key_hash as hash from api_keys union select token_hash from refresh_tokens union select device_hash from known_devices',
    )
    for (const { hash } of rows) t.notOk(text.includes(hash))
    t.notMatch(text, /hash/i)
    t.notOk(text.includes('Of Bob'))
    t.notOk(text.includes(bob.email))
  })

  t.test('is for whoever has signed in, and of nobody else', async (t) => {
    const alice = await signUp()
    const { key } = await alice.api.apiKeys.create({ name: 'A program', scope: 'read' })
    t.equal((await exportOf('')).status, 401)
    t.equal((await exportOf(key)).json.error.code, 'insufficient_scope')
    const bob = await signUp()
    t.equal((await request('GET', `/v1/users/${bob.id}/export`, { token: alice.accessToken })).status, 404, 'there is none of others')
  })

  t.test('is read while it is sent: what nobody reads yet is not in memory', async (t) => {
    const [alice, bob] = [await signUp(), await signUp()]
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    await insertMessages(pool, conversation.id, alice.id, 1_000)
    const asked: string[] = []
    const query = pool.query.bind(pool) as (...args: unknown[]) => unknown
    t.intercept(pool, 'query', {
      value: (...args: unknown[]) => {
        asked.push(JSON.stringify(args[0]))
        return query(...args)
      },
    })
    const { sections } = await server.app.services.accounts.exportOf(actorOf(alice))
    const readings = () => asked.filter((text) => text.includes('from \\"messages\\"')).length
    const [, messages] = sections.find(([name]) => name === 'messages') ?? []
    t.equal(readings(), 0, 'nothing before its turn')
    const batches = messages?.[Symbol.asyncIterator]()
    const first = await batches?.next()
    t.equal(first?.value.length, 200)
    t.equal(readings(), 1, 'and no more than is taken')
  })

  t.test('of any length is complete, also when the reader takes their time', async (t) => {
    const [alice, bob] = [await signUp(), await signUp()]
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    await insertMessages(pool, conversation.id, alice.id, 3_000)
    const { socket, answer } = await openExport(t, server.url, alice.accessToken)
    await once(socket, 'readable')
    // The server goes on with others while this one is not read.
    t.equal((await server.me(bob.accessToken)).status, 200)
    const { sections } = JSON.parse(await answer())
    t.equal(sections.messages.length, 3_000)
    t.same(new Set(sections.messages.map(({ seq }: { seq: number }) => seq)).size, 3_000)
  })

  t.test('that fails half-way is cut off: nobody takes a part for the whole', async (t) => {
    const [alice, bob] = [await signUp(), await signUp()]
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    await insertMessages(pool, conversation.id, alice.id, 10)
    await pool.query('alter table messages rename column metadata to lost')
    t.teardown(() => pool.query('alter table messages rename column lost to metadata'))
    const response = await fetch(`${server.url}/v1/users/me/export`, { headers: { authorization: `Bearer ${alice.accessToken}` } })
    t.equal(response.status, 200, 'it had begun')
    await t.rejects(response.text())
  })
})

t.test('every column that refers to a user is known to exports and erasures', async (t) => {
  const { url, drop } = await createTestDatabase()
  t.teardown(drop)
  const { pool } = (await start(t, { databaseUrl: url })).database
  // Foreign keys to users, and to what belongs to one; and addresses, which refer to one without a key.
  const { rows } = await pool.query<{ place: string }>(`
    with recursive keys as (
      select conrelid, confrelid, (select string_agg(attname, ', ' order by position) from unnest(conkey) with ordinality as k (number, position)
        join pg_attribute on attrelid = conrelid and attnum = number) as columns
      from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace
    ), reaching as (
      select * from keys where confrelid = 'users'::regclass
      union
      select keys.* from keys join reaching on keys.confrelid = reaching.conrelid
    )
    select conrelid::regclass || '.' || columns as place from reaching
    union
    select table_name || '.' || column_name from information_schema.columns
    where table_schema = 'public' and table_name <> 'users' and column_name ~ '(^|_)(email|user_id|sender_id)$'
      and (table_name, column_name) not in (select conrelid::regclass::text, unnest(string_to_array(columns, ', ')) from reaching)
    order by 1`)
  t.same(
    rows.map(({ place }) => place),
    Object.keys(personalData).sort(),
  )
})

const actorOf = ({ id }: Pick<Person, 'id'>) =>
  ({ userId: id, kind: 'session', credentialId: id as never, role: 'user', expiresAt: Number.MAX_SAFE_INTEGER }) as const

type Pool = TestServer['database']['pool']

/** Begins a transaction that holds locks until it is let go. */
async function hold(pool: Pool, text: string, values: unknown[] = []) {
  const client = await pool.connect()
  await client.query('begin')
  await client.query(text, values)
  return {
    client,
    async letGo(): Promise<void> {
      await client.query('rollback')
      client.release()
    },
  }
}

/** Resolves when so many statements wait for a lock. */
const waiting = (pool: Pool, count = 1): Promise<true> =>
  eventually(async () => {
    const { rows } = await pool.query("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
    return rows[0].count >= count ? true : undefined
  })

/** Something of Alice in every table that can hold something of a user. */
async function fillAllTables(alice: Person, bob: Person, pool: Pool): Promise<void> {
  const { api, id } = alice
  await api.users.updateMe({ username: 'alice.secret', displayName: 'Alice Secret', firstName: 'Alice', lastName: 'Secret', phone: '+15550001' })
  await api.users.updateMe({
    companyCustomerId: 'SECRET01',
    bio: 'A secret',
    location: 'Secret',
    timezone: 'Europe/London',
    locale: 'en-GB',
    settings: { theme: 'dark' },
  })
  await api.users.setAvatar({ file: new Blob([tinyPng]) })
  await api.files.upload({ file: new Blob([tinyPng]) })
  await api.apiKeys.create({ name: 'Alice Secret', scope: 'read' })
  await api.users.block(bob.id)
  const { conversation } = await api.conversations.create({ type: 'group', memberIds: [bob.id], title: 'Lunch' })
  await api.conversations.sendMessage(conversation.id, { content: 'Of Alice' })
  const { message } = await bob.api.conversations.sendMessage(conversation.id, { content: 'Of Bob' })
  await api.messages.addReaction(message.id, '👍')
  await api.conversations.createInvite(conversation.id, {})
  await bob.api.users.block(id)
  await pool.query(`insert into oauth_accounts (provider, subject, user_id, created_at, last_used_at) values ('google', 'sub-of-alice', $1, now(), now())`, [
    id,
  ])
  await pool.query(
    `insert into oauth_flows (state_hash, provider, browser_hash, nonce, code_verifier, redirect_uri, code_challenge, user_id, expires_at)
    values ('s', 'google', 'b', 'n', 'v', 'r', 'c', $1, now() + interval '1 year')`.replace('$1', `'${id}'`),
  )
  await pool.query(
    `insert into password_resets (email, request_id, token_hash, expires_at, issued_at) values ($1, $2, 't', now() + interval '1 year', array[now()])
      on conflict do nothing`,
    [alice.email, id],
  )
  await pool.query(
    `insert into security_events (id, type, severity, user_id, ip, created_at) values (gen_random_uuid(), 'new_device', 'low', $1, '203.0.113.9', now())`,
    [id],
  )
  await pool.query(`update sessions set ip = '203.0.113.9' where user_id = $1`, [id])
  await pool.query(
    `insert into audit_log (id, action, actor_id, target_id, ip, reason, created_at) values (gen_random_uuid(), 'user.update', $2, $1, '198.51.100.1', 'Spelling', now())`,
    [id, bob.id],
  )
}

/** Rows that refer to somebody in a place of `personalData`. */
async function countOf(pool: Pool, place: string, { id, email }: Person): Promise<number> {
  const [table, column] = place.split('.')
  const own = {
    email: 'email = $1',
    // Of those that ended just now the ids stay, for as long as their access tokens would.
    user_id: table === 'sessions' ? 'user_id = $1 and (ip is not null or user_agent is not null or cookie_hash is not null)' : 'user_id = $1',
    session_id: 'session_id in (select id from sessions where user_id = $1)',
  }
  const condition = Object.entries(own).find(([name]) => name === column)?.[1] ?? `${column} = $1`
  const { rows } = await pool.query(`select count(*) from ${table} where ${condition}`, [column === 'email' ? email : id])
  return rows[0].count
}

/** What a row has of a user who never told anything. */
async function nobodysRow(pool: Pool) {
  const { rows } = await pool.query(`insert into users (id, email) values (gen_random_uuid(), 'nobody@example.com') returning *`)
  await pool.query(`delete from users where email = 'nobody@example.com'`)
  const { id, email, erased_at, deletion_at, created_at, updated_at, ...rest } = rows[0]
  return rest
}

/** All tables of ours as text. Not the queue's, which forgets by itself: see `queue.ts`. */
async function dump(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ name: string }>("select table_name as name from information_schema.tables where table_schema = 'public'")
  const tables = await Promise.all(rows.map(({ name }) => pool.query(`select coalesce(string_agg(t::text, ' '), '') as text from ${name} t`)))
  return tables.map(({ rows: [row] }) => row.text).join(' ')
}

/** Straight into the table, for so many cost time otherwise. */
async function insertMessages(pool: Pool, conversationId: string, senderId: string, count: number): Promise<void> {
  await pool.query(
    `insert into messages (conversation_id, seq, change_seq, created_change_seq, id, sender_id, content)
      select $1, n, n + 3, n + 3, gen_random_uuid(), $2, repeat('x', 1000) from generate_series(1, $3::int) n`,
    [conversationId, senderId, count],
  )
  await pool.query('update conversations set last_seq = $2::int, last_change_seq = $2::int + 3 where id = $1', [conversationId, count])
}

/** Every change number of a conversation is that of one row, or of one that changed again. */
async function noHoles(t: Test, pool: Pool, conversationId: string): Promise<void> {
  const { rows } = await pool.query(
    `select c.last_change_seq as last, (select max(change_seq) from messages where conversation_id = c.id) as newest,
      (select count(*) = count(distinct change_seq) from messages where conversation_id = c.id) as distinct
      from conversations c where id = $1`,
    [conversationId],
  )
  t.equal(rows[0].distinct, true)
  t.ok(rows[0].newest <= rows[0].last)
}

/** An export whose bytes are taken when they are asked for. */
async function openExport(t: Test, url: string, token: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(`GET /v1/users/me/export HTTP/1.0\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\n\r\n`)
  return {
    socket,
    async answer(): Promise<string> {
      const pieces: Buffer[] = []
      for await (const piece of socket) pieces.push(piece)
      return Buffer.concat(pieces).toString().split('\r\n\r\n').slice(1).join('\r\n\r\n')
    },
  }
}
