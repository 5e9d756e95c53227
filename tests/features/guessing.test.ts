/** Guessing is slowed, and neither answers nor their time tell which accounts there are. Time stands still here, but where a test moves it. */
import t from 'tap'
import { AppError } from '../../src/errors/app-error.ts'
import { createGuessing, passwordGuess } from '../../src/features/auth/guessing.ts'
import { createGuessingRepository } from '../../src/features/auth/guessing-repository.ts'
import { startServer } from '../helpers/server.ts'
import { createAuthClient, day, eventually, minute, newEmail, newUsername, password, repeat, second } from './auth-client.ts'

let time = Date.now()
const clock = { now: () => new Date(time) }
const advance = (milliseconds: number) => {
  time += milliseconds
}

const server = await startServer(t, { clock, env: { TRUST_PROXY: '1' } })
const { pool, db } = server.database
const { registered, signedIn, requestCode, codeFor, verifyEmail, send } = createAuthClient(server)

let networks = 0
const newNetwork = () => `10.${(++networks >> 16) & 255}.${(networks >> 8) & 255}.${networks & 255}`

async function login(identifier: string, secret: string, network: string) {
  const { status, headers, json } = await server.request('POST', '/v1/auth/login', {
    body: { identifier, password: secret },
    headers: { 'x-forwarded-for': network },
  })
  return { status, code: json?.error?.code, message: json?.error?.message, wait: Number(headers.get('retry-after') ?? 0) }
}
const guess = (identifier: string, network: string) => login(identifier, 'wrong password', network)

async function enterCode(email: string, code: string, network: string) {
  const { status, headers, json } = await server.request('POST', '/v1/auth/verify-email', { body: { email, code }, headers: { 'x-forwarded-for': network } })
  return { status, code: json?.error?.code, wait: Number(headers.get('retry-after') ?? 0) }
}
/** Wrong, but once in a million times. */
const guessCode = (email: string, network: string) => enterCode(email, '111111', network)

async function guesses(times: number, identifier: () => string, network: () => string) {
  const statuses = new Set<number>()
  for (let count = 0; count < times; count++) statuses.add((await guess(identifier(), network())).status)
  return [...statuses]
}

const lockEvents = async (ip: string) =>
  (await pool.query("select user_id, metadata from security_events where type = 'sign_in_locked' and ip = $1", [ip])).rows

t.test('guessing the password of one account from one network', async (t) => {
  t.test('costs nothing 5 times; then the wait doubles from 1 second to 15 minutes, for the right password too', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    t.same(
      await guesses(
        6,
        () => email,
        () => network,
      ),
      [401],
    )
    for (const wait of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
      t.match(await login(email, password, network), { status: 429, code: 'rate_limit_exceeded', wait }, `after ${wait} seconds`)
      advance(wait * second - 1)
      t.equal((await guess(email, network)).status, 429)
      advance(1)
      t.equal((await guess(email, network)).status, 401)
    }
  })

  t.test('does not keep its owner from signing in elsewhere, or here by a mailed code', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    await guesses(
      6,
      () => email,
      () => network,
    )
    t.equal((await login(email, password, network)).status, 429)
    t.equal((await login(email, password, newNetwork())).status, 200)
    await requestCode(email)
    t.equal((await verifyEmail(email, await codeFor(email, 2))).status, 200)
  })

  t.test('is forgotten when the right one was given, and a day after the first failure', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    for (let times = 0; times < 3; times++) {
      t.same(
        await guesses(
          5,
          () => email,
          () => network,
        ),
        [401],
      )
      t.equal((await login(email, password, network)).status, 200)
    }
    t.same(
      await guesses(
        6,
        () => email,
        () => network,
      ),
      [401],
    )
    t.equal((await guess(email, network)).status, 429)
    advance(day)
    t.same(
      await guesses(
        6,
        () => email,
        () => network,
      ),
      [401],
    )
    t.equal((await guess(email, network)).status, 429)
  })

  t.test('is forgotten when its owner sets a new one with a mailed token', async (t) => {
    const { email } = await signedIn()
    await send('POST', 'password/forgot', { body: { email } })
    const mailedToken = async () => /^([A-Za-z0-9_-]{43})$/m.exec((await server.mails()).filter(({ to }) => to?.[0]?.address === email).at(-1)?.text ?? '')?.[1]
    const token = await eventually(mailedToken)
    const network = newNetwork()
    await guesses(
      6,
      () => email,
      () => network,
    )
    const reset = await server.request('POST', '/v1/auth/password/reset', {
      body: { token, password: 'better horse' },
      headers: { 'x-forwarded-for': network },
    })
    t.equal(reset.status, 204)
    t.equal((await login(email, 'better horse', network)).status, 200)
  })

  t.test('many times at once gets no more tries than one by one', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    const answers = await repeat(100, () => guess(email, network))
    t.equal(answers.filter(({ status }) => status === 401).length, 6)
    t.ok(answers.every(({ status, wait }) => status === 401 || (status === 429 && wait === 1)))
  })

  t.test('at the very same moment gets no more tries either', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    t.same(
      await guesses(
        5,
        () => email,
        () => network,
      ),
      [401],
    )
    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query('select from sign_in_failures for update')
    const answers = repeat(6, () => guess(email, network))
    await eventually(async () => {
      const { rows } = await pool.query("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
      return rows[0].count === 6 || undefined
    })
    await holder.query('commit')
    holder.release()
    t.same((await answers).map(({ status }) => status).sort(), [401, ...Array(5).fill(429)])
  })

  t.test('is refused before any work is done on passwords', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    let compared = Number.POSITIVE_INFINITY
    let refused = Number.POSITIVE_INFINITY
    const timed = async () => {
      const start = performance.now()
      await guess(email, network)
      return performance.now() - start
    }
    for (let count = 0; count < 6; count++) compared = Math.min(compared, await timed())
    for (let count = 0; count < 20; count++) refused = Math.min(refused, await timed())
    t.ok(refused < compared / 2, `${refused} ms, and ${compared} ms where it is compared`)
  })

  t.test('is answered the same, with the same waits, when there is no such account', async (t) => {
    const { email } = await signedIn()
    const { email: passwordless } = await signedIn({})
    const { email: unverified } = await registered()
    const network = newNetwork()
    const answers = async (identifier: string) => {
      const all: unknown[] = []
      for (let count = 0; count < 8; count++) all.push(await guess(identifier, network))
      advance(second)
      all.push(await guess(identifier, network), await guess(identifier, network))
      return all
    }
    const known = await answers(email)
    for (const other of [newEmail(), 'nobody.at.all', passwordless, unverified]) t.same(await answers(other), known)
  })
})

t.test('guessing the password of one account from ever new networks costs nothing 20 times, and then up to a minute', async (t) => {
  const { email } = await signedIn()
  t.same(await guesses(21, () => email, newNetwork), [401])
  for (const wait of [1, 2, 4, 8, 16, 32, 60, 60]) {
    t.match(await login(email, password, newNetwork()), { status: 429, wait })
    advance(wait * second)
    t.equal((await guess(email, newNetwork())).status, 401)
  }
})

t.test('guessing by address tells nothing of the username, which is counted by itself', async (t) => {
  const username = newUsername()
  const { email } = await signedIn({ password, username })
  t.same(await guesses(21, () => email, newNetwork), [401])
  t.equal((await guess(email, newNetwork())).status, 429)
  t.same(await guesses(21, () => username, newNetwork), [401])
  t.equal((await guess(username, newNetwork())).status, 429)
})

t.test('guessing in one network', async (t) => {
  t.test('costs nothing 50 times over all accounts, known or not, and then everybody there waits', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    t.same(await guesses(51, newEmail, () => network), [401])
    t.match(await login(email, password, network), { status: 429, wait: 1 })
    t.equal((await login(email, password, newNetwork())).status, 200)
    t.same(await lockEvents(network), [{ user_id: null, metadata: { by: 'network' } }])
  })

  t.test('is not excused by signing in well in between', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    for (let count = 0; count < 50; count++) {
      t.equal((await guess(newEmail(), network)).status, 401)
      if (count % 10 === 0) t.equal((await login(email, password, network)).status, 200)
    }
    t.equal((await guess(newEmail(), network)).status, 401)
    t.equal((await login(email, password, network)).status, 429)
    advance(second)
    t.equal((await login(email, password, network)).status, 200, 'who waits and is right')
    t.equal((await guess(newEmail(), network)).status, 401, 'begins no wait')
    t.match(await login(email, password, network), { status: 429, wait: 2 })
  })

  t.test('is not what many people do who sign in from one office', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    for (let count = 0; count < 60; count++) t.equal((await login(email, password, network)).status, 200)
    t.equal((await guess(newEmail(), network)).status, 401)
  })

  t.test('counts an IPv6 network as one', async (t) => {
    const { email } = await signedIn()
    let host = 0
    t.same(
      await guesses(
        6,
        () => email,
        () => `2001:db8:1:2::${++host}`,
      ),
      [401],
    )
    t.equal((await guess(email, '2001:db8:1:2:ffff::1')).status, 429)
    t.equal((await guess(email, '2001:db8:1:3::1')).status, 401)
  })
})

t.test('guessing the codes of an account', async (t) => {
  t.test('from one network costs nothing 5 times; then the wait doubles to 15 minutes, for the right one too', async (t) => {
    const { email } = await registered()
    const network = newNetwork()
    for (let count = 0; count < 6; count++) t.equal((await guessCode(email, network)).code, 'invalid_code')
    for (const wait of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
      t.match(await guessCode(email, network), { status: 429, code: 'rate_limit_exceeded', wait }, `after ${wait} seconds`)
      advance(wait * second)
      t.equal((await guessCode(email, network)).code, 'invalid_code')
    }
    await requestCode(email)
    const code = await codeFor(email, 2)
    t.equal((await enterCode(email, code, network)).status, 429)
    t.equal((await enterCode(email, code, newNetwork())).status, 200, 'its owner is elsewhere')
  })

  t.test('keeps its owner elsewhere out for a minute at most, however long it goes on', async (t) => {
    const { email } = await registered()
    const network = newNetwork()
    for (let tries = 0; tries < 60; tries++) advance((await guessCode(email, network)).wait * second)
    await requestCode(email)
    const code = await codeFor(email, 2)
    await guessCode(email, network)
    t.match(await guessCode(email, network), { status: 429, wait: 900 })
    advance(minute)
    t.equal((await enterCode(email, code, newNetwork())).status, 200)
  })

  t.test('from ever new networks costs nothing 20 times, however many codes it asks for, and then up to a minute', async (t) => {
    const { email } = await registered()
    for (let count = 1; count <= 21; count++) {
      if (count % 5 === 0) {
        advance(10 * minute)
        await requestCode(email)
        await codeFor(email, 1 + count / 5)
      }
      t.equal((await guessCode(email, newNetwork())).code, 'invalid_code')
    }
    for (const wait of [1, 2, 4, 8, 16, 32, 60, 60]) {
      t.match(await guessCode(email, newNetwork()), { status: 429, wait })
      advance(wait * second)
      t.equal((await guessCode(email, newNetwork())).code, 'invalid_code')
    }
    advance(10 * minute)
    await requestCode(email)
    t.equal((await enterCode(email, await codeFor(email, 6), newNetwork())).status, 200)
  })

  t.test('is answered the same, with the same waits, when there is no such account', async (t) => {
    const network = newNetwork()
    const answers = async (email: string) => {
      const all: unknown[] = []
      for (let count = 0; count < 8; count++) all.push(await guessCode(email, network))
      return all
    }
    t.same(await answers(newEmail()), await answers((await registered()).email))
  })

  t.test('of all accounts in one network costs nothing 50 times, and then everybody waits who enters one there', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    for (let count = 0; count < 51; count++) t.equal((await guessCode(newEmail(), network)).code, 'invalid_code')
    t.match(await guessCode(email, network), { status: 429, wait: 1 })
    t.equal((await login(email, password, network)).status, 200)
    t.same(await lockEvents(network), [{ user_id: null, metadata: { by: 'codes of network' } }])
  })

  t.test('is another matter than guessing passwords: who has to wait there can sign in by a code', async (t) => {
    const { email } = await signedIn()
    const network = newNetwork()
    t.same(await guesses(51, newEmail, () => network), [401])
    t.equal((await login(email, password, network)).status, 429)
    await requestCode(email)
    t.equal((await enterCode(email, await codeFor(email, 2), network)).status, 200)
  })
})

t.test('what is written down', async (t) => {
  t.test('is that the waits began, once, with whose account it is', async (t) => {
    const { email, user } = await signedIn()
    const [network, other] = [newNetwork(), newNetwork()]
    await guesses(
      6,
      () => email,
      () => network,
    )
    t.equal((await guess(email, network)).status, 429)
    advance(second)
    t.equal((await guess(email, network)).status, 401)
    t.same(await lockEvents(network), [{ user_id: user.id, metadata: { by: 'account in network' } }])
    await guesses(
      6,
      () => 'nobody.at.all.either',
      () => other,
    )
    t.same(await lockEvents(other), [{ user_id: null, metadata: { by: 'account in network' } }])
  })

  t.test('is nothing of what was typed, and is gone when it is of no use any more', async (t) => {
    const [typed, network] = ['my.Secret.typed.as.a.name', '192.0.2.77']
    await pool.query('delete from sign_in_failures')
    await guess(typed, network)
    const { rows } = await pool.query(
      'select to_jsonb(f)::text as text from sign_in_failures f union all select (to_jsonb(e) - $1)::text from security_events e',
      ['ip'],
    )
    t.notOk(rows.some(({ text }) => /secret|192\.0\.2\.77/i.test(text)))
    const { rows: keys } = await pool.query('select key from sign_in_failures')
    t.same(keys.length, 3)
    t.ok(keys.every(({ key }) => /^[A-Za-z0-9_-]{43}$/.test(key)))
    advance(2 * day)
    await guess(newEmail(), newNetwork())
    const { rows: left } = await pool.query('select from sign_in_failures where key = any($1)', [keys.map(({ key }) => key)])
    t.equal(left.length, 0)
  })
})

t.test('an attempt that could not be compared, because too many wait, does not count', async (t) => {
  const record = async () => undefined
  const guessing = createGuessing({ failures: createGuessingRepository(db), security: { record }, key: Buffer.alloc(32), clock })
  const subjects = passwordGuess('busy@example.com', '192.0.2.1')
  const guesser = { userId: undefined, ip: '192.0.2.1' }
  const tooBusy = async () => {
    throw new AppError('unavailable')
  }
  for (let count = 0; count < 60; count++) await t.rejects(guessing.attempt(subjects, guesser, tooBusy), { code: 'unavailable' })
  t.equal(await guessing.attempt(subjects, guesser, async () => undefined), undefined)
  t.equal(await guessing.attempt(subjects, guesser, async () => 'right'), 'right')
})

t.test('a wrong password takes as long for an account that exists as for one that does not', async (t) => {
  const network = newNetwork()
  const username = newUsername()
  const { email } = await signedIn({ password, username })
  const identifiers = {
    known: email,
    username,
    passwordless: (await signedIn({})).email,
    unverified: (await registered()).email,
    unknown: newEmail(),
    nobody: 'nobody.at.all',
  }
  const names = Object.keys(identifiers) as (keyof typeof identifiers)[]
  const times = new Map(names.map((name) => [name, [] as number[]]))
  const medians = () => names.map((name) => median(times.get(name) ?? []))
  const ratio = () => Math.max(...medians()) / Math.min(...medians())

  // On a busy machine a few more rounds take the noise out; where the work differs, no number of them does.
  for (let round = 0; round < 24 || (round < 150 && ratio() >= 1.25); round++) {
    advance(day)
    // In turns, each of them first once: what the machine does beside that meets all of them alike.
    for (const index of names.keys()) {
      const name = names[(index + round) % names.length] ?? 'known'
      const start = performance.now()
      const { status } = await guess(identifiers[name], network)
      times.get(name)?.push(performance.now() - start)
      if (status !== 401) t.fail(`${name} was answered ${status}`)
    }
  }
  t.ok(ratio() < 1.25, names.map((name, index) => `${name} ${medians()[index]?.toFixed(1)} ms`).join(', '))
})

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
