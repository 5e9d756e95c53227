import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Answer, failure } from './http-server.ts'

export interface ClientFrame {
  type: string
  id?: string | number
  data: Record<string, unknown>
}

/** The server's end of one socket. */
export interface Peer {
  /** Subprotocols that the client asked for, and the path that it asked. */
  protocols: string[]
  path: string
  socket: WebSocket
  send(frame: object): void
  hello(positions: Record<string, number>): void
  /** The next frame of the client. */
  next(): Promise<ClientFrame>
  /** The next frame of the client, which has to be of this type. */
  next(type: string): Promise<ClientFrame>
  /** Frames that have arrived and were not taken by `next`. */
  waiting: ClientFrame[]
}

export interface Behaviour {
  /** What the REST side answers; by default it refuses. */
  rest?(path: string, body: Record<string, unknown>): Answer | Promise<Answer>
  /** False refuses the socket. */
  accepts?(attempt: number): boolean
  /** Takes the socket over; otherwise it waits for `connection()`. */
  onConnection?(peer: Peer): void
  onFrame?(peer: Peer, frame: ClientFrame): void
}

/** A server that accepts sockets and lets a test speak on them. */
export async function startSockets(
  t: { teardown(end: () => void): void },
  { rest = () => failure(401, 'unauthorized'), accepts = () => true, onConnection, onFrame }: Behaviour = {},
) {
  const arrived = queue<Peer>()
  const requests: string[] = []
  let attempts = 0
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'parley.v1' })
  const server = createServer(async (request, response) => {
    requests.push(request.url ?? '')
    const body = await text(request)
    const answer = await rest(request.url ?? '', body ? JSON.parse(body) : {})
    if (answer === 'hang') return
    if (answer === 'reset') return void request.socket.destroy()
    response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json', ...answer.headers }).end(JSON.stringify(answer.body ?? {}))
  })
  server.on('upgrade', (request, stream, head) => {
    attempts++
    if (!accepts(attempts)) stream.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
    else
      sockets.handleUpgrade(request, stream, head, (socket) => {
        const peer = createPeer(socket, request.url ?? '', String(request.headers['sec-websocket-protocol']).split(/, */), onFrame)
        if (onConnection) onConnection(peer)
        else arrived.push(peer)
      })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    /** Paths of the REST side that were asked. */
    requests,
    /** The next socket that connects. */
    connection: arrived.take,
    get attempts() {
      return attempts
    },
  }
}

function createPeer(socket: WebSocket, path: string, protocols: string[], onFrame: Behaviour['onFrame']): Peer {
  const frames = queue<ClientFrame>()
  const peer: Peer = {
    protocols,
    path,
    socket,
    send: (frame) => socket.send(JSON.stringify(frame)),
    hello: (positions) => peer.send({ type: 'hello', data: { heartbeatSeconds: 25, maxFrameBytes: 65_536, positions } }),
    async next(type?: string) {
      const frame = await frames.take()
      if (type !== undefined && frame.type !== type) throw new Error(`The client said ${JSON.stringify(frame)}, not ${type}`)
      return frame
    },
    waiting: frames.waiting,
  }
  socket.on('message', (data) => {
    const frame: ClientFrame = JSON.parse(String(data))
    if (onFrame) onFrame(peer, frame)
    else frames.push(frame)
  })
  return peer
}

function queue<T>() {
  const waiting: T[] = []
  const takers: ((value: T) => void)[] = []
  return {
    waiting,
    push(value: T): void {
      const taker = takers.shift()
      if (taker) taker(value)
      else waiting.push(value)
    },
    take(): Promise<T> {
      const value = waiting.shift()
      return value === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(value)
    },
  }
}
