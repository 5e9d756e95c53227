import t from 'tap'
import type { ErrorResponse } from '../../openapi/shared/errors.ts'
import { startServer } from '../helpers/server.ts'
import { createAuthClient, createTestClock, eventually, isAbout, minute, newEmail, newUsername, password, repeat, second } from './auth-client.ts'

const clock = createTestClock()
const server = await startServer(t, { clock })
const { pool } = server.database
const { send, register, requestCode, verifyEmail, login, me, mailsTo, codeFor, registered, signedIn } = createAuthClient(server)

const wrong = (code: string): string => (code === '123456' ? '654321' : '123456')

/** Waits until so many requests for a code to this address have been dealt with. */
function requestsDone(email: string, requests: number): Promise<true> {
  return eventually(async () => {
    const { rows } = await pool.query("select count(*) from jobs.job where data->>'email' = $1 and state = 'completed'", [email])
    return rows[0].count === requests || undefined
  })
}

t.test('registering', async (t) => {
  t.test('stores the profile, in an account that is not verified and not privileged, and mails a code', async (t) => {
    const profile = { username: newUsername(), displayName: 'Ada', firstName: 'Ada', lastName: 'Lovelace', phone: '+4930123456', companyCustomerId: 'ABC123' }
    const email = newEmail()
    const { status, body } = await register({ email: email.toUpperCase(), password, ...profile })
    t.equal(status, 201)
    t.match(body.user, { ...profile, email, emailVerified: false, role: 'user' })
    t.notMatch(JSON.stringify(body), /passwordHash|argon2|correct horse/i)
    t.match(await codeFor(email), /^[0-9]{6}$/)
  })

  t.test('keeps of a password only its argon2id hash', async (t) => {
    const { email } = await registered()
    const { rows } = await pool.query('select password_hash from users where email = $1', [email])
    t.match(rows[0].password_hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  t.test('refuses fields that nobody may set, and values that do not fit, and names them', async (t) => {
    const email = newEmail()
    for (const [field, value] of Object.entries({
      role: 'admin',
      emailVerified: true,
      id: 'x',
      password: 'short',
      username: 'a b',
      phone: '0301',
      firstName: '',
    })) {
      const { status, body } = await send<ErrorResponse>('POST', 'register', { body: { email, password, [field]: value } })
      t.equal(status, 400, field)
      t.match(body.error, { code: 'validation_error', details: [{ field: `body.${field}` }] })
    }
    t.equal((await register({ email: 'nobody', password })).status, 400)
    t.equal((await register({ password })).status, 400)
    t.equal((await register({ email })).status, 201, 'none of them has taken the address')
  })

  t.test('is a conflict when the address or the username is taken, in any letter case', async (t) => {
    const username = newUsername()
    const { email } = await registered({ password, username })
    t.equal((await register({ email: email.toUpperCase() })).error, 'conflict')
    t.equal((await register({ email: newEmail(), username: username.toLowerCase() })).error, 'conflict')
  })

  t.test('at once with one address in different letter case lets one win', async (t) => {
    const email = newEmail()
    const spellings = [email, email.toUpperCase(), `P${email.slice(1)}`, email.replace('example', 'Example')]
    const answers = await Promise.all(spellings.map((spelling) => register({ email: spelling, password })))
    t.same(answers.map(({ status }) => status).sort(), [201, 409, 409, 409])
    await codeFor(email)
    t.equal((await mailsTo(email)).length, 1)
  })

  t.test('that fails mails nothing, however late it fails', async (t) => {
    await pool.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'not at the end'; end $$;
      create constraint trigger refuse_doomed after insert on users deferrable initially deferred
        for each row when (new.email like 'doomed@%') execute function refuse()`)
    t.equal((await register({ email: 'doomed@example.com' })).error, 'internal_error')
    const username = newUsername()
    await registered({ username })
    t.equal((await register({ email: 'late@example.com', username })).error, 'conflict')
    const { rows } = await pool.query("select count(*) from jobs.job where data->>'email' in ('doomed@example.com', 'late@example.com')")
    t.equal(rows[0].count, 0)
  })
})

t.test('a mailed code', async (t) => {
  t.test('verifies the address and signs in', async (t) => {
    const { email, code } = await registered()
    const { status, body } = await verifyEmail(email.toUpperCase(), code)
    t.equal(status, 200)
    t.match(body, { tokenType: 'Bearer', user: { email, emailVerified: true } })
    t.ok(isAbout(body.expiresInSeconds, 900) && isAbout(body.refreshExpiresInSeconds, 604_800))
    t.match(body.refreshToken, /^rt_[A-Za-z0-9_-]{43}$/)
    t.same((await me(body.accessToken)).body, body.user)
  })

  t.test('signs in who has no password, and keeps the time of the first verification', async (t) => {
    const { email } = await signedIn({})
    const verifiedAt = async () => (await pool.query('select email_verified_at from users where email = $1', [email])).rows[0].email_verified_at
    const before = await verifiedAt()
    clock.advance(minute)
    t.equal((await requestCode(email)).status, 202)
    t.equal((await verifyEmail(email, await codeFor(email, 2))).status, 200)
    t.same(await verifiedAt(), before)
  })

  t.test('works once, also when it comes several times at once', async (t) => {
    const { email, code } = await registered()
    const answers = await repeat(4, () => verifyEmail(email, code))
    t.same(answers.map(({ status }) => status).sort(), [200, 401, 401, 401])
    t.equal((await verifyEmail(email, code)).error, 'invalid_code')
  })

  t.test('is void after 10 minutes', async (t) => {
    const { email, code } = await registered()
    clock.advance(10 * minute + 1)
    t.equal((await verifyEmail(email, code)).error, 'invalid_code')
  })

  t.test('is void when a new one is made', async (t) => {
    const { email, code } = await registered()
    await requestCode(email)
    const later = await codeFor(email, 2)
    if (code !== later) t.equal((await verifyEmail(email, code)).error, 'invalid_code')
    t.equal((await verifyEmail(email, later)).status, 200)
  })

  t.test('is void after 5 wrong tries', async (t) => {
    const { email, code } = await registered()
    for (let tries = 0; tries < 5; tries++) t.equal((await verifyEmail(email, wrong(code))).error, 'invalid_code')
    t.equal((await verifyEmail(email, code)).error, 'invalid_code')
  })

  t.test('still works at the fifth try', async (t) => {
    const { email, code } = await registered()
    for (let tries = 0; tries < 4; tries++) await verifyEmail(email, wrong(code))
    t.equal((await verifyEmail(email, code)).status, 200)
  })

  t.test('allows no more than 5 tries to those who guess at once', async (t) => {
    const { email, code } = await registered()
    await repeat(20, () => verifyEmail(email, wrong(code)))
    // Who guesses has to wait; then there is none of it left.
    clock.advance(2 * second)
    t.equal((await verifyEmail(email, code)).error, 'invalid_code')
    const { rows } = await pool.query('select tries from email_codes where email = $1', [email])
    t.equal(rows[0].tries, 5)
  })

  t.test('that comes while the account is being erased is worth nothing, and neither waits for the other in a circle', async (t) => {
    const { email, code } = await registered()
    const { rows } = await pool.query('update users set deletion_at = $2 where email = $1 returning id', [email, clock.now()])
    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query('select from users where email = $1 for update', [email])
    const lockWaits = (count: number) =>
      eventually(async () => {
        const { rows } = await pool.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
        return rows.length === count || undefined
      })
    const erased = server.app.services.erasure.erase(rows[0].id)
    await lockWaits(1)
    const late = verifyEmail(email, code)
    await lockWaits(2)
    await holder.query('commit')
    holder.release()
    await erased
    t.equal((await late).error, 'invalid_code')
  })

  t.test('is nowhere in the database in clear', async (t) => {
    const { email, code } = await registered()
    const { rows } = await pool.query('select * from email_codes where email = $1', [email])
    const jobs = await pool.query("select * from jobs.job where data->>'email' = $1", [email])
    t.equal(rows.length, 1)
    t.equal(jobs.rows.length, 1)
    t.notOk([rows[0].code_hash, JSON.stringify(jobs.rows[0].data), JSON.stringify(jobs.rows[0].output)].some((value) => value?.includes(code)))
  })

  t.test('is mailed at most 3 times in 10 minutes, and the last one stays good', async (t) => {
    const { email } = await registered()
    for (let requests = 2; requests <= 5; requests++) {
      t.equal((await requestCode(email)).status, 202)
      await requestsDone(email, requests)
    }
    t.equal((await mailsTo(email)).length, 3)
    t.equal((await verifyEmail(email, await codeFor(email, 3))).status, 200)
    clock.advance(10 * minute + 1)
    await requestCode(email)
    t.equal((await verifyEmail(email, await codeFor(email, 4))).status, 200)
  })

  t.test('is mailed no oftener to who asks many times at once', async (t) => {
    const { email } = await registered()
    await repeat(12, () => requestCode(email))
    await requestsDone(email, 13)
    t.ok((await mailsTo(email)).length <= 3)
  })

  t.test('answers the same for an address that nobody has, and mails nothing to it', async (t) => {
    const email = newEmail()
    t.same(await requestCode(email), { status: 202, body: undefined, error: undefined })
    await requestsDone(email, 1)
    t.equal((await mailsTo(email)).length, 0)
    t.equal((await verifyEmail(email, '123456')).error, 'invalid_code')
    t.equal((await verifyEmail(newEmail(), '123456')).error, 'invalid_code')
  })

  t.test('must be 6 digits', async (t) => {
    t.equal((await verifyEmail(newEmail(), '12345')).error, 'validation_error')
    t.equal((await send('POST', 'code', { body: { email: 'nobody' } })).error, 'validation_error')
  })
})

t.test('a password', async (t) => {
  t.test('that a stranger registered an address with does not work once its owner has signed in by a code of their own', async (t) => {
    const { email } = await registered({ password })
    await requestCode(email)
    t.equal((await verifyEmail(email, await codeFor(email, 2))).status, 200)
    t.equal((await login(email)).error, 'invalid_credentials')
    const { rows } = await pool.query('select password_hash from users where email = $1', [email])
    t.equal(rows[0].password_hash, null)
  })

  t.test('works when the address was verified by the code of the registration, whatever codes came later', async (t) => {
    const { email } = await signedIn({ password })
    await requestCode(email)
    t.equal((await verifyEmail(email, await codeFor(email, 2))).status, 200)
    t.equal((await login(email)).status, 200)
  })
})

t.test('where it is hidden which addresses are taken', async (t) => {
  const hiding = await startServer(t, { clock, env: { REGISTRATION_CONFLICTS: 'hide' } })
  const { register, login, me, requestCode, verifyEmail, mailsTo, codeFor, signedIn } = createAuthClient(hiding)
  const profile = { password, displayName: 'Ada', firstName: 'Ada', lastName: 'Lovelace', phone: '+4930123456', companyCustomerId: 'ABC123' }

  t.test('registering answers the same for those that are, but for the id and the time, and stores nothing', async (t) => {
    const [{ email: taken }, free] = [await signedIn(), newEmail()]
    const { rows: before } = await hiding.database.pool.query('select * from users where email = $1', [taken])
    for (const fields of [profile, {}]) {
      const [answer, other] = [await register({ email: taken.toUpperCase(), ...fields }), await register({ email: free, ...fields })]
      const plain = ({ status, body: { user } }: typeof answer) =>
        JSON.stringify({ status, user: { ...user, id: '', email: '', createdAt: '', updatedAt: '' } })
      t.equal(answer.status, 201)
      t.equal(plain(answer), plain(other))
      t.same([answer.body.user.email, other.body.user.email], [taken, free])
      t.not(answer.body.user.id, before[0].id)
      t.ok(Math.abs(Date.parse(answer.body.user.createdAt) - clock.now().getTime()) < minute)
    }
    t.same((await hiding.database.pool.query('select * from users where email = $1', [taken])).rows, before)
  })

  t.test('the mail tells the owner, with a code that signs in', async (t) => {
    const { email } = await signedIn()
    await register({ email, ...profile, password: 'of somebody else' })
    const code = await codeFor(email, 2)
    t.match((await mailsTo(email))[1]?.text, /somebody, perhaps you, tried to register/i)
    t.notMatch((await mailsTo(email))[1]?.text, /Ada|Lovelace/)
    t.equal((await verifyEmail(email, code)).status, 200)
    t.equal((await login(email)).status, 200)
    t.equal((await login(email, 'of somebody else')).error, 'invalid_credentials')
  })

  t.test('a username is chosen later, by everybody', async (t) => {
    const { email } = await signedIn()
    for (const address of [email, newEmail()]) {
      const { status, body } = await register({ email: address, username: newUsername() })
      t.match({ status, body }, { status: 400, body: { error: { code: 'validation_error', details: [{ field: 'body.username' }] } } })
    }
  })

  t.test('the password of a registration that is not verified is answered as a wrong one, and slowed as one', async (t) => {
    const [{ email: taken }, free] = [await signedIn(), newEmail()]
    for (const email of [taken, free]) {
      await register({ email, password: 'my own choice' })
      const errors: unknown[] = []
      for (let tries = 0; tries < 7; tries++) errors.push((await login(email, 'my own choice')).error)
      t.same(errors, [...Array(6).fill('invalid_credentials'), 'rate_limit_exceeded'])
    }
  })

  t.test('it works like anywhere else for who registers', async (t) => {
    const email = newEmail()
    await register({ email, password })
    const { status, body } = await verifyEmail(email, await codeFor(email))
    t.equal(status, 200)
    t.equal((await me(body.accessToken)).body.email, email)
    t.equal((await login(email)).status, 200)
    await requestCode(email)
    await codeFor(email, 2)
    t.notMatch((await mailsTo(email))[1]?.text, /tried to register/)
  })

  t.test('who is not verified is seen by nobody else', async (t) => {
    const { accessToken: token } = await signedIn()
    const {
      body: { user: unverified },
    } = await register({ email: newEmail() })
    const {
      body: { user: madeUp },
    } = await register({ email: (await signedIn()).email })
    const ask = async (id: string) => {
      const answers = [
        await hiding.request('GET', `/v1/users/${id}`, { token }),
        await hiding.request('POST', '/v1/messages', { token, body: { recipientId: id, content: 'Hello' } }),
        await hiding.request('POST', '/v1/conversations', { token, body: { type: 'group', memberIds: [id] } }),
        await hiding.request('PUT', `/v1/users/${id}/block`, { token }),
      ]
      return answers.map(({ status, json }) => [status, json?.error?.code, json?.error?.message])
    }
    const nobody = await ask(madeUp.id)
    t.ok(
      nobody.every(([status]) => status === 404),
      JSON.stringify(nobody),
    )
    t.same(await ask(unverified.id), nobody)
  })
})

t.test('the fixed code', async (t) => {
  t.test('signs in whoever has an account, and nobody else, in development', async (t) => {
    const { register, verifyEmail } = createAuthClient(await startServer(t, { clock }))
    const email = newEmail()
    await register({ email })
    t.equal((await verifyEmail(email, '000000')).body.user.emailVerified, true)
    t.equal((await verifyEmail(newEmail(), '000000')).error, 'invalid_code')
  })

  t.test('means nothing in production', async (t) => {
    const { register, verifyEmail } = createAuthClient(await startServer(t, { clock, env: { NODE_ENV: 'production' } }))
    const email = newEmail()
    await register({ email })
    t.equal((await verifyEmail(email, '000000')).error, 'invalid_code')
  })
})

t.test('a secret that is replaced process by process signs nobody out when all know the new one before it is used', async (t) => {
  const [older, newer] = ['the secret of before, long enough to be one', 'the secret to come, long enough to be one']
  const first = await startServer(t, { clock, env: { JWT_SECRET: older, JWT_SECRET_PREVIOUS: newer } })
  const databaseUrl = first.database.pool.options.connectionString ?? ''
  const second = await startServer(t, { clock, databaseUrl, env: { JWT_SECRET: newer, JWT_SECRET_PREVIOUS: older } })
  const [waiting, ahead] = [createAuthClient(first), createAuthClient(second)]
  for (const [one, other] of [[waiting, ahead] as const, [ahead, waiting] as const]) {
    const { refreshToken } = await one.signedIn()
    const { body: next } = await one.refresh(refreshToken)
    t.equal((await other.me(next.accessToken)).status, 200)
    const retried = await other.refresh(refreshToken)
    t.same([retried.status, retried.body.refreshToken], [200, next.refreshToken], 'a retry elsewhere is none of a stolen token')
    const { email, code } = await one.registered()
    t.equal((await other.verifyEmail(email, code)).status, 200)
  }
})

t.test('signing in with a password', async (t) => {
  t.test('takes the address or the username, in any letter case', async (t) => {
    const username = newUsername()
    const { email } = await signedIn({ password, username })
    for (const identifier of [email, email.toUpperCase(), username, username.toUpperCase()]) {
      const { status, body } = await login(identifier)
      t.equal(status, 200, identifier)
      t.equal(body.user.email, email)
    }
  })

  t.test('takes the password however its characters are composed', async (t) => {
    const { email } = await signedIn({ password: 'caf\u00e9 au lait' })
    t.equal((await login(email, 'cafe\u0301 au lait')).status, 200)
  })

  t.test('answers the same to a wrong password, an unknown account and one without a password', async (t) => {
    const { email } = await signedIn()
    const { email: passwordless } = await signedIn({})
    const answers = [
      await login(email, 'wrong password'),
      await login(newEmail()),
      await login('nobody.at.all'),
      await login(passwordless),
      await login(passwordless, ''),
    ]
    t.same(
      answers.map(({ error }) => error),
      ['invalid_credentials', 'invalid_credentials', 'invalid_credentials', 'invalid_credentials', 'validation_error'],
    )
  })

  t.test('tells that the address is not verified only to who knows the password', async (t) => {
    const { email } = await registered()
    const { status, error } = await login(email)
    t.same({ status, error }, { status: 403, error: 'email_not_verified' })
    t.equal((await login(email, 'wrong password')).error, 'invalid_credentials')
  })

  t.test('tells that the account is suspended only to who knows the password', async (t) => {
    const { email, user } = await signedIn()
    await pool.query('update users set suspended_at = now() where id = $1', [user.id])
    t.equal((await login(email)).error, 'account_suspended')
    t.equal((await login(email, 'wrong password')).error, 'invalid_credentials')
    await requestCode(email)
    t.equal((await verifyEmail(email, await codeFor(email, 2))).error, 'account_suspended')
  })

  t.test('refuses a body that does not fit', async (t) => {
    t.equal((await send('POST', 'login', { body: { identifier: 'someone' } })).error, 'validation_error')
    t.equal((await send('POST', 'login', { body: { identifier: 'someone', password, role: 'admin' } })).error, 'validation_error')
    t.equal((await send('POST', 'login', { body: { identifier: { $ne: null }, password } })).error, 'validation_error')
  })
})
