/** What is kept by events is read anew after some may have been missed. */
import type { Log } from './log.ts'

/** After the database did not answer. */
const retryMilliseconds = 1_000

/** @param failure what the log says when it did not succeed */
export function createReload({ load, failure, log }: { load(): Promise<void>; failure: string; log: Log }) {
  let retry: NodeJS.Timeout | undefined
  let closed = false

  /** Until it succeeds, for nobody else may notice that it did not. */
  const reload = (): void => {
    clearTimeout(retry)
    load().catch((error: unknown) => {
      if (closed) return
      log.warn({ err: error }, `${failure}; tried again`)
      clearTimeout(retry)
      retry = setTimeout(reload, retryMilliseconds).unref()
    })
  }

  return {
    reload,
    /** Reloads no more. */
    close: (): void => {
      closed = true
      clearTimeout(retry)
    },
  }
}
