/**
 * Work whose rows say when it is due: looked for page by page and done one after another, now and again. Nobody waits for it, and whatever fails
 * is due the next time.
 */
interface DueWork<Id extends string> {
  milliseconds: number
  /** What is due, in the order of the ids. */
  listDue(page: { after: Id | undefined; limit: number }): Promise<Id[]>
  work(id: Id): Promise<void>
  /** One that fails keeps none of the others. */
  onFailure(err: unknown, id: Id): void
  /** What is due could not be read. */
  onUnreadable(err: unknown): void
}

const pageSize = 100

export function createDueWork<Id extends string>({ milliseconds, listDue, work, onFailure, onUnreadable }: DueWork<Id>) {
  let stopped = false

  const workOff = async (): Promise<void> => {
    let after: Id | undefined
    for (;;) {
      const due = await listDue({ after, limit: pageSize })
      if (due.length === 0) return
      for (const id of due) {
        if (stopped) return
        await work(id).catch((error: unknown) => onFailure(error, id))
      }
      after = due.at(-1)
    }
  }

  return {
    workOff,

    isStopped: (): boolean => stopped,

    /** Works off what is due, now and each time when that long has passed. @returns the function that ends it, after what is in hand. */
    start(): () => Promise<void> {
      let timer: NodeJS.Timeout | undefined
      const turn = async (): Promise<void> => {
        await workOff().catch(onUnreadable)
        if (!stopped) timer = setTimeout(() => (running = turn()), milliseconds).unref()
      }
      let running = turn()
      return async () => {
        stopped = true
        clearTimeout(timer)
        await running
      }
    },
  }
}
