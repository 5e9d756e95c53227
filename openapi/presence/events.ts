import { defineEvent, ref } from '../contract.ts'
import { ids } from '../users/examples.ts'
import { Presence } from '../users/schemas.ts'

export const presenceChanged = defineEvent({
  type: 'presence.changed',
  kind: 'signal',
  summary: 'Somebody came, went, or set another presence',
  description:
    'For those who share a conversation with the user, but for whom the user has blocked. For the present state of many ask `users.list` with `ids`.',
  data: ref(Presence),
  example: { userId: ids.bob, status: 'online', lastSeen: '2026-11-20T10:00:00.000Z' },
})
