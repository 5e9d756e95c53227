/**
 * A live member: a socket that follows one conversation and holds every change against the one before. It reads frames by hand, for
 * a thousand of them have to cost less than the server that feeds them, and answers pings, for the server drops whoever does not.
 */
import { connect, type Socket } from 'node:net'

export interface Listener {
  /** The last number that came, and what came of the numbers up to it. */
  readonly order: OrderCheck
  close(): void
}

export interface Handshake {
  /** With the query. */
  path: string
  headers: Record<string, string>
  /** Whether the server says hello once the socket is subscribed; otherwise it is with the handshake. */
  saysHello: boolean
}

interface Options {
  port: number
  handshake: Handshake
  /** The conversation's last change at the time of opening. */
  afterChangeSeq: number
  onDelivery(): void
}

/** All reads of the process go through one buffer, for each is dealt with before the next. */
const received = Buffer.allocUnsafe(262_144)

export function openListener({ port, handshake, afterChangeSeq, onDelivery }: Options): Promise<Listener> {
  const order = new OrderCheck(afterChangeSeq)
  const opened = Promise.withResolvers<Listener>()
  let rest: Buffer | undefined
  let upgraded = false
  let closing = ''

  const onBytes = (length: number): boolean => {
    const bytes = rest === undefined ? received.subarray(0, length) : Buffer.concat([rest, received.subarray(0, length)])
    let position = 0
    if (!upgraded) {
      position = afterHandshake(bytes)
      upgraded = position > 0
      if (upgraded && !handshake.saysHello) opened.resolve(listener)
    }
    if (upgraded) position = readFrames(bytes, position, onFrame)
    rest = position < bytes.length ? Buffer.from(bytes.subarray(position)) : undefined
    return true
  }

  const onFrame = (bytes: Buffer, { opcode, start, end }: FrameBounds): void => {
    if (opcode === pingOpcode) socket.write(emptyPong)
    if (opcode === closeOpcode) closing = bytes.toString('latin1', start + 2, end)
    if (opcode !== textOpcode) return
    const changeSeq = changeSeqOf(bytes, start, end)
    if (changeSeq === undefined) return opened.resolve(listener)
    order.add(changeSeq)
    onDelivery()
  }

  const socket: Socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: received, callback: onBytes } })
  const listener: Listener = { order, close: () => socket.destroy() }
  const onClose = () => opened.reject(new Error(`A socket was not opened: ${closing || rest?.toString('latin1', 0, 300) || 'no answer'}`))
  socket.once('error', opened.reject).once('close', onClose)
  socket.write(upgradeRequest(handshake))
  return opened.promise
}

/** Counts what a client must never see. A number that did not come is lost until it comes out of order. */
export class OrderCheck {
  last: number
  doubled = 0
  disordered = 0
  readonly #missing = new Set<number>()

  constructor(afterChangeSeq: number) {
    this.last = afterChangeSeq
  }

  add(changeSeq: number): void {
    if (changeSeq > this.last) {
      for (let skipped = this.last + 1; skipped < changeSeq; skipped += 1) this.#missing.add(skipped)
      this.last = changeSeq
    } else if (this.#missing.delete(changeSeq)) this.disordered += 1
    else this.doubled += 1
  }

  lost(lastChangeSeq: number): number {
    return this.#missing.size + Math.max(0, lastChangeSeq - this.last)
  }
}

const textOpcode = 1
const closeOpcode = 8
const pingOpcode = 9
/** Final, masked with zeros, without payload. */
const emptyPong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

const upgradeRequest = ({ path, headers }: Handshake): string =>
  [
    `GET ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: cGFybGV5LWJlbmNoLWtleQ==',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n')

/** @returns where the frames begin; 0 while the answer is incomplete or a refusal. */
function afterHandshake(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n')
  return end === -1 || bytes.toString('latin1', 9, 12) !== '101' ? 0 : end + 4
}

interface FrameBounds {
  opcode: number
  start: number
  end: number
}

/** @returns where the first incomplete frame begins. */
function readFrames(bytes: Buffer, from: number, onFrame: (bytes: Buffer, bounds: FrameBounds) => void): number {
  let position = from
  while (position + 2 <= bytes.length) {
    const short = (bytes[position + 1] ?? 0) & 0x7f
    if (short === 127) throw new Error('A frame of more than 64 KiB')
    if (short === 126 && position + 4 > bytes.length) break
    const start = position + (short === 126 ? 4 : 2)
    const end = start + (short === 126 ? bytes.readUInt16BE(position + 2) : short)
    if (end > bytes.length) break
    onFrame(bytes, { opcode: (bytes[position] ?? 0) & 0x0f, start, end })
    position = end
  }
  return position
}

const changeSeqField = Buffer.from('"changeSeq":')

/** The envelope's, which comes before the message's own. @returns undefined for frames that are no changes. */
function changeSeqOf(bytes: Buffer, start: number, end: number): number | undefined {
  const field = bytes.indexOf(changeSeqField, start)
  if (field === -1 || field >= end) return undefined
  let changeSeq = 0
  for (let at = field + changeSeqField.length; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 48
    if (digit < 0 || digit > 9) break
    changeSeq = changeSeq * 10 + digit
  }
  return changeSeq
}
