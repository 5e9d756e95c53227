import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface Received {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

/** `hang` never answers, `reset` cuts the connection. */
export type Answer = { status?: number; headers?: Record<string, string>; body?: unknown; text?: string } | 'hang' | 'reset'

/** A server that keeps what it receives and answers what the test says. */
export async function startHttp(t: Test, answer: (request: Received, index: number) => Answer | Promise<Answer>) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const entry = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: body ? JSON.parse(body) : {} }
    const result = await answer(entry, received.push(entry) - 1)
    if (result === 'hang') return
    if (result === 'reset') return void request.socket.destroy()
    const content = result.text ?? (result.body === undefined ? '' : JSON.stringify(result.body))
    response.writeHead(result.status ?? 200, { ...(result.body !== undefined && { 'Content-Type': 'application/json' }), ...result.headers }).end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { baseUrl: `http://127.0.0.1:${port}`, received }
}

export const failure = (status: number, code: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: { error: { code, message: `It is ${code}`, requestId: 'r-1', timestamp: '2026-11-20T10:00:00.000Z' } },
})

export const tokenPair = (name: string) => ({ accessToken: `access-${name}`, refreshToken: `refresh-${name}`, expiresInSeconds: 900, user: {} })
