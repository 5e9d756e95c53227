import { defineEvent, ref } from '../contract.ts'
import { ids } from '../users/examples.ts'
import { Presence } from '../users/schemas.ts'

export const presenceChanged = defineEvent({
  type: 'presence.changed',
  kind: 'signal',
  summary: 'Somebody came, went, or set another presence',
  description:
    'For those who share a conversation of up to 250 members with the user, but for whom the user has blocked; and for the other sockets of the user, when another presence was set. Somebody who connects again within a few seconds was not away. Nothing is repeated: after `hello` ask `users.list` with `ids` for those whom you show.',
  data: ref(Presence),
  example: { userId: ids.bob, status: 'online', lastSeen: '2026-11-20T10:00:00.000Z' },
})
