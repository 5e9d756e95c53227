/**
 * One kept-alive connection with one request under way, written for a generator that must cost less than what it measures: requests are
 * text that was made before, answers are read no further than the status and the length. Only what the bench sends is understood.
 */
import { connect, type Socket } from 'node:net'

export interface Answer {
  status: number
  /** Latin-1: what the bench sends and reads is ASCII. */
  body: string
}

export interface HttpConnection {
  request(text: string): Promise<Answer>
  close(): void
}

function openHttpConnection(port: number): Promise<HttpConnection> {
  const received = Buffer.allocUnsafe(65_536)
  let text = ''
  let pending: PromiseWithResolvers<Answer> | undefined

  const onBytes = (length: number): boolean => {
    text += received.toString('latin1', 0, length)
    const answer = parseAnswer(text)
    if (answer === undefined) return true
    text = ''
    const { resolve } = pending ?? {}
    pending = undefined
    resolve?.(answer)
    return true
  }

  const onEnd = (): void => pending?.reject(new Error('The server closed a connection in the middle of a request'))

  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: received, callback: onBytes } })
    socket.once('error', reject).once('close', onEnd)
    socket.once('connect', () =>
      resolve({
        request(request) {
          pending = Promise.withResolvers()
          socket.write(request, 'latin1')
          return pending.promise
        },
        close: () => socket.destroy(),
      }),
    )
  })
}

export const openHttpConnections = (port: number, count: number): Promise<HttpConnection[]> =>
  Promise.all(Array.from({ length: count }, () => openHttpConnection(port)))

const headEnd = '\r\n\r\n'
const lengthHeader = 'content-length: '

/** @returns undefined until it is whole. */
function parseAnswer(text: string): Answer | undefined {
  const head = text.indexOf(headEnd)
  if (head === -1) return undefined
  const length = text.indexOf(lengthHeader)
  if (length === -1 || length > head) throw new Error(`An answer without a length: ${text.slice(0, head)}`)
  const bodyStart = head + headEnd.length
  const bodyEnd = bodyStart + Number.parseInt(text.slice(length + lengthHeader.length, length + lengthHeader.length + 10), 10)
  return text.length < bodyEnd ? undefined : { status: Number(text.slice(9, 12)), body: text.slice(bodyStart, bodyEnd) }
}
