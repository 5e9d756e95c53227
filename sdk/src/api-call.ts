/** What a method of a resource returns, and the request that it describes. */
import type { OnProgress } from './form.ts'
import { newClientId } from './runtime.ts'

/** Options of a single call; they win over the client's. */
export interface CallOptions {
  /** Aborts the call and its retries; what is thrown is the signal's reason. */
  signal?: AbortSignal
  /** For one attempt, not for the call with its retries. Files get twenty times as long by default. */
  timeoutMilliseconds?: number
  /** How often to try again, where that is safe; 0 for never. */
  retries?: number
  /** Added to those that the SDK sets. */
  headers?: Record<string, string>
}

/** Options of a call that uploads. */
export interface UploadOptions extends CallOptions {
  /** Told again and again how far it has come; from the beginning when it is tried again. */
  onProgress?: OnProgress
}

/** A call under way: await it for the result. */
export interface ApiCall<T> extends Promise<T> {
  /** The result together with the response it came in: status and headers (its body is read already). */
  withResponse(): Promise<{ data: T; response: Response }>
}

/** One page of a list. `nextCursor` is null on the last. */
export interface Page<T> {
  items: T[]
  nextCursor: string | null
  hasMore: boolean
}

/**
 * A list under way. Await it for its first page, or go through all items, page after page as you get there:
 * `for await (const message of api.messages.list(id)) …`
 */
export interface PagedCall<T> extends ApiCall<Page<T>>, AsyncIterable<T> {
  /** Page by page: `for await (const { items } of api.messages.list(id).pages()) …` */
  pages(): AsyncIterable<Page<T>>
}

/** One operation of the contract with its arguments. */
export interface ApiRequest {
  id: string
  method: string
  path: string
  body?: object
  /** The body has files: it goes out as `multipart/form-data`. */
  form?: boolean
  /** The result is the response itself, whose body is still to be read. */
  raw?: boolean
  query?: object | undefined
  /** Needs no access token. */
  public?: boolean
  /** Doing it again changes nothing more. */
  repeatable?: boolean
  /** Statuses from 400 on that are results, not errors. */
  accepts?: number[]
}

export type Call = <T>(request: ApiRequest, options?: UploadOptions) => ApiCall<T>

export interface Outcome<T> {
  data: T
  response: Response
}

export function apiCall<T>(outcome: Promise<Outcome<T>>): ApiCall<T> {
  const data = outcome.then((settled) => settled.data)
  const withResponse = () => {
    data.catch(() => {}) // its failure is told through `outcome`
    return outcome
  }
  return Object.assign(data, { withResponse })
}

/** `fetchPage` sends the first request at once and one more for each page that is asked for. */
export function paged<T>(fetchPage: (next?: { cursor: string; before: undefined; after: undefined; offset: undefined }) => ApiCall<Page<T>>): PagedCall<T> {
  const first = fetchPage()
  async function* pages() {
    let page = await first
    yield page
    while (page.nextCursor !== null) {
      // What said where to begin does not go with what says where to go on.
      page = await fetchPage({ cursor: page.nextCursor, before: undefined, after: undefined, offset: undefined })
      yield page
    }
  }
  async function* items() {
    for await (const page of pages()) yield* page.items
  }
  return Object.assign(first, { pages, [Symbol.asyncIterator]: items })
}

/** A path with its parameters encoded. @throws TypeError for one that would make another path of it. */
export const path = (parts: TemplateStringsArray, ...parameters: string[]): string =>
  parts.reduce((result, part, index) => {
    const parameter = parameters[index - 1] ?? ''
    if (['', '.', '..'].includes(parameter)) throw new TypeError("A part of the path is empty, '.' or '..'")
    return result + encodeURIComponent(parameter) + part
  })

/** Names what is created, so that a repetition is recognized; a name of the caller's own stays. */
export const withClientId = <T extends { clientId?: string }>(body: T) => ({ ...body, clientId: body.clientId ?? newClientId() })
