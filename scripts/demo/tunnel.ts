/** A network that can be lost: sockets that break in the middle of whatever they are doing, and no others until it is back. */
import type { WebSocketClass } from '@parley/sdk/realtime'
import WebSocket from 'ws'

export interface Tunnel {
  /** For the SDK. */
  WebSocket: WebSocketClass
  /** Breaks the connection without a word to either side, and every one that is tried. */
  enter(): void
  leave(): void
  /** Messages that came over each connection so far. */
  readonly counts: number[]
}

/** Nobody listens there. */
const nowhere = 'ws://127.0.0.1:1'

export function createTunnel(): Tunnel {
  const sockets = new Set<WebSocket>()
  const counts: number[] = []
  let isInside = false

  class TrainSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(isInside ? nowhere : url, protocols)
      sockets.add(this)
      this.on('close', () => sockets.delete(this))
      this.once('open', () => counts.push(0))
      this.on('message', (data) => {
        if (JSON.parse(String(data)).type === 'message.created') counts.push((counts.pop() ?? 0) + 1)
      })
    }
  }

  return {
    WebSocket: TrainSocket,
    counts,
    enter() {
      isInside = true
      for (const socket of sockets) socket.terminate()
    },
    leave() {
      isInside = false
    },
  }
}
