import type { Change } from '../generated/types.ts'
import type { Parley } from '../parley.ts'
import type { Runtime } from '../runtime.ts'
import { type Commands, isAnything, markDelivered } from './commands.ts'

const gatherMilliseconds = 2_000

/** Tells the server up to where messages of others have arrived here: once in two seconds for a conversation, for marks are as good together. */
export function createDeliveries(api: Parley, commands: Commands, runtime: Runtime) {
  /** Of conversations whose confirmation is to come or is not answered yet: no second one is begun beside it. */
  const marks = new Map<string, number>()
  // Where it cannot be known, one's own messages are confirmed as well, which changes nothing for anybody.
  const ownId = api.auth.me().then(
    ({ id }) => id,
    () => undefined,
  )

  const confirmSoon = (conversationId: string) => runtime.after(gatherMilliseconds, () => void confirm(conversationId))

  const confirm = async (conversationId: string): Promise<void> => {
    const seq = marks.get(conversationId)
    await commands.send(markDelivered, { conversationId, seq }, isAnything).catch(() => {})
    if (marks.get(conversationId) === seq) marks.delete(conversationId)
    else confirmSoon(conversationId)
  }

  return async (change: Change): Promise<void> => {
    if (change.type !== 'message.created') return
    const { conversationId } = change
    const { senderId, seq } = change.data.message
    if (senderId === (await ownId)) return
    if (!marks.has(conversationId)) confirmSoon(conversationId)
    marks.set(conversationId, Math.max(seq, marks.get(conversationId) ?? 0))
  }
}
