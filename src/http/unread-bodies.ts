/**
 * What becomes of a body that is answered before it has come: what comes soon is thrown away, so that the client can read the answer and use the
 * connection again; one that goes on, or stops without an end, is cut off, for the server would wait for it even when it is to close.
 */
import type { IncomingMessage } from 'node:http'

/** A client is told while it sends: one that is cut off at once would not read that. */
const lingerMilliseconds = 2_000

/** To be called when the answer is sent. */
export function endUnread(request: IncomingMessage): void {
  if (request.complete) return
  const timer = setTimeout(() => request.complete || request.destroy(), lingerMilliseconds)
  request.once('close', () => clearTimeout(timer))
}
