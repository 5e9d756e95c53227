/** One request: its attempts, its timeouts, and which failures may be repeated. It knows nothing of tokens beyond the header it is given. */
import type { ApiRequest, CallOptions, Outcome, UploadOptions } from './api-call.ts'
import { ConnectionError, ParleyError, TimeoutError } from './errors.ts'
import { isRepeatableBody, sendForm } from './form.ts'
import { errorFromResponse } from './new-error.ts'
import type { ParleyOptions } from './parley.ts'
import { backoff, type Runtime, wait } from './runtime.ts'

/** What the SDK does, for a log. Tokens and bodies are never in it. */
export type DebugEvent =
  | { type: 'request'; operation: string; method: string; url: string; attempt: number }
  | { type: 'response'; operation: string; status: number; requestId: string | null; durationMilliseconds: number }
  | { type: 'retry'; operation: string; attempt: number; delayMilliseconds: number; error: ParleyError }
  | { type: 'refresh' }

type Settings = Required<Pick<ParleyOptions, 'baseUrl' | 'fetch' | 'timeoutMilliseconds' | 'retries' | 'headers' | 'debug' | 'runtime'>> & {
  /** Whether the browser's cookie says who calls. */
  byCookie: boolean
}

interface Received {
  response: Response
  /** Undefined where the caller reads the body. */
  text: string | undefined
}

export type Send = <T>(request: ApiRequest, options?: UploadOptions, accessToken?: string) => Promise<Outcome<T>>

export function createTransport(settings: Settings): Send {
  const { runtime } = settings

  return async function send<T>(request: ApiRequest, options: UploadOptions = {}, accessToken?: string): Promise<Outcome<T>> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await sendOnce<T>(request, options, accessToken, attempt)
      } catch (error) {
        if (!(error instanceof ParleyError) || attempt >= (options.retries ?? settings.retries) || !isRepeatableBody(request.body)) throw error
        const delay = retryDelay(request, error, attempt, runtime)
        if (delay === undefined) throw error
        settings.debug({ type: 'retry', operation: request.id, attempt: attempt + 1, delayMilliseconds: delay, error })
        await wait(delay, runtime, options.signal)
      }
    }
  }

  async function sendOnce<T>(request: ApiRequest, options: UploadOptions, accessToken: string | undefined, attempt: number): Promise<Outcome<T>> {
    const { id, method, body, form, raw, accepts = [] } = request
    const url = settings.baseUrl + request.path + queryString(request.query)
    const startedAt = runtime.now()
    settings.debug({ type: 'request', operation: id, method, url, attempt })
    const headers = {
      ...settings.headers,
      ...options.headers,
      // A page of somebody else could not add it: see `csrf_rejected`.
      ...(settings.byCookie && { 'X-Requested-With': 'parley-sdk' }),
      // Of a form the platform names the type itself, with the boundary.
      ...(body && !form && { 'Content-Type': 'application/json' }),
      ...(accessToken && { Authorization: `Bearer ${accessToken}` }),
    }
    const { response, text } = await withinTime(request, options, async (signal) => {
      const credentials = settings.byCookie && ({ credentials: 'include' } as const)
      const init = { method, headers, signal, ...credentials }
      const response = await (body && form
        ? sendForm(settings.fetch, url, init, body, options.onProgress)
        : settings.fetch(url, { ...init, ...(body && { body: JSON.stringify(body) }) }))
      return { response, text: raw && response.ok ? undefined : await response.text() }
    })
    const requestId = response.headers.get('X-Request-Id')
    settings.debug({ type: 'response', operation: id, status: response.status, requestId, durationMilliseconds: runtime.now() - startedAt })
    const isResult = response.ok || accepts.includes(response.status)
    const data = text === undefined ? response : readBody(response, text, isResult)
    if (!isResult) throw errorFromResponse(response, data)
    return { data, response }
  }

  /** Ends the work when its time is over or the caller aborts, and says which of them it was. */
  async function withinTime({ form }: ApiRequest, options: CallOptions, work: (signal: AbortSignal) => Promise<Received>): Promise<Received> {
    const { signal, timeoutMilliseconds = settings.timeoutMilliseconds * (form ? fileTimeoutFactor : 1) } = options
    signal?.throwIfAborted()
    const timeout = new TimeoutError({ code: 'timeout', message: `No answer came within ${timeoutMilliseconds} milliseconds` })
    const controller = new AbortController()
    const cancelTimer = runtime.after(timeoutMilliseconds, () => controller.abort(timeout))
    const abort = () => controller.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    let isBodyLeft = false
    try {
      const received = await work(controller.signal)
      isBodyLeft = received.text === undefined
      return received
    } catch (cause) {
      controller.signal.throwIfAborted()
      throw new ConnectionError({ code: 'connection_failed', message: `${settings.baseUrl} cannot be reached` }, { cause })
    } finally {
      cancelTimer()
      // Who still reads the body may give up too.
      if (!isBodyLeft) signal?.removeEventListener('abort', abort)
    }
  }
}

/** A file of 16 MiB takes a slow line minutes. */
const fileTimeoutFactor = 20

/** A wait beyond this is the caller's decision. */
const longestWaitSeconds = 60

/**
 * How many milliseconds to wait before the next attempt; undefined to give up. What the server refused to begin (429) may always be
 * repeated; what it may have done already, only where doing it again changes nothing. 503 is of the second kind: the database may have
 * gone away while it stored the result.
 */
function retryDelay(request: ApiRequest, error: ParleyError, attempt: number, runtime: Runtime): number | undefined {
  const { status, retryAfterSeconds } = error
  const notBegun = status === 429
  const unclear = error instanceof ConnectionError || error instanceof TimeoutError || (status !== undefined && [502, 503, 504].includes(status))
  if (!notBegun && !(unclear && isRepeatable(request))) return undefined
  if (retryAfterSeconds === undefined) return backoff(attempt, runtime)
  return retryAfterSeconds > longestWaitSeconds ? undefined : retryAfterSeconds * 1000 + runtime.random() * 250
}

const isRepeatable = ({ method, repeatable }: ApiRequest) => repeatable || ['GET', 'PUT', 'DELETE'].includes(method)

/** Text stays text; JSON that cannot be read is an error of the answer, not of the caller. */
function readBody(response: Response, text: string, isResult: boolean) {
  if (!response.headers.get('Content-Type')?.includes('json')) return text === '' ? undefined : text
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (!isResult) return undefined
    throw new ParleyError({ code: 'unexpected_answer', message: 'The server answered with broken JSON', status: response.status }, { cause })
  }
}

function queryString(query: object = {}): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null)
  return entries.length > 0 ? `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))}` : ''
}
