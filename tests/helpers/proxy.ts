/** A way to the database that can be cut and restored, as a network's: the server behind it notices nothing. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export async function startProxy(databaseUrl: string) {
  const { hostname, port: databasePort } = new URL(databaseUrl)
  const open = new Set<Socket>()
  const keep = (socket: Socket, other: Socket) => {
    open.add(socket)
    socket.on('error', () => other.destroy())
    socket.on('close', () => {
      open.delete(socket)
      other.destroy()
    })
  }
  const server = createServer((client) => {
    const database = connect(Number(databasePort), hostname)
    keep(client, database)
    keep(database, client)
    client.pipe(database).pipe(client)
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const cut = async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of open) socket.destroy()
    await closed
  }

  await listen(0)
  const { port } = server.address() as AddressInfo
  return { url: throughPort(databaseUrl, port), cut, restore: () => listen(port), close: () => (server.listening ? cut() : undefined) }
}

function throughPort(databaseUrl: string, port: number): string {
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return url.href
}
