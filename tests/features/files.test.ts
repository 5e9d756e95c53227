/** Files: what is taken, what becomes of it, who may have it, and that nothing of it is left behind. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { crc32, deflateRawSync, deflateSync } from 'node:zlib'
import type { Uploadable } from '@parley/sdk'
import sharp from 'sharp'
import t from 'tap'
import { getFileContent } from '../../openapi/files/operations.ts'
import { contentHeaders } from '../../openapi/shared/content.ts'
import type { FileId, UserId } from '../../openapi/shared/ids.ts'
import { deriveKeys } from '../../src/features/auth/keys.ts'
import { createFileLinks } from '../../src/features/files/links.ts'
import { createS3Storage } from '../../src/integrations/object-storage-s3.ts'
import { launchBrowser } from '../helpers/browser.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { tinyPng } from '../helpers/form.ts'
import { heldBytes } from '../helpers/memory.ts'
import { s3IsMissing, startS3, startScriptedS3 } from '../helpers/s3.ts'
import { jwtSecret, startServer, type TestServer } from '../helpers/server.ts'
import { beginDownload, beginUpload, objectsIn } from '../helpers/uploads.ts'
import { createTestClock, day, eventually, repeat } from './auth-client.ts'

const clock = createTestClock()
const database = await createTestDatabase()
t.teardown(database.drop)
const server = await startServer(t, { clock, databaseUrl: database.url })
const { pool } = server.database
const { api, accessToken: token, id: aliceId } = await server.signUp()
const bob = await server.signUp()

const mebibyte = 1_048_576
const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#ff0000' }, limitInputPixels: false })
const red = await plain(900, 300).png().toBuffer()

const fileOf = (bytes: Uint8Array | string, name: string) => new File([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)], name)

const formOf = (bytes: Uint8Array | string, name: string) => {
  const form = new FormData()
  form.append('file', fileOf(bytes, name))
  return form
}

/** Over bare HTTP. */
const post = async (bytes: Uint8Array | string, name: string, { at = server, token: bearer = token }: { at?: TestServer; token?: string } = {}) => {
  const { status, json } = await at.request('POST', '/v1/files', { token: bearer, body: formOf(bytes, name) })
  return { status, code: json.error?.code, fields: json.error?.details?.map(({ field }: { field: string }) => field), file: json }
}

const get = (path: string, headers: Record<string, string> = {}, bearer = token) => server.request('GET', path, { token: bearer, headers })

const contentOf = async (fileId: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/v1/files/${fileId}/content`, { headers: { authorization: `Bearer ${token}`, ...headers } })
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}

const usedBytes = async (userId: UserId): Promise<number> => {
  const { rows } = await pool.query<{ used: number }>('select coalesce(sum(used_bytes), 0)::bigint as used from file_usage where user_id = $1', [userId])
  return rows[0]?.used ?? 0
}

t.test('a file is kept as it came, with its real type, size and hash, and given back byte by byte', async (t) => {
  const before = await usedBytes(aliceId)
  const uploaded = await api.files.upload({ file: fileOf(red, 'Holiday.jpg') })
  t.match(uploaded, {
    ...{ name: 'Holiday.jpg', contentType: 'image/png', sizeBytes: red.length, width: 900, height: 300, hasThumbnail: true },
    ...{ ownerId: aliceId, conversationId: null, seq: null, sha256: createHash('sha256').update(red).digest('hex') },
  })
  t.equal(await usedBytes(aliceId), before + red.length)
  t.same(await api.files.get(uploaded.id), uploaded)
  const { headers, bytes } = await contentOf(uploaded.id)
  t.ok(bytes.equals(red))
  t.match(Object.fromEntries(headers), {
    ...{ 'content-type': 'image/png', 'content-length': String(red.length), etag: `"${uploaded.sha256}"`, 'accept-ranges': 'bytes' },
    ...{ 'content-disposition': /^inline; filename="Holiday.jpg"/, 'x-content-type-options': 'nosniff', 'cache-control': 'private, no-cache' },
    ...{ 'content-security-policy': "sandbox; default-src 'none'", 'cross-origin-resource-policy': 'same-origin' },
  })
  const response = await api.files.getContent(uploaded.id, { thumbnail: true })
  const thumbnail = Buffer.from(await response.arrayBuffer())
  t.equal(response.headers.get('content-type'), 'image/webp')
  t.match(await sharp(thumbnail).metadata(), { format: 'webp', width: 320, height: 107 })
})

t.test('its type is what its bytes say, whatever it is called; names count among texts only', async (t) => {
  const docx = zip([
    ['[Content_Types].xml', `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`],
  ])
  const source = plain(40, 20)
  const kinds: [name: string, bytes: Uint8Array | string, contentType: string, disposition: 'inline' | 'attachment'][] = [
    ['a.exe', await source.clone().jpeg().toBuffer(), 'image/jpeg', 'inline'],
    ['a.html', await source.clone().webp().toBuffer(), 'image/webp', 'inline'],
    ['a.svg', await source.clone().gif().toBuffer(), 'image/gif', 'inline'],
    ['a', await source.clone().avif().toBuffer(), 'image/avif', 'inline'],
    ['a.txt', '%PDF-1.4\n%âãÏÓ\n', 'application/pdf', 'inline'],
    ['a.js', Buffer.concat([Buffer.from('RIFF\x2c\0\0\0WAVEfmt '), Buffer.alloc(40)]), 'audio/wav', 'inline'],
    ['a.pdf', zip([['hello.txt', 'Hello']]), 'application/zip', 'attachment'],
    ['a.doc', docx, 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'attachment'],
    ['a.txt', 'Grüße 👋 <b>bold</b>', 'text/plain', 'attachment'],
    ['A.CSV', 'a;b\n1;2', 'text/csv', 'attachment'],
    ['a.md', '# Hello', 'text/markdown', 'attachment'],
    ['a.json', '{"a":1}', 'application/json', 'attachment'],
  ]
  for (const [name, bytes, contentType, disposition] of kinds) {
    const { status, file } = await post(bytes, name)
    t.match({ status, ...file }, { status: 201, contentType }, name)
    const { headers } = await contentOf(file.id)
    t.match(headers.get('content-disposition'), new RegExp(`^${disposition}; `), name)
    t.equal(headers.get('content-type'), contentType.startsWith('text/') ? `${contentType}; charset=utf-8` : contentType, name)
    if (contentType.startsWith('image/')) t.match(file, { width: 40, height: 20, hasThumbnail: true }, name)
  }
})

t.test('what could run, here or in a browser, is refused whatever it is called', async (t) => {
  const before = await objectsIn(server)
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
  const elf = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), Buffer.alloc(100)])
  const hostile: [what: string, bytes: Uint8Array | string, names: string[]][] = [
    ['HTML', '<!doctype html><script>alert(1)</script>', ['a.png', 'a.html', 'a.txt', 'a', 'a.csv']],
    ['HTML after space', ' \n\t<HTML><body onload=alert(1)>', ['a.txt', 'a.md', 'a.json']],
    ['a script', '<script>alert(1)</script>', ['a.txt']],
    ['SVG', svg, ['a.svg', 'a.png', 'a.txt', 'a.md']],
    ['SVG with a declaration', `<?xml version="1.0"?>${svg}`, ['a.svg', 'a.txt']],
    ['XML', '<?xml version="1.0"?><a/>', ['a.xml', 'a.txt']],
    ['JavaScript', 'alert(1)', ['a.js', 'a.mjs', 'a.png', 'a']],
    ['a shell script', '#!/bin/sh\nrm -rf /', ['a.sh', 'a.txt']],
    ['a program', elf, ['a.png', 'a.txt', 'a.zip']],
    ['a Windows program', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(100)]), ['a.exe', 'a.pdf']],
    ['binary called text', Buffer.from([1, 2, 3, 0, 255]), ['a.txt', 'a.csv', 'a.json']],
    ['text that ends otherwise', Buffer.concat([Buffer.alloc(200_000, 'text '), Buffer.from([0xff, 0xfe])]), ['a.txt']],
    ['text cut within a character', Buffer.from('Grüße').subarray(0, 3), ['a.txt']],
    ['text with a null', 'a\0b', ['a.txt']],
    ['text that is called as what every object has', 'Hello', ['a.constructor', 'a.toString', 'a.__proto__']],
    ['TIFF, which is not among the types', await plain(9, 9).tiff().toBuffer(), ['a.tiff', 'a.png']],
  ]
  for (const [what, bytes, names] of hostile) {
    for (const name of names) {
      const { status, code } = await post(bytes, name)
      t.same([status, code], [415, 'unsupported_media_type'], `${what} as ${name}`)
    }
  }
  t.match(await post('', 'a.txt'), { status: 400, code: 'validation_error', fields: ['body.file'] }, 'an empty one is none')
  t.same((await objectsIn(server)).sort(), before.sort(), 'and nothing of them is kept')
})

t.test('which types are taken is configured, but never what could run', async (t) => {
  const strict = await startServer(t, { env: { UPLOAD_TYPES: 'image/png, text/*, application/*, image/svg+xml' } })
  const { accessToken } = await strict.signUp()
  const status = async (bytes: Uint8Array | string, name: string) => (await post(bytes, name, { at: strict, token: accessToken })).status
  t.equal(await status(red, 'a.png'), 201)
  t.equal(await status('Hello', 'a.txt'), 201)
  t.equal(await status(await plain(9, 9).jpeg().toBuffer(), 'a.png'), 415, 'JPEG is not')
  t.equal(await status('<svg xmlns="http://www.w3.org/2000/svg"/>', 'a.svg'), 415)
  t.equal(await status('<?xml version="1.0"?><a/>', 'a.xml'), 415)
  t.equal(await status(Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), Buffer.alloc(100)]), 'a'), 415, 'nor a program')
})

t.test('a name is for people: what would lead elsewhere, turn it around or hide in it is gone', async (t) => {
  const names: [given: string, kept: string][] = [
    ['../../etc/passwd.png', 'passwd.png'],
    ['..\\..\\windows\\a.png', 'a.png'],
    ['/absolute/a.png', 'a.png'],
    ['a\u0000b\u0007\u001b[31m.png', 'ab[31m.png'],
    ['gnp.\u202egpj.png', 'gnp.gpj.png'],
    ['\u2066a\u200b\ufeff.png', 'a.png'],
    ['A\u030angstro\u0308m.png', 'Ångström.png'],
    ['👩‍👩‍👧.png', '👩‍👩‍👧.png'],
    ['..', 'file'],
    ['', 'file'],
    ['. ', 'file'],
    ['a.html', 'a.html.png'],
    ['a.HTML. .', 'a.HTML.png'],
    ['a.html::$DATA', 'a.html::$DATA.png'],
    ['.exe', '.exe.png'],
    ['a.zip', 'a.zip.png'],
    ['a.JPG', 'a.JPG'],
    ['Dr. Who', 'Dr. Who.png'],
    ['picture', 'picture'],
    [`${'a'.repeat(400)}.html`, `${'a'.repeat(251)}.png`],
    [`${'a'.repeat(400)}.png`, `${'a'.repeat(251)}.png`],
  ]
  const { services } = server.app
  const actor = { userId: aliceId, kind: 'session', credentialId: '' as never, role: 'user', expiresAt: Number.MAX_SAFE_INTEGER } as const
  const stream = async function* () {
    yield tinyPng
  }
  for (const [given, kept] of names) t.equal((await services.files.upload(actor, { name: given, content: stream() })).name, kept, JSON.stringify(given))
  for (const [given, kept] of names.slice(0, 3)) t.equal((await post(tinyPng, given)).file.name, kept, `${given} over HTTP`)
  t.equal((await post(tinyPng, 'a "b"\r\n100%2e.png')).file.name, 'a "b"100%2e.png', 'as browsers write it in a form')
  t.equal((await post(zip([['hello.txt', 'Hello']]), 'a.docx')).file.name, 'a.docx', 'office documents are archives')
  t.equal((await post('alert(1)', 'a.txt')).file.name, 'a.txt')
  t.equal((await post('%PDF-1.4\n', 'a.hta')).file.name, 'a.hta.pdf')

  const { file } = await post(tinyPng, `Größe "5" 100%;\u2028${'é'}.png`)
  const header = (await contentOf(file.id)).headers.get('content-disposition') ?? ''
  t.match(header, /^inline; filename="[\x20-\x7e]+"; filename\*=UTF-8''[A-Za-z0-9%._~!-]+$/, header)
  t.equal(decodeURIComponent(header.split("''")[1] ?? ''), file.name, 'and it is whole in the header')
})

t.test('a picture of 400 million pixels is kept without being unpacked', async (t) => {
  const bomb = hugePng()
  const before = process.memoryUsage().rss
  const startedAt = performance.now()
  const { status, file } = await post(bomb, 'a.png')
  t.match({ status, ...file }, { status: 201, width: 20_000, height: 20_000, hasThumbnail: false })
  t.ok(performance.now() - startedAt < 2_000, 'quickly')
  t.ok(process.memoryUsage().rss - before < 100_000_000, 'within 100 MB, where it has 400 MB unpacked')
  t.equal((await get(`/v1/files/${file.id}/content?thumbnail=true`)).status, 404, 'and has no thumbnail')
})

t.test('a zip bomb that is called a document costs what it is long', async (t) => {
  const bomb = zip([
    ['[Content_Types].xml', Buffer.alloc(200 * mebibyte, ' ')],
    ['word/document.xml', Buffer.alloc(100 * mebibyte, ' ')],
  ])
  t.ok(bomb.length < mebibyte, `${bomb.length} bytes stand for 300 MiB`)
  const before = process.memoryUsage().rss
  const startedAt = performance.now()
  const { status, file } = await post(bomb, 'a.docx')
  t.equal(status, 201)
  t.match(file, { contentType: /^application\/(zip|vnd\.)/, sizeBytes: bomb.length })
  t.ok(performance.now() - startedAt < 2_000, 'quickly')
  t.ok(process.memoryUsage().rss - before < 100_000_000, 'and it is not unpacked')
  t.match((await contentOf(file.id)).headers.get('content-disposition'), /^attachment/)
})

t.test('a photograph is measured upright, and its thumbnail says nothing of where it was taken', async (t) => {
  const photograph = await plain(400, 200)
    .withExif({ IFD0: { Artist: 'Secret Name' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } })
    .withMetadata({ orientation: 8 })
    .jpeg()
    .toBuffer()
  const file = await api.files.upload({ file: fileOf(photograph, 'a.jpg') })
  t.match(file, { width: 200, height: 400, hasThumbnail: true })
  const thumbnail = Buffer.from(await (await api.files.getContent(file.id, { thumbnail: true })).arrayBuffer())
  const { exif, width, height } = await sharp(thumbnail).metadata()
  t.same([exif, width, height], [undefined, 160, 320])
  t.notOk(thumbnail.includes('Secret'))

  const broken = await api.files.upload({ file: fileOf(red.subarray(0, 200), 'half.png') })
  t.match(broken, { width: 900, height: 300, hasThumbnail: false }, 'one that is broken is kept as it is')
  const small = await api.files.upload({ file: fileOf(tinyPng, 'tiny.png') })
  const kept = Buffer.from(await (await api.files.getContent(small.id, { thumbnail: true })).arrayBuffer())
  t.match(await sharp(kept).metadata(), { width: 1, height: 1 }, 'a small one is not blown up')
})

t.test('a file that is too large is refused before it is read, or as soon as it turns out to be', { timeout: 60_000 }, async (t) => {
  const small = await startServer(t, { env: { UPLOAD_MAX_BYTES: String(mebibyte) } })
  const { accessToken } = await small.signUp()
  const there = { at: small, token: accessToken }
  const noise = (length: number) => Buffer.concat([red.subarray(0, 100), Buffer.alloc(length - 100)])
  t.match(await post(noise(mebibyte), 'a.png', there), { status: 201 })
  t.match(await post(noise(mebibyte + 1), 'a.png', there), { status: 413, code: 'payload_too_large' })
  t.equal((await objectsIn(small)).length, 1, 'only the first is kept')

  const announced = beginUpload(small, { token: accessToken, contentLength: 1024 * mebibyte })
  t.match(String((await once(announced.socket, 'data'))[0]), /^HTTP\/1\.1 413 /, 'told by its length alone, before the file has come')
  announced.socket.destroy()

  // A gigabyte that nobody announced, as fast as it is taken.
  const { socket: endless, send, answer } = beginUpload(small, { token: accessToken, bytes: red })
  let isClosed = false
  endless.once('close', () => (isClosed = true))
  const piece = Buffer.alloc(mebibyte)
  let highest = 0
  let sent = 0
  const before = heldBytes()
  while (!isClosed && sent < 4_096) {
    if (!send(piece)) await Promise.race([once(endless, 'drain'), once(endless, 'close')]).catch(() => undefined)
    sent += 1
    if (sent % 50 === 0) highest = Math.max(highest, heldBytes() - before)
  }
  t.match(answer(), /^HTTP\/1\.1 413 /)
  t.ok(highest < 100_000_000, `memory stays flat: ${highest} bytes more for ${sent} MiB`)
  t.ok(isClosed || sent >= 1_024, 'and whoever goes on sending is cut off')
  endless.destroy()
  t.equal((await objectsIn(small)).length, 1, 'and nothing of it is kept')
})

t.test('an upload that breaks off leaves nothing behind', async (t) => {
  const own = await startServer(t)
  const { accessToken, id } = await own.signUp()
  for (const [what, bytes] of [
    ['half-way', Buffer.concat([red, randomBytes(200_000)])],
    ['in its first bytes', red.subarray(0, 50)],
    ['before them', Buffer.alloc(0)],
  ] as const) {
    const { socket } = beginUpload(own, { token: accessToken, bytes, contentLength: 1_000_000 })
    if (bytes.length > 100_000) await eventually(async () => ((await objectsIn(own)).length > 0 ? true : undefined))
    socket.destroy()
    await eventually(async () => ((await objectsIn(own)).length === 0 ? true : undefined))
    t.pass(what)
  }
  const { rows } = await own.database.pool.query('select (select count(*) from files) as files, (select count(*) from file_usage where user_id = $1) as used', [
    id,
  ])
  t.same(rows, [{ files: 0, used: 0 }])
  for (const [what, body, field] of [
    ['a second file', '--b\r\nContent-Disposition: form-data; name="other"; filename="b"\r\n\r\nb\r\n--b--\r\n', 'body.other'],
    ['the same one again', '--b\r\nContent-Disposition: form-data; name="file"; filename="b"\r\n\r\nb\r\n--b--\r\n', 'body.file'],
    ['a field', '--b\r\nContent-Disposition: form-data; name="role"\r\n\r\nadmin\r\n--b--\r\n', 'body.role'],
    ['no end', '', 'body'],
  ] as const) {
    const content = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${'text '.repeat(50_000)}\r\n${body}`
    const answer = await own.request('POST', '/v1/files', { token: accessToken, body: content, headers: { 'content-type': 'multipart/form-data; boundary=b' } })
    t.match(answer, { status: 400, json: { error: { code: 'validation_error', details: [{ field }] } } }, `with ${what} after it`)
  }
  t.same(await objectsIn(own), [], 'nor do forms that turn out not to fit')
  t.match(await post(red, 'a.png', { at: own, token: accessToken }), { status: 201 }, 'and the server goes on')
})

t.test('of four at once exactly those are kept for which there is room', async (t) => {
  const size = red.length
  const own = await startServer(t, { env: { UPLOAD_QUOTA_BYTES: String(2 * size + 10) } })
  const { accessToken, id, api } = await own.signUp()
  const answers = await repeat(4, () => post(red, 'a.png', { at: own, token: accessToken }))
  t.same(answers.map(({ status }) => status).sort(), [201, 201, 409, 409])
  t.same([...new Set(answers.map(({ code }) => code))].sort(), ['quota_exceeded', undefined])
  const used = async () => (await own.database.pool.query('select used_bytes as used from file_usage where user_id = $1', [id])).rows[0].used
  t.equal(await used(), 2 * size)
  t.equal((await objectsIn(own)).length, 4, 'with their thumbnails, and nothing of the others')

  const kept = answers.filter(({ status }) => status === 201).map(({ file }) => file.id)
  await api.files.delete(kept[0])
  t.equal(await used(), size, 'what is deleted makes room')
  t.match(await post(Buffer.alloc(size + 11, 'a'), 'a.txt', { at: own, token: accessToken }), { status: 409, code: 'quota_exceeded' })
  t.match(await post(Buffer.alloc(size + 10, 'a'), 'a.txt', { at: own, token: accessToken }), { status: 201 }, 'to the last byte')
  const other = await own.signUp()
  t.match(await post(red, 'a.png', { at: own, token: other.accessToken }), { status: 201 }, 'of each user')
})

t.test('ranges, conditions and HEAD are answered as HTTP has them', async (t) => {
  const text = 'abcdefghijklmnopqrstuvwxyz'
  const { id, sha256 } = await api.files.upload({ file: fileOf(text, 'a.txt') })
  const path = `/v1/files/${id}/content`
  const etag = `"${sha256}"`
  const ranges: [range: string, body: string, contentRange: string][] = [
    ['bytes=0-0', 'a', 'bytes 0-0/26'],
    ['bytes=2-4', 'cde', 'bytes 2-4/26'],
    ['bytes=20-', 'uvwxyz', 'bytes 20-25/26'],
    ['bytes=20-999', 'uvwxyz', 'bytes 20-25/26'],
    ['bytes=-3', 'xyz', 'bytes 23-25/26'],
    ['bytes=-999', text, 'bytes 0-25/26'],
  ]
  for (const [range, body, contentRange] of ranges) {
    const answer = await get(path, { range })
    t.same([answer.status, answer.text, answer.headers.get('content-range')], [206, body, contentRange], range)
    t.equal(answer.headers.get('content-length'), String(body.length))
  }
  for (const range of ['bytes=26-', 'bytes=99-100', 'bytes=-0']) {
    const answer = await get(path, { range })
    t.same([answer.status, answer.json.error.code, answer.headers.get('content-range')], [416, 'range_not_satisfiable', 'bytes */26'], range)
    t.match(answer.headers.get('content-type'), /^application\/json/)
  }
  for (const range of ['bytes=4-2', 'bytes=a-b', 'bytes=-', 'lines=1-2', 'bytes=0-1,3-4', 'bytes'])
    t.match(await get(path, { range }), { status: 200, text }, range)
  t.match(await get(path, { range: 'bytes=0-0', 'if-range': etag }), { status: 206, text: 'a' })
  for (const other of ['"other"', `W/${etag}`, new Date().toUTCString()])
    t.match(await get(path, { range: 'bytes=0-0', 'if-range': other }), { status: 200 }, other)

  for (const tags of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
    const answer = await get(path, { 'if-none-match': tags, range: 'bytes=0-0' })
    t.same([answer.status, answer.text, answer.headers.get('etag')], [304, '', etag], tags)
  }
  t.match(await get(path, { 'if-none-match': '"x"' }), { status: 200, text })
  for (const variant of ['', '?thumbnail=false']) {
    const head = await server.request('HEAD', path + variant, { token, headers: { range: 'bytes=0-0' } })
    t.same([head.status, head.text, head.headers.get('content-length'), head.headers.get('etag')], [200, '', '26', etag])
  }
  const picture = await api.files.upload({ file: fileOf(red, 'a.png') })
  const thumbnail = await server.request('HEAD', `/v1/files/${picture.id}/content?thumbnail=true`, { token })
  t.ok(Number(thumbnail.headers.get('content-length')) > 20)
  t.match(await get(`/v1/files/${picture.id}/content?thumbnail=true`, { 'if-none-match': thumbnail.headers.get('etag') ?? '' }), { status: 304 })
  t.not(thumbnail.headers.get('etag'), `"${picture.sha256}"`, 'a thumbnail is another thing than its file')

  for (const [status, headers] of [
    [200, {}],
    [206, { range: 'bytes=0-0' }],
    [304, { 'if-none-match': etag }],
  ] as const) {
    const answer = await get(path, headers)
    const said = Object.keys(contentHeaders).filter((name) => answer.headers.has(name))
    t.same(
      [answer.status, said],
      [status, Object.keys(contentHeaders).filter((name) => name in getFileContent.responses[status].headers)],
      'as the contract says',
    )
  }
})

t.test('whoever goes away while it is read keeps no file open, and whoever is slow no memory full', async (t) => {
  const noise = Buffer.concat([red, randomBytes(15 * mebibyte)])
  const { id } = await api.files.upload({ file: fileOf(noise, 'a.png') })
  const before = heldBytes()
  const readers = await repeat(20, async () => {
    const response = await fetch(`${server.url}/v1/files/${id}/content`, { headers: { authorization: `Bearer ${token}` } })
    const reader = response.body?.getReader()
    await reader?.read()
    return reader
  })
  t.ok(heldBytes() - before < 100_000_000, '20 who read nothing of 15 MiB each')
  await Promise.all(readers.map((reader) => reader?.cancel()))
  await eventually(async () => ((await openObjects(server)) === 0 ? true : undefined))
  t.pass('every file is closed')
})

const openObjects = async ({ dataDir }: TestServer) => {
  const links = await readdir('/proc/self/fd').catch(() => [])
  const targets = await Promise.all(links.map((link) => readlink(`/proc/self/fd/${link}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(join(dataDir, 'objects'))).length
}

/** Far more than the system takes for somebody who reads nothing. */
const large = Buffer.concat([red, randomBytes(15 * mebibyte)])

t.test('a download is ended when nothing of it is taken any more, and goes on for as long as something is', async (t) => {
  const own = await startServer(t, { downloadLimits: { atOnce: 64, silenceMilliseconds: 5_000 } })
  const { api, accessToken: token } = await own.signUp()
  const { id } = await api.files.upload({ file: new Uint8Array(large) })
  const path = `/v1/files/${id}/content`
  const stalled = await repeat(3, async () => beginDownload(own, { path, token }))
  await eventually(async () => ((await openObjects(own)) === 3 ? true : undefined))
  const slow = beginDownload(own, { path, token })
  let bytes = 0
  // For a second longer than those who take nothing are there.
  let slowly = 10
  for await (const data of slow) {
    bytes += data.length
    if (bytes > large.length) break
    if (slowly === 0) continue
    await pause(100)
    if ((await openObjects(own)) <= 1) slowly -= 1
  }
  t.ok(bytes > large.length, 'who is slow gets all of it')
  await eventually(async () => ((await openObjects(own)) === 0 ? true : undefined))
  for (const socket of stalled) {
    const closed = once(socket, 'close')
    socket.resume()
    await closed
  }
  t.pass('who takes nothing is cut off')
})

t.test('of one reader so many downloads are under way at once, and those of a link are its maker’s', async (t) => {
  const own = await startServer(t, { downloadLimits: { atOnce: 2, silenceMilliseconds: 60_000 } })
  const [alice, bob] = [await own.signUp(), await own.signUp()]
  const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id], title: 'Lunch' })
  const { id } = await alice.api.files.upload({ file: new Uint8Array(large) })
  await alice.api.conversations.sendMessage(conversation.id, { attachments: [id] })
  const path = `/v1/files/${id}/content`
  const [{ url }, { url: bobs }] = [await alice.api.files.createLink(id), await bob.api.files.createLink(id)]
  const stalled = [beginDownload(own, { path, token: alice.accessToken }), beginDownload(own, { path: url })]
  await eventually(async () => ((await openObjects(own)) === 2 ? true : undefined))
  const range = { range: 'bytes=0-0' }
  for (const answer of [await own.request('GET', path, { token: alice.accessToken, headers: range }), await own.request('GET', url, { headers: range })]) {
    t.match(answer, { status: 429, json: { error: { code: 'rate_limit_exceeded', retryAfterSeconds: 5 } } })
    t.equal(answer.headers.get('content-disposition'), null, 'and this is no file')
  }
  t.equal((await own.request('HEAD', path, { token: alice.accessToken })).status, 200, 'what is sent without bytes is not counted')
  t.equal((await own.request('GET', bobs, { headers: range })).status, 206, 'nor are others concerned')
  stalled[0]?.destroy()
  await eventually(async () => ((await own.request('GET', url, { headers: range })).status === 206 ? true : undefined))
  t.pass('what ends makes room for the next')
  stalled[1]?.destroy()
})

t.test("a file that was not sent is its owner's alone, and looks to others as one that never was", async (t) => {
  const { id } = await api.files.upload({ file: fileOf(red, 'a.png') })
  const plainOf = ({ status, json }: Awaited<ReturnType<typeof get>>) =>
    JSON.stringify({ status, ...json, error: { ...json.error, requestId: 0, timestamp: 0 } })
  const unknown = '0193a1b2-0000-7000-8000-0000000000f1'
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/content'],
    ['DELETE', ''],
    ['POST', '/link'],
  ] as const) {
    const ask = (fileId: string, bearer?: string) =>
      server.request(method, `/v1/files/${fileId}${path}`, { ...(bearer && { token: bearer }), ...(method === 'POST' && { body: {} }) })
    t.equal((await ask(id)).status, 401, `${method} ${path} by nobody`)
    t.equal(plainOf(await ask(id, bob.accessToken)), plainOf(await ask(unknown, bob.accessToken)), `${method} ${path} by another`)
  }
  t.equal((await get(`/v1/files/${id}`)).status, 200, 'it is still there')
  await api.files.delete(id)
  t.equal((await get(`/v1/files/${id}`)).status, 404)
  await eventually(async () =>
    (await pool.query("select from jobs.job where name = 'objects.delete' and state < 'completed'")).rowCount === 0 ? true : undefined,
  )
})

t.test('a link works by itself until it ends, for one variant of one file', async (t) => {
  const { id } = await api.files.upload({ file: fileOf(red, 'a.png') })
  const open = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url + url, { headers })
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
  }
  const link = await api.files.createLink(id, { expiresInSeconds: 60 })
  const thumbnail = await api.files.createLink(id, { thumbnail: true })
  const whole = await open(link.url)
  t.ok(whole.bytes.equals(red))
  t.match(Object.fromEntries(whole.headers), {
    'content-type': 'image/png',
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
  })
  t.match(await sharp((await open(thumbnail.url)).bytes).metadata(), { format: 'webp', width: 320 })
  t.match(await open(link.url, { range: 'bytes=0-3' }), { status: 206 })
  t.ok(Date.parse(thumbnail.expiresAt) - clock.now().getTime() > 298_000, '300 seconds by default')

  const [token = ''] = link.url.split('/').slice(-1)
  const bytes = Buffer.from(token, 'base64url')
  for (const [what, index] of [
    ['file', 3],
    ['user', 20],
    ['end', 35],
    ['variant', 36],
    ['signature', 60],
  ] as const) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.match(await open(link.url.replace(token, changed.toString('base64url'))), { status: 404 }, `another ${what}`)
  }
  const forged = (secret: string, userId: UserId = aliceId) =>
    createFileLinks(deriveKeys([secret], 'file-links')).sign({
      fileId: id as FileId,
      userId,
      thumbnail: false,
      expiresAt: new Date(clock.now().getTime() + 60_000),
    })
  t.match(await open(`/v1/file-links/${forged(jwtSecret)}`), { status: 200 })
  t.match(await open(`/v1/file-links/${forged('another secret')}`), { status: 404 })
  t.match(await open(`/v1/file-links/${forged(jwtSecret, bob.id)}`), { status: 404 }, 'of one who may not see it')

  for (const expiresInSeconds of [59, 86_401, 0.5]) {
    t.match(
      await server.request('POST', `/v1/files/${id}/link`, {
        token: (await server.client().auth.verifyEmail({ email: bob.email, code: '000000' })).accessToken,
        body: { expiresInSeconds },
      }),
      { status: 400 },
    )
  }
  clock.advance(61_000)
  t.match(await open(link.url), { status: 404 }, 'it has ended')
  t.match(await open(thumbnail.url), { status: 200 }, 'the other one has not')
  await api.files.delete(id)
  t.match(await open(thumbnail.url), { status: 404 }, 'it ends with the file')
})

t.test('a page of another origin shows a picture by its link', async (t) => {
  const { id } = await api.files.upload({ file: fileOf(red, 'a.html') })
  const { url } = await api.files.createLink(id)
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  await page.setContent(`<img src="${server.url}${url}">`)
  const size = `(async () => {
    const image = document.querySelector('img')
    await image.decode()
    return [image.naturalWidth, image.naturalHeight]
  })()`
  t.same(await page.evaluate(size), [900, 300])
  const response = await page.goto(server.url + url)
  t.match(response?.headers(), { 'content-disposition': /^inline; filename="a.html.png"/ }, 'and it can be opened by itself')
  t.same(await page.evaluate(size), [900, 300])
})

t.test('a link is good across a change of the secret, and ends with its user', async (t) => {
  const { id } = await api.files.upload({ file: fileOf(red, 'a.png') })
  const { url } = await api.files.createLink(id)
  const next = await startServer(t, {
    clock,
    databaseUrl: database.url,
    env: { JWT_SECRET: 'another secret, which is long enough', JWT_SECRET_PREVIOUS: jwtSecret },
  })
  t.equal((await fetch(next.url + url)).status, 200)
  await pool.query('update users set suspended_at = now() where id = $1', [aliceId])
  t.equal((await fetch(server.url + url)).status, 404, 'suspended')
  await pool.query('update users set suspended_at = null where id = $1', [aliceId])
  t.equal((await fetch(server.url + url)).status, 200)
})

t.test('what is not sent within a day is deleted, and so are bytes that no row names', async (t) => {
  const clock = createTestClock()
  const own = await startServer(t, { clock })
  const { api, id: userId } = await own.signUp()
  const { files } = own.app.services
  const file = await api.files.upload({ file: fileOf(red, 'a.png') })
  const planned = async () =>
    (
      await own.database.pool.query<{ data: { fileId: FileId }; hours: number }>(
        `select data, extract(epoch from start_after - created_on)::int / 3600 as hours from jobs.job where name = 'files.deleteUnused' order by created_on`,
      )
    ).rows
  t.same(await planned(), [{ data: { fileId: file.id }, hours: 25 }], 'that was planned before it was stored')
  const fileId = file.id as FileId
  await files.deleteUnused({ fileId })
  t.equal((await objectsIn(own)).length, 2, 'not before')
  t.equal((await planned()).length, 2, 'it is looked at again')
  clock.advance(day)
  await files.deleteUnused({ fileId })
  t.same(await objectsIn(own), [])
  await t.rejects(api.files.get(file.id), { code: 'not_found' })
  t.same((await own.database.pool.query('select used_bytes as used from file_usage where user_id = $1', [userId])).rows, [{ used: 0 }])

  // As a process leaves it that is killed between storing the bytes and storing the row.
  const killed = await api.files.upload({ file: fileOf(red, 'a.png') })
  await own.database.pool.query('delete from files where id = $1', [killed.id])
  t.equal((await objectsIn(own)).length, 2)
  await files.deleteUnused({ fileId: killed.id as FileId })
  t.same(await objectsIn(own), [])
})

t.test('a file is sent with a message, or without a word, and is then for those who may see that', async (t) => {
  const [carol, dora, stranger] = [await server.signUp(), await server.signUp(), await server.signUp()]
  const { conversation } = await api.conversations.create({ type: 'group', memberIds: [bob.id, carol.id], title: 'Lunch', historyVisibility: 'sinceJoined' })
  const files = await repeat(3, () => api.files.upload({ file: fileOf(red, 'Menu.png') }))
  const [first, second, third] = files.map(({ id }) => id)
  const { message } = await api.conversations.sendMessage(conversation.id, { attachments: [second ?? '', first ?? ''] })
  t.match(message, { type: 'file', content: '', seq: 1 })
  const summary = { name: 'Menu.png', contentType: 'image/png', sizeBytes: red.length, width: 900, height: 300, hasThumbnail: true }
  t.same(
    message.attachments,
    [
      { id: second, ...summary },
      { id: first, ...summary },
    ],
    'in the order in which they were given',
  )
  t.same((await bob.api.messages.list(conversation.id)).items, [message], 'others read the same')
  t.match((await api.conversations.sendMessage(conversation.id, { content: 'And this', attachments: [third ?? ''] })).message, {
    type: 'file',
    content: 'And this',
  })
  t.match(await api.files.get(first ?? ''), { conversationId: conversation.id, seq: 1 })

  await api.conversations.addMembers(conversation.id, { userIds: [dora.id] })
  await api.conversations.removeMember(conversation.id, carol.id)
  const fourth = await bob.api.files.upload({ file: fileOf(red, 'a.png') })
  await bob.api.conversations.sendMessage(conversation.id, { attachments: [fourth.id] })
  const link = await bob.api.files.createLink(first ?? '')
  const whoSees = async (fileId = '') => {
    const people = { owner: { accessToken: token }, member: bob, late: dora, former: carol, stranger, nobody: { accessToken: '' } }
    const asked = Object.entries(people).map(async ([who, { accessToken }]) => {
      const paths = [`/v1/files/${fileId}`, `/v1/files/${fileId}/content`, `/v1/files/${fileId}/content?thumbnail=true`]
      const statuses = await Promise.all(paths.map(async (path) => (await get(path, {}, accessToken)).status))
      const linked = await server.request('POST', `/v1/files/${fileId}/link`, { token: accessToken, body: {} })
      return [who, [...new Set([...statuses, linked.status === 201 ? 200 : linked.status])].join()]
    })
    return Object.fromEntries(await Promise.all(asked))
  }
  const seen = { owner: '200', member: '200', late: '404', former: '404', stranger: '404', nobody: '401' }
  t.same(await whoSees(first), seen)
  t.same(await whoSees(fourth.id), { ...seen, late: '200' }, 'who joined later sees what was sent since')

  await t.rejects(api.files.delete(first ?? ''), { code: 'conflict' }, 'the message has it')
  await t.rejects(bob.api.files.delete(first ?? ''), { code: 'forbidden' })
  t.equal((await fetch(server.url + link.url)).status, 200)
  await api.conversations.removeMember(conversation.id, bob.id)
  t.same(await whoSees(first), { ...seen, member: '404' })
  t.same(await whoSees(fourth.id), { ...seen, member: '404', late: '200' }, 'also of what is their own')
  t.equal((await fetch(server.url + link.url)).status, 404, 'and so does the link of one who was removed')
})

t.test('only own files that were not sent yet are sent, all of them or nothing', async (t) => {
  const { conversation } = await api.conversations.create({ type: 'group', memberIds: [bob.id], title: 'Files' })
  const [own, sent, another] = await repeat(3, async () => (await api.files.upload({ file: fileOf(tinyPng, 'a.png') })).id)
  const theirs = (await bob.api.files.upload({ file: fileOf(tinyPng, 'a.png') })).id
  await api.conversations.sendMessage(conversation.id, { attachments: [sent ?? ''] })
  const send = async (body: object) => {
    const { status, json } = await server.request('POST', `/v1/conversations/${conversation.id}/messages`, { token, body })
    return [status, json.error?.details?.map(({ field }: { field: string }) => field).join()]
  }
  const unknown = '0193a1b2-0000-7000-8000-0000000000f1'
  for (const [what, attachments] of [
    ['one of another user', [own, theirs]],
    ['one that was sent', [own, sent]],
    ['one that never was', [own, unknown]],
  ] as const) {
    t.same(await send({ attachments, content: 'Look' }), [400, 'body.attachments'], what)
    t.same(await send({ attachments, clientId: 'once' }), [400, 'body.attachments'], what)
  }
  t.same(await send({}), [400, 'body.content'], 'nothing at all')
  t.same(await send({ content: '' }), [400, 'body.content'])
  t.same(await send({ attachments: [] }), [400, 'body.attachments'])
  t.same(await send({ attachments: [own, own] }), [400, 'body.attachments'], 'the same one twice')
  t.same(await send({ attachments: Array.from({ length: 11 }, (_, index) => unknown.replace('f1', String(10 + index))) }), [400, 'body.attachments'], 'eleven')
  t.match(await api.files.get(own ?? ''), { conversationId: null, seq: null }, 'and the good one is free still')
  t.equal((await api.conversations.get(conversation.id)).conversation.lastSeq, 1, 'and no number is spent')

  const carol = await server.signUp()
  const sendTo = (recipientId: string, fileId = '') => server.request('POST', '/v1/messages', { token, body: { recipientId, attachments: [fileId] } })
  t.match(await sendTo(carol.id, sent), { status: 400, json: { error: { details: [{ field: 'body.attachments' }] } } })
  t.same((await carol.api.conversations.list()).items, [], 'and nobody has an empty conversation of it')

  const direct = await sendTo(bob.id, another)
  t.match(direct, { status: 201, json: { message: { type: 'file', attachments: [{ id: another }] } } }, 'to a user as well')
  const socket = await server.socket(token)
  socket.send({ type: 'conversations.sendMessage', id: 1, data: { conversationId: conversation.id, attachments: [own] } })
  t.match(
    await socket.frame(({ id }) => id === 1),
    { type: 'ack', data: { message: { seq: 2, type: 'file', attachments: [{ id: own }] } } },
    'and over the socket',
  )
  socket.close()
  t.same(
    (
      await server.request('POST', `/v1/conversations/${conversation.id}/messages`, {
        token: (await server.signUp()).accessToken,
        body: { attachments: [own] },
      })
    ).status,
    404,
    'a stranger hears of nothing',
  )
})

t.test('a retried send finds the first one, and of many at once one has the file', async (t) => {
  const { conversation } = await api.conversations.create({ type: 'group', memberIds: [bob.id], title: 'Races' })
  const upload = async () => (await api.files.upload({ file: fileOf(tinyPng, 'a.png') })).id
  const path = `/v1/conversations/${conversation.id}/messages`
  const attachments = [await upload(), await upload()]
  const retried = await repeat(8, () => server.request('POST', path, { token, body: { attachments, clientId: 'same' } }))
  t.same([...new Set(retried.map(({ status, json }) => `${status} ${json.message?.seq}`))], ['201 1'], 'the same clientId stores one message')

  const contested = [await upload()]
  const rivals = await repeat(8, () => server.request('POST', path, { token, body: { attachments: contested, content: 'Mine' } }))
  t.same(rivals.map(({ status }) => status).sort(), [201, ...Array(7).fill(400)], 'one message has the file')
  t.equal((await api.conversations.get(conversation.id)).conversation.lastSeq, 2)

  const beside = await upload()
  const [withFile, ...others] = await Promise.all([
    api.conversations.sendMessage(conversation.id, { attachments: [beside] }),
    ...Array.from({ length: 50 }, (_, index) => api.conversations.sendMessage(conversation.id, { content: `${index}` })),
  ])
  const seqs = [withFile, ...others].map(({ message }) => message.seq).sort((a, b) => a - b)
  t.same(
    seqs,
    Array.from({ length: 51 }, (_, index) => index + 3),
    'numbered with all others, without a hole',
  )
})

t.test('a send that fails between any two of its steps has sent nothing', async (t) => {
  const { conversation } = await api.conversations.create({ type: 'group', memberIds: [bob.id], title: 'Halves' })
  const { id } = await api.files.upload({ file: fileOf(tinyPng, 'a.png') })
  const send = () => server.request('POST', `/v1/conversations/${conversation.id}/messages`, { token, body: { attachments: [id], clientId: 'whole' } })
  await pool.query("create function fail() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$")
  for (const table of ['files', 'messages']) {
    await pool.query(`create trigger broken before update on ${table} for each row execute function fail()`)
    t.equal((await send()).status, 500, table)
    await pool.query(`drop trigger broken on ${table}`)
    t.match(await api.files.get(id), { conversationId: null })
    t.match((await api.conversations.get(conversation.id)).conversation, { lastSeq: 0, messageCount: 0 })
  }
  t.match((await send()).json, { message: { seq: 1, attachments: [{ id }] } })
})

t.test('the bytes of a file go with its message', async (t) => {
  const clock = createTestClock()
  const own = await startServer(t, { clock })
  const [alice, bob] = [await own.signUp(), await own.signUp()]
  const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id], title: 'Lunch' })
  const upload = async () => (await alice.api.files.upload({ file: fileOf(red, 'a.png') })).id
  const [deleted, old, kept] = [await upload(), await upload(), await upload()]
  const { message } = await alice.api.conversations.sendMessage(conversation.id, { attachments: [deleted] })
  t.equal((await objectsIn(own)).length, 6)
  await alice.api.messages.delete(message.id)
  t.equal((await own.request('GET', `/v1/files/${deleted}/content`, { token: alice.accessToken })).status, 404, 'at once')
  await eventually(async () => ((await objectsIn(own)).length === 4 ? true : undefined))
  t.match((await bob.api.messages.list(conversation.id)).items, [{ attachments: [], deletedAt: String }])

  await alice.api.conversations.sendMessage(conversation.id, { attachments: [old] })
  await alice.api.conversations.update(conversation.id, { messageRetentionDays: 1 })
  clock.advance(2 * day)
  const again = await own.client().auth.verifyEmail({ email: alice.email, code: '000000' })
  await own.app.services.retention.deleteAllOld()
  await eventually(async () => ((await objectsIn(own)).length === 2 ? true : undefined))
  t.equal((await own.request('GET', `/v1/files/${old}`, { token: again.accessToken })).status, 404, 'what is older than the group keeps messages')
  t.equal((await own.request('GET', `/v1/files/${kept}`, { token: again.accessToken })).status, 200)
  const used = await own.database.pool.query('select used_bytes as used from file_usage where user_id = $1', [alice.id])
  t.same(used.rows, [{ used: red.length }], 'and the room that they took is free')
})

t.test('with an account go the files that were not sent, and the others with its messages where those are erased', async (t) => {
  for (const [erased, left] of [
    ['keep', 2],
    ['erase', 0],
  ] as const) {
    const own = await startServer(t, { clock, env: { ERASED_USERS_MESSAGES: erased } })
    const [alice, bob] = [await own.signUp(), await own.signUp()]
    const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id], title: 'Lunch' })
    const upload = async () => (await alice.api.files.upload({ file: fileOf(red, 'a.png') })).id
    const [sent] = [await upload(), await upload()]
    await alice.api.conversations.sendMessage(conversation.id, { content: 'Look', attachments: [sent] })
    const { sections } = JSON.parse((await own.request('GET', '/v1/users/me/export', { token: alice.accessToken })).text)
    t.match(sections.files, [{ name: 'a.png', sizeBytes: red.length, sha256: String }, { name: 'a.png' }], 'they are in the export')
    await own.database.pool.query('update users set deletion_at = $2 where id = $1', [alice.id, clock.now()])
    await own.app.services.erasure.erase(alice.id)
    await eventually(async () => ((await objectsIn(own)).length === left ? true : undefined))
    t.equal((await own.request('GET', `/v1/files/${sent}/content`, { token: bob.accessToken })).status, left > 0 ? 200 : 404, erased)
    t.equal((await own.database.pool.query('select from file_usage where user_id = $1', [alice.id])).rowCount, 0)
  }
})

t.test('a folder that cannot be written to is said to be down', async (t) => {
  const own = await startServer(t)
  const storage = async () => (await own.request('GET', '/ready')).json.services.storage
  t.equal(await storage(), 'up')
  await rm(own.dataDir, { recursive: true, force: true })
  t.equal(await storage(), 'down')
})

t.test('keys that may not list the bucket are enough for S3', async (t) => {
  const { config, stop } = await startScriptedS3(t, () => [403, 'AccessDenied'])
  const warnings: unknown[][] = []
  const objects = createS3Storage(config, { warn: (...said: unknown[]) => warnings.push(said) })
  t.equal(await objects.ping(), true, 'the bucket is reached')
  t.equal(await objects.get('files/1'), undefined, 'what is not there is not there')
  t.match(warnings, [[{ err: { name: 'AccessDenied' } }, /the keys may not read it/]], 'and whoever runs the server can see why')
  await stop()
  await t.rejects(objects.get('files/1'), { code: 'unavailable' }, 'and where nobody answers that is another matter')
})

t.test('a storage that is away or too busy is said to be so, and to come back to', { timeout: 60_000 }, async (t) => {
  let answer: readonly [number, string?] = [200]
  const s3 = await startScriptedS3(t, () => answer)
  const own = await startServer(t, { env: s3.env })
  const { accessToken } = await own.signUp()
  const asked = async () => {
    const { status, json } = await own.request('POST', '/v1/files', { token: accessToken, body: formOf('Hello', 'a.txt') })
    const picture = await own.request('GET', `/v1/avatars/${'a'.repeat(22)}`)
    return [status, json.error.code, json.error.retryAfterSeconds, json.error.message, picture.status]
  }
  const away = [503, 'unavailable', 2, 'The server cannot reach its files at the moment; try again shortly.', 503]
  for (const failing of [[503, 'SlowDown'], [500, 'InternalError'], [502]] satisfies (typeof answer)[]) {
    answer = failing
    t.same(await asked(), away, `${failing}`)
  }
  await s3.stop()
  t.same(await asked(), away, 'nobody answers')
  t.equal((await own.database.pool.query('select from files')).rowCount, 0)
})

t.test('a server with keys that may not do what it needs does not start, and says so', { skip: s3IsMissing, timeout: 60_000 }, async (t) => {
  const { env } = await startS3(t)
  for (const [what, wrong, message] of [
    ['a wrong secret', { S3_SECRET_ACCESS_KEY: 'wrong' }, /SignatureDoesNotMatch/],
    ['a bucket that is not there', { S3_BUCKET: 'other' }, /NoSuchBucket/],
  ] as const) {
    await t.rejects(startServer(t, { env: { ...env, ...wrong } }), { name: 'StartError', message }, what)
  }
  const unreadable = await startScriptedS3(t, (method) => (method === 'GET' ? [403, 'AccessDenied'] : [200]))
  await t.rejects(startServer(t, { env: unreadable.env }), { name: 'StartError', message: /may not be read/ }, 'keys that may not read')
})

t.test('S3 keeps files as the disk does, whole or not at all', { skip: s3IsMissing, timeout: 60_000 }, async (t) => {
  const s3 = await startS3(t)
  const own = await startServer(t, { env: s3.env })
  const { api, accessToken } = await own.signUp()
  const there = { at: own, token: accessToken }
  // Large enough for several parts.
  const bytes = Buffer.concat([red, randomBytes(11 * mebibyte)])
  const { id, sha256 } = await api.files.upload({ file: new Uint8Array(bytes) })
  t.equal(sha256, createHash('sha256').update(bytes).digest('hex'))
  t.same(await s3.keys(), [`files/${id}`, `thumbnails/${id}`])
  t.ok(Buffer.from(await (await api.files.getContent(id)).arrayBuffer()).equals(bytes), 'it comes back byte by byte')
  const range = { range: `bytes=${6 * mebibyte}-${6 * mebibyte + 999}` }
  const part = await fetch(`${own.url}/v1/files/${id}/content`, { headers: { authorization: `Bearer ${accessToken}`, ...range } })
  t.same([part.status, part.headers.get('content-length')], [206, '1000'])
  t.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(6 * mebibyte, 6 * mebibyte + 1000)), 'in parts too')
  t.equal((await own.request('GET', '/ready')).json.services.storage, 'up')

  const { avatarUrl } = await api.users.setAvatar({ file: new Blob([tinyPng]) })
  t.equal((await fetch(own.url + avatarUrl)).status, 200, 'and pictures of users')
  t.equal((await s3.keys()).length, 3)
  await api.users.deleteAvatar()

  const text = Buffer.concat([Buffer.alloc(9 * mebibyte, 'text '), Buffer.from([0xff])])
  t.match(await post(text, 'a.txt', there), { status: 415 }, 'one that turns out late to be no text')
  t.match(await post(Buffer.concat([red, randomBytes(16 * mebibyte)]), 'a.png', there), { status: 413 }, 'or too large')
  const { socket } = beginUpload(own, { token: accessToken, bytes, contentLength: 12_000_000 })
  await eventually(async () => ((await s3.unfinishedUploads()) > 0 ? true : undefined))
  socket.destroy()
  await eventually(async () => ((await s3.unfinishedUploads()) === 0 && (await s3.keys()).length === 2 ? true : undefined))
  t.same(await s3.keys(), [`files/${id}`, `thumbnails/${id}`], 'or breaks off, is not kept, nor a part of it')

  await api.files.delete(id)
  await eventually(async () => ((await s3.keys()).length === 0 ? true : undefined))
  t.equal((await own.request('GET', `/v1/files/${id}/content`, { token: accessToken })).status, 404)
  // Before what it stands on.
  await own.stop()
})

t.test('S3 goes on for all others however many readers are slow', { skip: s3IsMissing, timeout: 60_000 }, async (t) => {
  const s3 = await startS3(t)
  const own = await startServer(t, { env: s3.env })
  const [alice, bob] = [await own.signUp(), await own.signUp()]
  const { id } = await alice.api.files.upload({ file: new Uint8Array(large) })
  const { url } = await alice.api.files.createLink(id)
  // More than the connections that the client of S3 has by itself.
  const stalled = await repeat(60, async () => {
    const socket = beginDownload(own, { path: url })
    await once(socket, 'readable')
    t.equal(String(socket.read(12)), 'HTTP/1.1 200')
    return socket
  })
  const { id: next } = await bob.api.files.upload({ file: fileOf('Hello', 'a.txt') })
  t.equal((await own.request('GET', `/v1/files/${next}/content`, { token: bob.accessToken })).text, 'Hello')
  await bob.api.files.delete(next)
  await eventually(async () => ((await s3.keys()).includes(`files/${next}`) ? undefined : true))
  t.equal((await own.request('GET', '/ready')).json.services.storage, 'up')
  for (const socket of stalled) socket.destroy()
  await own.stop()
})

t.test('the SDK takes blobs, bytes and streams, and tells how far it has come', async (t) => {
  const bytes = Buffer.concat([red, randomBytes(300_000)])
  const chunked = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 10_000) controller.enqueue(new Uint8Array(bytes.subarray(at, at + 10_000)))
        controller.close()
      },
    })
  const given: [what: string, file: Uploadable, name: string][] = [
    ['a blob', new Blob([bytes]), 'file'],
    ['a file', fileOf(bytes, 'a "b".png'), 'a "b".png'],
    ['bytes', new Uint8Array(bytes), 'file'],
    ['named bytes', { name: 'ä.png', content: new Uint8Array(bytes) }, 'ä.png'],
    ['a stream', chunked(), 'file'],
    ['a named stream', { name: 'b.png', content: chunked() }, 'b.png'],
  ]
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  for (const [what, file, name] of given) {
    t.match(await api.files.upload({ file }), { sha256, name }, what)
    const again = what.includes('stream') ? { name, content: chunked() } : file
    const told: { sentBytes: number; totalBytes: number | undefined }[] = []
    t.match(await api.files.upload({ file: again }, { onProgress: (progress) => told.push(progress) }), { sha256, name }, `${what}, with progress`)
    const totalBytes = what.includes('stream') ? undefined : told.at(-1)?.sentBytes
    t.ok(told.length > 3 && told.every((one, index) => one.totalBytes === totalBytes && one.sentBytes > (told[index - 1]?.sentBytes ?? 0)), what)
    t.ok((told.at(-1)?.sentBytes ?? 0) > bytes.length, 'to the end')
  }
  const controller = new AbortController()
  const aborted = api.files.upload({ file: new Uint8Array(bytes) }, { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) })
  await t.rejects(aborted, { message: 'enough' })
})

/** One colour, one bit for each pixel, compressed as a sender of bombs would. */
function hugePng(): Buffer {
  const side = 20_000
  const chunk = (type: string, data: Buffer) => {
    const named = Buffer.concat([Buffer.from(type), data])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    sum.writeUInt32BE(crc32(named))
    return Buffer.concat([length, named, sum])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 1
  const rows = deflateSync(Buffer.alloc(side * (1 + side / 8)), { level: 9 })
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

/** An archive without a directory, which nobody here reads. */
function zip(entries: [name: string, content: Buffer | string][]): Buffer {
  return Buffer.concat(
    entries.map(([name, content]) => {
      const bytes = Buffer.from(content)
      const packed = deflateRawSync(bytes, { level: 9 })
      const header = Buffer.alloc(30)
      header.write('PK\x03\x04', 'latin1')
      header.writeUInt16LE(20, 4)
      header.writeUInt16LE(8, 8)
      header.writeUInt32LE(packed.length, 18)
      header.writeUInt32LE(bytes.length, 22)
      header.writeUInt16LE(name.length, 26)
      return Buffer.concat([header, Buffer.from(name), packed])
    }),
  )
}
