import type { Change } from '../generated/types.ts'
import type { Parley } from '../parley.ts'
import type { Runtime } from '../runtime.ts'
import { type Commands, isAnything } from './commands.ts'

const gatherMilliseconds = 2_000

/** Tells the server up to where messages of others have arrived here: once in two seconds for a conversation, for marks are as good together. */
export function createDeliveries(api: Parley, commands: Commands, runtime: Runtime) {
  const marks = new Map<string, number>()
  // Where it cannot be known, one's own messages are confirmed as well, which changes nothing for anybody.
  const ownId = api.auth.me().then(
    ({ id }) => id,
    () => undefined,
  )

  const confirm = (conversationId: string): void => {
    const seq = marks.get(conversationId)
    marks.delete(conversationId)
    commands.send('conversations.markDelivered', { conversationId, seq }, isAnything).catch(() => {})
  }

  return async (change: Change): Promise<void> => {
    if (change.type !== 'message.created') return
    const { conversationId } = change
    const { senderId, seq } = change.data.message
    if (senderId === (await ownId)) return
    if (!marks.has(conversationId)) runtime.after(gatherMilliseconds, () => confirm(conversationId))
    marks.set(conversationId, Math.max(seq, marks.get(conversationId) ?? 0))
  }
}
