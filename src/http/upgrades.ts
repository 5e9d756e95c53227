/** Upgrades by path: every gateway has its own, and what nobody serves gets a 404 instead of a connection that hangs. */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

export function routeUpgrades(server: Server) {
  const paths = new Map<string, EventEmitter>()

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const [path = ''] = (request.url ?? '').split('?')
    const gateway = paths.get(path)
    if (gateway !== undefined) gateway.emit('upgrade', request, socket, head)
    else refuse(socket)
  })

  return {
    /** @returns what emits the upgrades of this path, as a server of its own would. */
    at(path: string): EventEmitter {
      const gateway = new EventEmitter()
      paths.set(path, gateway)
      return gateway
    },
  }
}

/** Node has let go of the socket: a client that breaks off is nobody's error, and one that stays would keep the server from closing. */
function refuse(socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', () => socket.destroy())
}
