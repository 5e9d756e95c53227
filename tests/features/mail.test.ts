import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import t, { type Test } from 'tap'
import { createDatabase } from '../../src/db/client.ts'
import { createMailer } from '../../src/integrations/mailer.ts'
import { createJobs } from '../../src/jobs/queue.ts'
import { createTestDatabase, silentLog } from '../helpers/database.ts'
import { startServer } from '../helpers/server.ts'
import { codeIn, createAuthClient, eventually, newEmail } from './auth-client.ts'

t.test('mail', async (t) => {
  const { register, verifyEmail, requestCode, registered, mailsTo, codeFor } = createAuthClient(await startServer(t))

  t.test('is kind and plain, with the code on a line of its own', async (t) => {
    const { email, code } = await registered()
    const [mail] = await mailsTo(email)
    t.equal(mail?.from?.address, 'parley@localhost')
    t.match(mail?.subject, code)
    t.match(mail?.text, new RegExp(`^Hello,\n\nWelcome to Parley[^\n]*\n\n${code}\n\n`))
    t.equal(mail?.html, undefined)
  })

  t.test('greets by name only who has verified the address: nobody can have words of theirs mailed to others', async (t) => {
    const email = newEmail()
    await register({ email, displayName: 'Cheap pills at evil.example' })
    await verifyEmail(email, await codeFor(email))
    t.match((await mailsTo(email))[0]?.text, /^Hello,\n/)
    t.notMatch((await mailsTo(email))[0]?.text, /pills/)
    await requestCode(email)
    await codeFor(email, 2)
    t.match((await mailsTo(email))[1]?.text, /^Hello Cheap pills at evil\.example,\n/)
  })

  t.test('goes to the SMTP server', async (t) => {
    const smtp = await startSmtpServer(t)
    const withSmtp = await startServer(t, { env: { SMTP_URL: `smtp://127.0.0.1:${smtp.port}` } })
    const email = newEmail()
    await createAuthClient(withSmtp).register({ email })
    const { envelope, mail } = await smtp.received
    t.same(envelope, { from: 'parley@localhost', to: [email] })
    t.match(mail, { to: [{ address: email }], subject: codeIn(mail) })
    t.equal((await withSmtp.mails()).length, 0)
  })

  t.test('is tried again when the SMTP server is down', async (t) => {
    const gone = await startSmtpServer(t)
    await gone.close()
    const withSmtp = await startServer(t, { env: { SMTP_URL: `smtp://127.0.0.1:${gone.port}` } })
    const { register, verifyEmail } = createAuthClient(withSmtp)
    const email = newEmail()
    t.equal((await register({ email })).status, 201)
    await eventually(async () => {
      const { rows } = await withSmtp.database.pool.query("select from jobs.job where data->>'email' = $1 and state = 'retry'", [email])
      return rows[0]
    })
    const { received } = await startSmtpServer(t, gone.port)
    const { mail } = await received
    t.equal((await verifyEmail(email, codeIn(mail) ?? '')).status, 200)
  })

  t.test('goes to one address, whatever it looks like', async (t) => {
    const smtp = await startSmtpServer(t)
    const mailer = createMailer({ smtpUrl: `smtp://127.0.0.1:${smtp.port}`, from: 'parley@localhost', dataDir: '', log: silentLog })
    await mailer.send({ to: 'one,two@example.com', subject: 'x', text: 'x' })
    t.equal((await smtp.received).envelope.to.length, 1)
  })

  t.test('becomes files that sort by time, when there is no SMTP server', async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'parley-mail-'))
    t.teardown(() => rm(dataDir, { recursive: true }))
    const paths: string[] = []
    const mailer = createMailer({
      smtpUrl: undefined,
      from: 'parley@localhost',
      dataDir,
      log: { ...silentLog, info: (line: { path: string }) => paths.push(line.path) },
    })
    for (const subject of ['1', '2', '3']) await mailer.send({ to: 'one@example.com', subject, text: 'x' })
    t.same([...paths].sort(), paths)
    t.ok(paths.every((path) => path.startsWith(join(dataDir, 'mail')) && path.endsWith('.eml')))
  })
})

t.test('a job', async (t) => {
  const testDatabase = await createTestDatabase()
  const databases = [1, 2].map(() => createDatabase({ url: testDatabase.url, maxConnections: 3, log: silentLog }))
  const [{ db, pool }, other] = databases as [(typeof databases)[0], (typeof databases)[0]]
  // Both make the tables.
  const [jobs, otherJobs] = await Promise.all([createJobs({ pool, log: silentLog }), createJobs({ pool: other.pool, log: silentLog })])
  t.teardown(async () => {
    await Promise.all([jobs.stop(), otherJobs.stop()])
    await Promise.all(databases.map((database) => database.close()))
    await testDatabase.drop()
  })
  const done: string[] = []
  await jobs.work('auth.mailCode', async ({ email }) => {
    if (email === 'hopeless') throw new Error('This never works')
    done.push(email)
  })
  const isDone = (email: string) => eventually(async () => (done.includes(email) ? true : undefined))
  const request = (email: string) => ({ email, requestId: '01890a5d-ac96-774b-bcce-b302099a8057' })

  t.test('exists when and if its transaction commits', async (t) => {
    const rolledBack = db.transaction(async (tx) => {
      await jobs.enqueue(tx, 'auth.mailCode', request('rolled back'))
      throw new Error('rolled back')
    })
    await t.rejects(rolledBack, { message: 'rolled back' })
    await db.transaction((tx) => jobs.enqueue(tx, 'auth.mailCode', request('committed')))
    jobs.wake('auth.mailCode')
    await isDone('committed')
    t.same(done, ['committed'])
  })

  t.test('is done by another process than the one that asked for it', async () => {
    await otherJobs.enqueue(other.db, 'auth.mailCode', request('from elsewhere'))
    await isDone('from elsewhere')
  })

  t.test('is parked when its last try failed', async (t) => {
    await db.transaction(async (tx) => {
      await jobs.enqueue(tx, 'auth.mailCode', request('hopeless'))
      await tx.execute("update jobs.job set retry_limit = 0 where data->>'email' = 'hopeless'")
    })
    jobs.wake('auth.mailCode')
    const parked = await eventually(async () => (await pool.query("select data, keep_until from jobs.job where name = 'dead-letters'")).rows[0])
    t.same(parked.data, request('hopeless'))
    const hours = (parked.keep_until.getTime() - Date.now()) / 3_600_000
    t.ok(hours > 23 && hours <= 24, 'for a day: an address is in it, which an erasure does not find there')
  })

  t.test('is done although the database closed every connection in between', async (t) => {
    const administrator = createDatabase({ url: testDatabase.url, maxConnections: 1, log: silentLog })
    await administrator.pool.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()')
    await jobs.enqueue(administrator.db, 'auth.mailCode', request('after the outage'))
    await administrator.close()
    await isDone('after the outage')
    t.ok(jobs.isUp())
  })
})

interface Received {
  envelope: { from: string; to: string[] }
  mail: Email
}

/** A real one, on loopback. `received` is the first mail. */
async function startSmtpServer(t: Test, port = 0) {
  const first = Promise.withResolvers<Received>()
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, { envelope }, done) {
      void text(stream).then(async (message) => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        first.resolve({ envelope: { from, to: envelope.rcptTo.map(({ address }) => address) }, mail: await PostalMime.parse(message) })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => smtp.listen(port, '127.0.0.1', resolve))
  const close = () => new Promise<void>((resolve) => smtp.close(resolve))
  t.teardown(close)
  const { port: chosen } = smtp.server.address() as AddressInfo
  return { port: chosen, received: first.promise, close }
}
