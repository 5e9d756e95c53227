import { setImmediate } from 'node:timers/promises'
import { hash } from '@node-rs/argon2'
import type { Email } from 'postal-mime'
import t from 'tap'
import type { ErrorResponse } from '../../openapi/shared/errors.ts'
import { createPasswords } from '../../src/features/auth/passwords.ts'
import { startServer, type TestServer } from '../helpers/server.ts'
import { createAuthClient, createTestClock, decode, eventually, minute, newEmail, newUsername, password, repeat } from './auth-client.ts'

const clock = createTestClock()
const server = await startServer(t, { clock, env: { PASSWORD_RESET_URL: 'https://chat.example/new-password?lang=en' } })
const { pool } = server.database
const { send, register, login, me, refresh, requestCode, verifyEmail, registered, signedIn } = createAuthClient(server)

const better = 'better horse battery'

const tokenIn = (mail: Email | undefined): string | undefined => /^([A-Za-z0-9_-]{43})$/m.exec(mail?.text ?? '')?.[1]

function createPasswordClient(server: TestServer) {
  const { send, mailsTo } = createAuthClient(server)
  const forgot = (email: string) => send('POST', 'password/forgot', { body: { email } })
  const tokenMails = async (email: string) => (await mailsTo(email)).filter((mail) => tokenIn(mail) !== undefined)
  return {
    forgot,
    tokenMails,
    reset: (token: string, password: string) => send<ErrorResponse | undefined>('POST', 'password/reset', { body: { token, password } }),
    change: (token: string | undefined, currentPassword: string, newPassword: string) =>
      send<ErrorResponse | undefined>('POST', 'password/change', { token, body: { currentPassword, newPassword } }),
    /** The token in the nth mail to this address. */
    async tokenFor(email: string, nth = 1): Promise<string> {
      await forgot(email)
      return eventually(async () => tokenIn((await tokenMails(email))[nth - 1]))
    },
    notices: (email: string) =>
      eventually(async () => {
        const mails = (await mailsTo(email)).filter(({ subject }) => subject === 'Your Parley password was changed')
        return mails.length > 0 ? mails : undefined
      }),
  }
}
const { forgot, tokenMails, reset, change, tokenFor, notices } = createPasswordClient(server)

/** Waits until so many requests for a token to this address have been dealt with. */
const requestsDone = (email: string, requests: number) =>
  eventually(async () => {
    const { rows } = await pool.query("select count(*) from jobs.job where name = 'auth.mailPasswordReset' and data->>'email' = $1 and state = 'completed'", [
      email,
    ])
    return rows[0].count === requests || undefined
  })

/** Keeps others from locking the user. @returns the function that lets them, after setting another hash where there is one */
async function holdUser(userId: string): Promise<(passwordHash?: string) => Promise<void>> {
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('select from users where id = $1 for update', [userId])
  return async (passwordHash) => {
    if (passwordHash !== undefined) await holder.query('update users set password_hash = $2 where id = $1', [userId, passwordHash])
    await holder.query('commit')
    holder.release()
  }
}

/** Waits until so many wait for a lock. */
const lockWaits = (count: number) =>
  eventually(async () => {
    const { rows } = await pool.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
    return rows.length === count || undefined
  })

const eventsOf = async (userId: string): Promise<string[]> => {
  const { rows } = await pool.query('select type from security_events where user_id = $1 order by id', [userId])
  return rows.map(({ type }) => type)
}

t.test('a forgotten password', async (t) => {
  t.test('is set anew with a mailed token: every session ends, the user is told, and all of it is written down', async (t) => {
    const { email, accessToken, refreshToken, user } = await signedIn()
    const { body: other } = await login(email)
    t.same(await forgot(email.toUpperCase()), { status: 202, body: undefined, error: undefined })
    const token = await eventually(async () => tokenIn((await tokenMails(email))[0]))
    t.same(await reset(token, better), { status: 204, body: undefined, error: undefined })
    t.equal((await login(email)).error, 'invalid_credentials')
    t.equal((await login(email, better)).status, 200)
    for (const access of [accessToken, other.accessToken]) t.equal((await me(access)).error, 'unauthorized')
    for (const rt of [refreshToken, other.refreshToken]) t.equal((await refresh(rt)).error, 'unauthorized')
    t.equal((await notices(email)).length, 1)
    const events = await eventsOf(user.id)
    t.ok(events.includes('password_reset_requested') && events.includes('password_reset'), events.join())
  })

  t.test('comes by a mail that has the token on a line of its own, and a link to the page that is configured', async (t) => {
    const { email } = await signedIn()
    const token = await tokenFor(email)
    const [mail] = await tokenMails(email)
    t.match(mail?.text, `\n\nhttps://chat.example/new-password?lang=en&token=${token}\n\n`)
    t.notMatch(mail?.subject, token)
  })

  t.test('comes by a mail without a link, when no page is configured', async (t) => {
    const plain = await startServer(t)
    const email = newEmail()
    await createAuthClient(plain).register({ email })
    const { tokenFor, tokenMails } = createPasswordClient(plain)
    const token = await tokenFor(email)
    const [mail] = await tokenMails(email)
    t.match(mail?.text, `\n\n${token}\n\n`)
    t.notMatch(mail?.text, 'http')
  })

  t.test('verifies the address, and a password that a stranger registered it with is gone', async (t) => {
    const { email } = await registered({ password })
    await reset(await tokenFor(email), better)
    t.equal((await login(email, password)).error, 'invalid_credentials')
    const { status, body } = await login(email, better)
    t.same([status, body.user.emailVerified], [200, true])
    t.ok((await eventsOf(body.user.id)).includes('email_verified'))
  })

  t.test('is given to those who had none', async (t) => {
    const { email } = await signedIn({})
    await reset(await tokenFor(email), better)
    t.equal((await login(email, better)).body.user.hasPassword, true)
  })

  t.test('can be set with a token once, also when it comes several times at once', async (t) => {
    const { email } = await signedIn()
    const token = await tokenFor(email)
    const answers = await repeat(4, () => reset(token, better))
    t.same(answers.map(({ status }) => status).sort(), [204, 401, 401, 401])
    t.equal((await reset(token, better)).error, 'invalid_token')
  })

  t.test('cannot be set with a token that is 15 minutes old, nor with one that a later one replaced', async (t) => {
    const { email } = await signedIn()
    const first = await tokenFor(email)
    const second = await tokenFor(email, 2)
    t.equal((await reset(first, better)).error, 'invalid_token')
    clock.advance(15 * minute + 1)
    t.equal((await reset(second, better)).error, 'invalid_token')
    t.equal((await reset('a'.repeat(43), better)).error, 'invalid_token')
    t.equal((await login(email)).status, 200)
  })

  t.test('brings at most 3 mails in 10 minutes, and the last token stays good', async (t) => {
    const { email } = await signedIn()
    for (let requests = 1; requests <= 5; requests++) {
      await forgot(email)
      await requestsDone(email, requests)
    }
    t.equal((await tokenMails(email)).length, 3)
    t.equal((await reset(tokenIn((await tokenMails(email))[2]) ?? '', better)).status, 204)
    clock.advance(10 * minute + 1)
    await tokenFor(email, 4)
  })

  t.test('is answered the same for an address that nobody has, and for who is suspended; neither gets a mail', async (t) => {
    const nobody = newEmail()
    const { email, user } = await signedIn()
    const token = await tokenFor(email)
    await pool.query('update users set suspended_at = now() where id = $1', [user.id])
    t.equal((await reset(token, better)).error, 'invalid_token')
    t.same(await forgot(nobody), await forgot(email))
    await requestsDone(nobody, 1)
    await requestsDone(email, 2)
    t.same([(await tokenMails(nobody)).length, (await tokenMails(email)).length], [0, 1])
    const { rows } = await pool.query('select email from password_resets where email = any($1)', [[nobody, email]])
    t.equal(rows.length, 2, 'the same is stored')
  })

  t.test('leaves the token nowhere in clear but in the mail', async (t) => {
    const { email } = await signedIn()
    const token = await tokenFor(email)
    const { rows } = await pool.query(
      `select to_jsonb(r)::text as text from password_resets r where email = $1
       union all select to_jsonb(j)::text from jobs.job j where data->>'email' = $1
       union all select to_jsonb(e)::text from security_events e`,
      [email],
    )
    t.ok(rows.length > 2)
    t.notOk(rows.some(({ text }) => text.includes(token)))
  })

  t.test('that is set to one that is refused does not use the token up', async (t) => {
    const { email } = await signedIn()
    const token = await tokenFor(email)
    t.match(await reset(token, 'password1'), { status: 400, body: { error: { code: 'validation_error', details: [{ field: 'body.password' }] } } })
    t.equal((await reset(token, better)).status, 204)
  })

  t.test('needs an address, a token and a password that fit', async (t) => {
    t.equal((await send('POST', 'password/forgot', { body: { email: 'nobody' } })).error, 'validation_error')
    t.equal((await reset('abc', better)).error, 'validation_error')
    t.equal((await reset('a'.repeat(43), 'short')).error, 'validation_error')
  })
})

t.test('a new password ends no API keys, and the mail about it says what has ended, and how many of them go on', async (t) => {
  const { email, accessToken } = await signedIn()
  const createKey = (token: string) => server.request('POST', '/v1/api-keys', { token, body: { name: 'Bot', scope: 'write' } })
  const { key } = (await createKey(accessToken)).json
  await reset(await tokenFor(email), better)
  t.equal((await me(key)).status, 200)
  const last = async (count: number) => eventually(async () => (await notices(email))[count - 1]?.text)
  t.match(await last(1), /All your sessions have ended: .+\n\nOne API key of yours still works: .+ revoke what you do not know\./)

  const { body } = await login(email, better)
  await createKey(body.accessToken)
  await change(body.accessToken, better, password)
  t.match(await last(2), /All your sessions but the one that changed it have ended: .+\n\n2 API keys of yours still work: /)

  const other = await signedIn()
  await change(other.accessToken, password, better)
  t.match((await notices(other.email))[0]?.text, 'You have no API keys')
})

t.test('changing the password', async (t) => {
  t.test('ends all other sessions and not this one, voids what was mailed, tells the user, and is written down', async (t) => {
    const { email, accessToken, refreshToken, user } = await signedIn()
    const { body: other } = await login(email)
    const token = await tokenFor(email)
    t.same(await change(accessToken, password, better), { status: 204, body: undefined, error: undefined })
    t.equal((await me(accessToken)).status, 200)
    t.equal((await refresh(refreshToken)).status, 200)
    t.equal((await me(other.accessToken)).error, 'unauthorized')
    t.equal((await refresh(other.refreshToken)).error, 'unauthorized')
    t.equal((await login(email)).error, 'invalid_credentials')
    t.equal((await login(email, better)).status, 200)
    t.equal((await reset(token, 'yet another horse')).error, 'invalid_token')
    t.equal((await notices(email)).length, 1)
    t.ok((await eventsOf(user.id)).includes('password_changed'))
    const { rows } = await pool.query('select revoked_reason from sessions where id = $1', [decode(other.accessToken).sid])
    t.equal(rows[0].revoked_reason, 'password_changed')
  })

  t.test('needs the current one: 6 wrong ones, and even the right one has to wait', async (t) => {
    const { email, accessToken, user } = await signedIn()
    for (let tries = 0; tries < 6; tries++) t.equal((await change(accessToken, 'wrong', better)).error, 'invalid_credentials')
    t.match(await change(accessToken, password, better), { status: 429, body: { error: { code: 'rate_limit_exceeded', retryAfterSeconds: 1 } } })
    t.equal((await login(email)).status, 200, 'who has found a device open keeps nobody from signing in')
    const events = await eventsOf(user.id)
    t.equal(events.filter((type) => type === 'sign_in_locked').length, 1)
    t.equal(events.filter((type) => type === 'sign_in_failed').length, 6)
    clock.advance(2000)
    t.equal((await change(accessToken, password, better)).status, 204)
  })

  t.test('is not for those who have none, nor for those who are not signed in', async (t) => {
    const { accessToken } = await signedIn({})
    t.equal((await change(accessToken, password, better)).error, 'invalid_credentials')
    t.equal((await change(undefined, password, better)).error, 'unauthorized')
    t.equal((await change(accessToken, password, 'short')).error, 'validation_error')
    t.equal((await change(accessToken, '', better)).error, 'validation_error')
  })

  t.test('twice at once lets one win, and one session is left', async (t) => {
    const { email, accessToken } = await signedIn()
    const { body: other } = await login(email)
    const answers = await Promise.all([change(accessToken, password, better), change(other.accessToken, password, 'yet another horse')])
    // The one that comes later may find its session ended already.
    t.same(answers.map(({ status }) => status).sort(), [204, 401])
    const alive = await Promise.all([accessToken, other.accessToken].map(async (token) => (await me(token)).status))
    t.same(alive.sort(), [200, 401])
  })

  t.test('and setting it anew with a mailed token at the same moment: the later one comes too late, and none waits in a circle', async (t) => {
    const { email, accessToken, user } = await signedIn()
    const token = await tokenFor(email)
    const release = await holdUser(user.id)
    const changed = change(accessToken, password, better)
    await lockWaits(1)
    const late = reset(token, 'yet another horse')
    await lockWaits(2)
    await release()
    t.equal((await changed).status, 204)
    t.equal((await late).error, 'invalid_token')
    t.equal((await login(email, better)).status, 200)
  })

  t.test('wins against a sign-in with the old one that was compared before and comes later', async (t) => {
    const { email, user } = await signedIn()
    const release = await holdUser(user.id)
    const late = login(email)
    await lockWaits(1)
    await release(await hash(better))
    t.equal((await late).error, 'invalid_credentials')
  })
})

t.test('a new password', async (t) => {
  t.test('is refused when it is among the commonest, in any letter case, wherever it is set', async (t) => {
    const { email, accessToken } = await signedIn()
    const token = await tokenFor(email)
    const refused = (field: string) => ({ status: 400, body: { error: { code: 'validation_error', details: [{ field, reason: /commonest/ }] } } })
    for (const common of ['password1', 'QWERTYUIOP', '12345678', 'iLoveYou', 'aaaaaaaaA', ' '.repeat(8)]) {
      t.match(await register({ email: newEmail(), password: common }), refused('body.password'), common)
      t.match(await reset(token, common), refused('body.password'), common)
      t.match(await change(accessToken, password, common), refused('body.newPassword'), common)
    }
  })

  t.test('is refused when it contains the address, what stands before its @, the username, or parley', async (t) => {
    const email = 'wonderland.alice@example.com'
    const username = newUsername()
    for (const bad of [
      email.toUpperCase(),
      `my ${email}`,
      'Wonderland.Alice!',
      `${username}`,
      `x${username.toUpperCase()}x`,
      'Parley 2026',
      'myparleypassword',
    ]) {
      t.match(await register({ email, username, password: bad }), { status: 400, body: { error: { details: [{ field: 'body.password' }] } } }, bad)
    }
    t.equal((await register({ email, username, password: 'alice in wonderland' })).status, 201)
  })

  t.test('may have any characters, and all of up to 128 count', async (t) => {
    for (const good of ['  spaces at both ends  ', 'только буквы', '12 34 56 78 90 12', 'mañana über alles', `${'𝒶'.repeat(7)}b`, '\t\n\u0001\u007f~~~~']) {
      const { email } = await signedIn({ password: good })
      t.equal((await login(email, good)).status, 200, JSON.stringify(good))
      t.equal((await login(email, good.trim().slice(1))).error, 'invalid_credentials')
    }
    const long = '😀'.repeat(127)
    const { email } = await signedIn({ password: `${long}a` })
    t.equal((await login(email, `${long}a`)).status, 200)
    t.equal((await login(email, `${long}b`)).error, 'invalid_credentials')
    t.equal((await register({ email: newEmail(), password: `${long}ab` })).error, 'validation_error')
  })

  t.test('has 8 characters, whatever way they are composed', async (t) => {
    t.equal((await register({ email: newEmail(), password: 'sevensv' })).error, 'validation_error')
    t.equal((await register({ email: newEmail(), password: 'e\u0301'.repeat(7) })).error, 'validation_error')
    t.equal((await register({ email: newEmail(), password: `${'e\u0301'.repeat(7)}a` })).status, 201)
  })
})

t.test('a hash with other parameters than today', async (t) => {
  t.test('is good, and is made anew at sign-in', async (t) => {
    const { email, user } = await signedIn()
    const hashOf = async (): Promise<string> => (await pool.query('select password_hash from users where id = $1', [user.id])).rows[0].password_hash
    for (const options of [{ memoryCost: 8192, timeCost: 1 }, { algorithm: 1 }, { timeCost: 3 }]) {
      const old = await hash(password, options)
      await pool.query('update users set password_hash = $2 where id = $1', [user.id, old])
      t.equal((await login(email, 'wrong password')).error, 'invalid_credentials')
      t.equal(await hashOf(), old)
      const answers = await repeat(4, () => login(email))
      t.same(
        answers.map(({ status }) => status),
        [200, 200, 200, 200],
        'also for those who come at the same time',
      )
      const renewed = await hashOf()
      t.match(renewed, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
      t.same(
        (await repeat(3, () => login(email))).map(({ status }) => status),
        [200, 200, 200],
      )
      t.equal(await hashOf(), renewed, 'what is of today stays')
    }
  })
})

t.test('a sign-in goes on when the same password was hashed anew while it was compared', async (t) => {
  const { email, user } = await signedIn()
  const release = await holdUser(user.id)
  const late = login(email)
  await lockWaits(1)
  await release(await hash(password))
  t.equal((await late).status, 200)
})

t.test('work on passwords', async (t) => {
  const passwords = createPasswords({ threads: 1, waiting: 2 })
  t.teardown(() => passwords.close())
  const ended: string[] = []
  const log = async <T>(name: string, work: Promise<T>): Promise<T> => work.finally(() => ended.push(name))

  t.test('waits for its turn, first come, first served, and too much of it is refused at once', async (t) => {
    await passwords.hash(password)
    const [first, second, third] = [
      log('first', passwords.hash(password)),
      log('second', passwords.matches(undefined, password)),
      log('third', passwords.hash(password)),
    ]
    await t.rejects(log('fourth', passwords.hash(password)), { code: 'unavailable', retryAfterSeconds: 2 })
    t.match(await first, /^\$argon2id\$/)
    t.equal(await second, false)
    t.equal(await passwords.matches(await third, password), true)
    t.same(ended, ['fourth', 'first', 'second', 'third'])
  })

  t.test('that fails gives its turn on', async (t) => {
    await t.rejects(passwords.matches('no hash', password))
    t.match(await passwords.hash(password), /^\$argon2id\$/)
  })

  t.test('leaves the event loop alone', async (t) => {
    let done = false
    const work = passwords.hash(password).finally(() => {
      done = true
    })
    let turns = 0
    while (!done) {
      await setImmediate()
      turns += 1
    }
    await work
    t.ok(turns > 5, `${turns} turns of the loop meanwhile`)
  })
})

t.test('a code', async (t) => {
  t.test('that was mailed before the secret was replaced is good while the old one is known', async (t) => {
    const [older, newer] = ['the old secret of this test, long enough', 'the new secret of this test, long enough']
    const before = await startServer(t, { clock, env: { JWT_SECRET: older } })
    const { registered } = createAuthClient(before)
    const [{ email, code }, { email: other, code: otherCode }] = [await registered(), await registered()]
    const databaseUrl = await urlOf(before)
    const after = await startServer(t, { clock, databaseUrl, env: { JWT_SECRET: newer, JWT_SECRET_PREVIOUS: older } })
    const without = await startServer(t, { clock, databaseUrl, env: { JWT_SECRET: newer } })
    t.equal((await createAuthClient(without).verifyEmail(email, code)).error, 'invalid_code')
    t.equal((await createAuthClient(after).verifyEmail(other, otherCode)).status, 200)
  })

  t.test('that is asked for is written down for those who have an account, and so is the first verification', async (t) => {
    const { email, code } = await registered()
    const { body } = await verifyEmail(email, code)
    t.notOk((await eventsOf(body.user.id)).includes('code_requested'), 'registering is no request')
    await requestCode(email)
    await eventually(async () => (await eventsOf(body.user.id)).find((type) => type === 'code_requested'))
    t.equal((await eventsOf(body.user.id)).filter((type) => type === 'email_verified').length, 1)
  })
})

const urlOf = async ({ database }: TestServer): Promise<string> => {
  const { options } = database.pool
  return options.connectionString ?? ''
}
