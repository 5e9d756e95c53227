/** Pictures: what is taken, what becomes of it, and how it is served. */
import { once } from 'node:events'
import fs, { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { createDiskStorage } from '../../src/integrations/object-storage-disk.ts'
import { createPictures } from '../../src/pictures.ts'
import { startServer } from '../helpers/server.ts'
import { createTestClock, eventually } from './auth-client.ts'

const clock = createTestClock()
const server = await startServer(t, { clock })
const { api, accessToken: token, id } = await server.signUp()
const path = '/v1/users/me/avatar'

const plain = (width: number, height: number, background = '#ff0000') => sharp({ create: { width, height, channels: 3, background } })

const blobOf = (bytes: Uint8Array | string) => new Blob([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)])

const formOf = (...parts: [name: string, value: Blob | string, fileName?: string][]) => {
  const form = new FormData()
  for (const [name, value, fileName = 'a.png'] of parts) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, fileName)
  }
  return form
}

const put = async (form: FormData) => {
  const { status, json } = await server.request('PUT', path, { token, body: form })
  return { status, code: json?.error?.code, fields: json?.error?.details?.map(({ field }: { field: string }) => field) }
}

const putFile = (bytes: Uint8Array | string, fileName = 'a.png') => put(formOf(['file', blobOf(bytes), fileName]))

const bytesAt = async (avatarUrl: string | null) => Buffer.from(await (await fetch(server.url + avatarUrl)).arrayBuffer())

/** The colour of one pixel of what is served, of 512 × 512. */
async function colourAt(avatarUrl: string | null, left: number, top: number) {
  const pixel = await sharp(await bytesAt(avatarUrl))
    .extract({ left, top, width: 1, height: 1 })
    .raw()
    .toBuffer()
  const [red = 0, green = 0, blue = 0] = pixel
  return red > 200 && green < 60 ? 'red' : blue > 200 && red < 60 ? 'blue' : `${red},${green},${blue}`
}

t.test('a picture in any of four formats becomes 512 × 512 WebP, whatever it is called', async (t) => {
  const source = plain(900, 300)
  const formats = { 'a.png': source.clone().png(), 'b.exe': source.clone().jpeg(), 'c.html': source.clone().webp(), 'd.txt': source.clone().gif() }
  for (const [name, image] of Object.entries(formats)) {
    t.equal((await putFile(await image.toBuffer(), name)).status, 200, name)
    const { avatarUrl } = await api.users.getMe()
    t.match(await sharp(await bytesAt(avatarUrl)).metadata(), { format: 'webp', width: 512, height: 512 }, name)
    t.equal(await colourAt(avatarUrl, 256, 256), 'red', name)
  }
})

t.test('what is no picture of these formats is refused by its bytes, whatever it is called', async (t) => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
  const wrong: [what: string, bytes: Uint8Array | string][] = [
    ['SVG', svg],
    ['SVG with a declaration', `<?xml version="1.0"?>${svg}`],
    ['HTML', '<!doctype html><script>alert(1)</script>'],
    ['PDF', '%PDF-1.4\n'],
    ['TIFF', await plain(9, 9).tiff().toBuffer()],
    ['AVIF', await plain(9, 9).avif().toBuffer()],
    ['nothing', ''],
    ['text', 'Hello'],
  ]
  for (const [what, bytes] of wrong) t.match(await putFile(bytes), { status: 415, code: 'unsupported_media_type' }, what)
})

t.test('a picture that is broken is refused as such', async (t) => {
  const png = await sharp(Buffer.alloc(3 * 300 * 300, 'noise'), { raw: { width: 300, height: 300, channels: 3 } })
    .png()
    .toBuffer()
  for (const end of [20, 40, Math.floor(png.length / 2)]) {
    t.match(await putFile(png.subarray(0, end)), { status: 400, code: 'validation_error', fields: ['body.file'] }, `after ${end} bytes`)
  }
})

t.test('a small file that unpacks to 400 million pixels is refused quickly, in little memory', async (t) => {
  const bomb = await sharp({ create: { width: 20_000, height: 20_000, channels: 3, background: '#000' }, limitInputPixels: false })
    .png({ compressionLevel: 9, palette: true })
    .toBuffer()
  t.ok(bomb.length < 1_048_576, `${bomb.length} bytes`)
  const before = process.memoryUsage().rss
  const startedAt = performance.now()
  t.match(await putFile(bomb), { status: 400, code: 'validation_error', fields: ['body.file'] })
  t.ok(performance.now() - startedAt < 1_000, 'within a second')
  t.ok(process.memoryUsage().rss - before < 100_000_000, 'within 100 MB, where it has 1,200 MB unpacked')
})

t.test('a file of more than 5 MiB is refused while it is still coming', { timeout: 20_000 }, async (t) => {
  t.match(await putFile(new Uint8Array(5 * 1_048_576 + 1)), { status: 413, code: 'payload_too_large' })
  t.match(await putFile(new Uint8Array(5 * 1_048_576)), { status: 415 }, 'one of 5 MiB is looked at')

  // Nobody says how long it will be, and the end never comes.
  const { hostname, port } = new URL(server.url)
  for (const length of ['Transfer-Encoding: chunked', 'Content-Length: 6000000']) {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.on('data', (data) => (answer += data))
    const head = ['PUT /v1/users/me/avatar HTTP/1.1', 'Host: parley', `Authorization: Bearer ${token}`, 'Content-Type: multipart/form-data; boundary=b', length]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    const isChunked = length.startsWith('Transfer')
    const write = (text: string) => socket.write(isChunked ? `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n` : text)
    write('--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: image/png\r\n\r\n')
    if (isChunked) for (let mebibyte = 0; mebibyte < 6; mebibyte += 1) write('a'.repeat(1_048_576))
    while (!answer.includes('payload_too_large')) await once(socket, 'data')
    t.match(answer, /^HTTP\/1\.1 413 /, length)
    socket.destroy()
  }
})

t.test('a form holds the one file and nothing else', async (t) => {
  const png = blobOf(await plain(9, 9).png().toBuffer())
  const wrong: [what: string, form: FormData, field: string][] = [
    ['nothing', formOf(), 'body.file'],
    ['another name', formOf(['picture', png]), 'body.picture'],
    ['text in its place', formOf(['file', 'text']), 'body.file'],
    ['two of them', formOf(['file', png], ['file', png]), 'body.file'],
    ['a file more', formOf(['file', png], ['other', png]), 'body.other'],
    ['a field more, before', formOf(['role', 'admin'], ['file', png]), 'body.role'],
    ['a field more, after', formOf(['file', png], ['userId', id]), 'body.userId'],
    ['a prototype', formOf(['__proto__', png]), 'body'],
  ]
  for (const [what, form, field] of wrong) t.match(await put(form), { status: 400, code: 'validation_error', fields: [field] }, what)
  for (const [what, body] of [
    ['no boundary', 'abc'],
    ['no end', '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'],
    ['no parts', '--c--'],
  ] as const) {
    const headers = { 'content-type': what === 'no boundary' ? 'multipart/form-data' : 'multipart/form-data; boundary=b' }
    t.match((await server.request('PUT', path, { token, body, headers })).json.error.code, 'validation_error', what)
  }
  t.equal((await put(formOf(['file', png]))).status, 200, 'and the server goes on')
})

t.test('it is turned upright, and whatever else was in the file is gone', async (t) => {
  // Red on the left, blue on the right; the camera says that right is up.
  const halves = plain(400, 200).composite([{ input: await plain(200, 200, '#0000ff').png().toBuffer(), left: 200, top: 0 }])
  const photograph = await halves
    .withExif({ IFD0: { Copyright: 'somebody', Artist: 'Secret Name' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
    .withMetadata({ orientation: 8 })
    .jpeg()
    .toBuffer()
  t.ok(photograph.includes('Secret Name') && (await sharp(photograph).metadata()).orientation === 8)
  t.equal((await putFile(photograph)).status, 200)
  const { avatarUrl } = await api.users.getMe()
  t.equal(await colourAt(avatarUrl, 256, 20), 'blue', 'what was right is above')
  t.equal(await colourAt(avatarUrl, 256, 490), 'red')
  const { exif, icc, xmp, iptc, orientation } = await sharp(await bytesAt(avatarUrl)).metadata()
  t.same([exif, icc, xmp, iptc, orientation], [undefined, undefined, undefined, undefined, undefined])
})

t.test('of a moving picture the first frame is kept', async (t) => {
  const frames = await Promise.all(['#ff0000', '#0000ff'].map((colour) => plain(50, 50, colour).png().toBuffer()))
  const moving = await sharp(frames, { join: { animated: true } })
    .gif({ delay: [100, 100] })
    .toBuffer()
  t.equal((await sharp(moving, { animated: true }).metadata()).pages, 2)
  t.equal((await putFile(moving)).status, 200)
  const { avatarUrl } = await api.users.getMe()
  t.equal((await sharp(await bytesAt(avatarUrl), { animated: true }).metadata()).pages ?? 1, 1)
  t.equal(await colourAt(avatarUrl, 256, 256), 'red')
})

t.test('a picture may be kept for ever, shown by any page, and is nothing but a picture', async (t) => {
  const { avatarUrl } = await api.users.setAvatar({ file: blobOf(await plain(9, 9).png().toBuffer()) })
  t.match(avatarUrl, /^\/v1\/avatars\/[\w-]{22}$/)
  const { status, headers, text } = await server.request('GET', avatarUrl ?? '')
  t.equal(status, 200, 'without credentials')
  const expected = {
    'content-type': 'image/webp',
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
    'cross-origin-resource-policy': 'cross-origin',
    'content-length': String((await bytesAt(avatarUrl)).length),
  }
  for (const [name, value] of Object.entries(expected)) t.equal(headers.get(name), value, name)
  t.not(text, '')

  const etag = headers.get('etag') ?? ''
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await server.request('GET', avatarUrl ?? '', { headers: { 'if-none-match': known } })
    t.same([again.status, again.text, again.headers.get('etag')], [304, '', etag], known)
  }
  t.equal((await server.request('GET', avatarUrl ?? '', { headers: { 'if-none-match': '"other"' } })).status, 200)
  const head = await server.request('HEAD', avatarUrl ?? '')
  t.same([head.status, head.text, head.headers.get('content-length')], [200, '', headers.get('content-length')])

  for (const key of ['a'.repeat(22), `${avatarUrl?.slice(-22, -1)}_`]) {
    const missing = await server.request('GET', `/v1/avatars/${key}`)
    t.same([missing.status, missing.json.error.code], [404, 'not_found'])
  }
  for (const key of ['..%2F..%2Fsecrets', 'a', 'a'.repeat(23)]) t.equal((await server.request('GET', `/v1/avatars/${key}`)).status, 400, key)
})

t.test('a new picture has a new address, and the old one is gone soon; so it is with none', async (t) => {
  const { bytes } = { bytes: blobOf(await plain(9, 9).png().toBuffer()) }
  const before = await api.users.setAvatar({ file: bytes })
  clock.advance(1_000)
  const after = await api.users.setAvatar({ file: bytes })
  t.not(after.avatarUrl, before.avatarUrl)
  t.ok(after.updatedAt > before.updatedAt)
  t.same(await api.auth.me(), after)
  const statusOf = async (avatarUrl: string | null) => (await server.request('GET', avatarUrl ?? '')).status
  t.equal(await statusOf(after.avatarUrl), 200)
  await eventually(async () => (await statusOf(before.avatarUrl)) === 404 || undefined)

  const { user: without } = { user: await api.users.deleteAvatar() }
  t.equal(without.avatarUrl, null)
  t.same(await api.users.deleteAvatar(), without, 'doing it again changes nothing')
  await eventually(async () => (await statusOf(after.avatarUrl)) === 404 || undefined)
})

t.test('of many pictures set at once one stays, and no other is left behind', async (t) => {
  const { api: other } = await server.signUp()
  const colours = ['#ff0000', '#00ff00', '#0000ff', '#ffff00', '#00ffff', '#ff00ff']
  const files = await Promise.all(colours.map(async (colour) => blobOf(await plain(30, 30, colour).png().toBuffer())))
  const urls = (await Promise.all(files.map((file) => other.users.setAvatar({ file })))).map(({ avatarUrl }) => avatarUrl)
  t.equal(new Set(urls).size, colours.length)
  const { avatarUrl: kept } = await other.users.getMe()
  t.ok(urls.includes(kept))
  for (const url of urls) {
    if (url !== kept) await eventually(async () => (await server.request('GET', url ?? '')).status === 404 || undefined)
  }
  t.equal((await server.request('GET', kept ?? '')).status, 200)
  await eventually(async () => ((await storedFiles()).length === 1 ? true : undefined))
})

const storedFiles = async () => {
  const entries = await readdir(join(server.dataDir, 'objects'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile())
}

t.test('a row never names a picture that is not stored yet', async (t) => {
  const { api: other, id: userId } = await server.signUp()
  const { pool } = server.database
  const locked = await pool.connect()
  await locked.query('begin')
  await locked.query('select from users where id = $1 for update', [userId])
  const count = (await storedFiles()).length
  const setting = other.users.setAvatar({ file: blobOf(await plain(9, 9).png().toBuffer()) })
  await eventually(async () => ((await storedFiles()).length > count ? true : undefined))
  t.equal((await pool.query('select avatar_key from users where id = $1', [userId])).rows[0].avatar_key, null, 'it is stored, the row waits')
  await locked.query('rollback')
  locked.release()
  t.equal((await server.request('GET', (await setting).avatarUrl ?? '')).status, 200)
})

t.test('a picture that was stored and then set for nobody is removed by itself, however that came; one that is in use stays', async (t) => {
  const [leaver, stayer] = [await server.signUp(), await server.signUp()]
  const { pool } = server.database
  const png = blobOf(await plain(9, 9).png().toBuffer())
  const before = (await storedFiles()).length
  const { avatarUrl } = await stayer.api.users.setAvatar({ file: png })
  const locked = await pool.connect()
  await locked.query('begin')
  await locked.query('update users set erased_at = now() where id = $1', [leaver.id])
  const setting = leaver.api.users.setAvatar({ file: png })
  setting.catch(() => {})
  await eventually(async () => ((await storedFiles()).length > before + 1 ? true : undefined))
  // From here on the process may be killed.
  const planned =
    "from jobs.job where name = 'avatars.deleteUnused' and state = 'created' and data->>'userId' = any($1) and start_after > now() + interval '50 minutes'"
  const ids = [leaver.id, stayer.id]
  t.equal((await pool.query(`select ${planned}`, [ids])).rowCount, 2)
  await locked.query('commit')
  locked.release()
  await t.rejects(setting, { code: 'unauthorized' })
  t.equal((await storedFiles()).length, before + 2, 'it is left for now')

  await pool.query(`update jobs.job set start_after = now() where id in (select id ${planned})`, [ids])
  await eventually(async () => ((await storedFiles()).length === before + 1 ? true : undefined))
  await eventually(async () =>
    (await pool.query("select from jobs.job where name = 'avatars.deleteUnused' and state = 'completed'")).rowCount === 2 ? true : undefined,
  )
  t.equal((await server.request('GET', avatarUrl ?? '')).status, 200)
})

t.test('others see it, on the user and in conversations, and nobody else can set it', async (t) => {
  const friend = await server.signUp()
  const { avatarUrl } = await api.users.setAvatar({ file: blobOf(await plain(9, 9).png().toBuffer()) })
  const { conversation } = await friend.api.conversations.create({ type: 'direct', memberIds: [id] })
  t.equal((await friend.api.users.get(id)).avatarUrl, avatarUrl)
  t.equal(conversation.members.find(({ user }) => user.id === id)?.user.avatarUrl, avatarUrl)
  t.equal((await friend.api.users.getMe()).avatarUrl, null)
  for (const method of ['PUT', 'DELETE']) t.equal((await server.request(method, path)).status, 401, `${method} without credentials`)
})

t.test('others are answered while large pictures are worked on', async (t) => {
  const noise = Buffer.from(Array.from({ length: 1_000 }, (_, index) => (index * 7919) % 251))
  const large = await sharp(Buffer.alloc(4_500 * 4_500 * 3, noise), { raw: { width: 4_500, height: 4_500, channels: 3 } })
    .jpeg({ quality: 40 })
    .toBuffer()
  let working = true
  const uploads = Promise.all(Array.from({ length: 6 }, () => putFile(large))).finally(() => (working = false))
  const waits: number[] = []
  while (working) {
    const startedAt = performance.now()
    await server.request('GET', '/health')
    waits.push(performance.now() - startedAt)
  }
  for (const { status } of await uploads) t.equal(status, 200)
  const slow = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.9)] ?? Number.POSITIVE_INFINITY
  t.ok(slow < 250, `${waits.length} answers meanwhile, nine of ten within ${Math.round(slow)} ms`)
})

t.test('few pictures are worked on at once, some wait, and more are refused until later', async (t) => {
  const { makeAvatar } = createPictures({ atOnce: 1, waiting: 2 })
  const png = await plain(900, 900).png().toBuffer()
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => makeAvatar(png)))
  t.same(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'made' : outcome.reason.code)),
    ['made', 'made', 'made', 'unavailable', 'unavailable'],
  )
  t.equal(outcomes[4]?.status === 'rejected' && outcomes[4].reason.retryAfterSeconds, 2)
  t.ok(await makeAvatar(png), 'and afterwards there is room again')
  t.equal((await Promise.allSettled([makeAvatar(png.subarray(0, 60)), makeAvatar(png)]))[1].status, 'fulfilled', 'also after one that failed')
})

t.test(
  'what is stored outlives a power failure: the file first, then its name, then the folders above it',
  { skip: process.platform === 'win32' },
  async (t) => {
    const dataDir = join(t.testdir(), 'new', 'data')
    const steps: string[] = []
    const { open, rename } = fs
    fs.open = async (path, ...parts) => {
      const file = await open(path, ...parts)
      const sync = file.sync.bind(file)
      file.sync = () => {
        steps.push(`sync ${basename(dirname(String(path))) === 'drafts' ? 'file' : path}`)
        return sync()
      }
      return file
    }
    fs.rename = (from, to) => {
      steps.push(`rename into ${dirname(String(to))}`)
      return rename(from, to)
    }
    const restore = () => {
      Object.assign(fs, { open, rename })
      syncBuiltinESMExports()
    }
    t.teardown(restore)
    syncBuiltinESMExports()
    const storage = createDiskStorage({ dataDir })
    for (const round of ['first', 'second']) {
      steps.length = 0
      await storage.put('key', Buffer.from(round))
      const shard = steps[1]?.slice('rename into '.length) ?? ''
      const above = [shard, dirname(shard), dataDir, ...(round === 'first' ? [dirname(dataDir), dirname(dirname(dataDir))] : [])]
      t.equal(dirname(dirname(shard)), dataDir)
      t.same(steps, ['sync file', `rename into ${shard}`, ...above.map((folder) => `sync ${folder}`)], round)
    }
    const shard = steps[1]?.slice('rename into '.length)
    steps.length = 0
    await storage.delete('key')
    t.same([steps, await storage.get('key')], [[`sync ${shard}`], undefined], 'and so does that it is gone')
    await createDiskStorage({ dataDir: join(dataDir, 'empty') }).delete('key')
  },
)

t.test('what a killed process has begun to store is removed a day later, and what others are storing is not', async (t) => {
  const dataDir = t.testdir()
  const drafts = join(dataDir, 'objects', 'drafts')
  await mkdir(drafts, { recursive: true })
  for (const [name, hours] of [
    ['left', 25],
    ['running', 1],
  ] as const) {
    await writeFile(join(drafts, name), 'half')
    const at = Date.now() / 1_000 - hours * 3_600
    await utimes(join(drafts, name), at, at)
  }
  const storage = createDiskStorage({ dataDir })
  await storage.put('key', Buffer.from('whole'))
  t.same(await readdir(drafts), ['running'])
  await t.rejects(
    storage.put(
      'other',
      (async function* () {
        yield Buffer.from('half')
        throw new Error('The sender has gone')
      })(),
    ),
  )
  t.same([await readdir(drafts), await storage.get('other')], [['running'], undefined], 'and what failed is gone at once')
})
